"""Names that emitted code must keep away from are those that PyTorch's modules have."""

from torch import nn

from netc.naming import MODULE_ATTRIBUTES


def test_module_attributes_are_torchs() -> None:
    names = {name for module in (nn.Module(), nn.Sequential()) for name in dir(module) if not name.startswith("_")}
    assert names <= MODULE_ATTRIBUTES
