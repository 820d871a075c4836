"""From a `train` block to a recipe that fits its network: names resolved, arguments bound, every rule asked."""

from netc.recipes.reading import elaborate_recipe, setting_faults

__all__ = ["elaborate_recipe", "setting_faults"]
