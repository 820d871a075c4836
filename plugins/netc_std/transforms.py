"""Changes of pictures, drawn anew for each example of a step: torchvision's, by their names and arguments."""

from __future__ import annotations

from typing import Any, ClassVar

from netc.layer import REQUIRED, Bool, Dim, Dotted, Field, Float, Int, Numbers, Reject, Size, Word
from netc.recipe import Transform, show_example
from netc.shapes import Value, at_least, show_dim


class Limits(Field[Any]):
    """A number, from which torchvision makes a range, or the range itself: `0.4`, `(0.6, 1.4)`."""

    def __init__(self, default: Any = REQUIRED, *, low: float | None = None, high: float | None = None,
                 pair: bool = False, doc: str = ""):
        super().__init__(default, doc=doc)
        self.low, self.high, self.pair = low, high, pair
        both = "two numbers, the lower one first" if pair else "a number, or two with the lower one first"
        most = f" to {high}" if high is not None else " upwards"
        self.expected = both if low is None else f"{both}, from {low}{most}"

    def convert(self, value: Any) -> Any:
        items = value if isinstance(value, tuple | list) else (value,)
        numbers = [item for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
        single = not isinstance(value, tuple | list)
        if len(numbers) != len(items) or len(items) != (1 if single else 2) or (single and self.pair):
            raise self.fail(value)
        least = max(self.low, 0) if single and self.low is not None else 0 if single else self.low
        if items[0] > items[-1] or (least is not None and items[0] < least):
            raise self.fail(value)
        if self.high is not None and items[-1] > self.high:
            raise self.fail(value)
        return value if single else tuple(value)


class Interpolation(Word):
    """`nearest` or `bilinear`, torchvision's constant of that name."""

    def __init__(self, default: str):
        doc = "How what lies between pixels is found."
        super().__init__("nearest", "bilinear", "bicubic", default=default, doc=doc)

    def convert(self, value: Any) -> Any:
        return Dotted(f"v2.InterpolationMode.{super().convert(value).upper()}")


class Shade(Float):
    """A number for all channels, or one for each: `0`, `(124, 116, 104)`."""

    def __init__(self, default: float, *, doc: str = ""):
        super().__init__(default, doc=doc)
        self.expected = "a number, or one for each channel"

    def convert(self, value: Any) -> Any:
        if not isinstance(value, tuple | list):
            return super().convert(value)
        return tuple(super(Shade, self).convert(item) for item in value)


def chance(p: float = 0.5) -> Float:
    return Float(p, min=0, max=1, doc="How likely it is.")


def extent(doc: str = "Height and width, one number for both.") -> Size:
    return Size(min=1, doc=doc)


def fill(default: float | None = 0) -> Float:
    return Float(default, doc="What the new pixels hold; 0 where nothing is said.")


def sides(size: Any) -> tuple[int, int]:
    """Height and width."""
    both = size if isinstance(size, tuple) else (size,)
    return both[0], both[-1]


class Picture(Transform):
    """A change of one picture."""

    imports = ("from torchvision.transforms import v2",)


class Toned(Picture):
    """A change of the bytes of a picture, each for itself."""

    bytes_only = True
    moves = False


class Coloured(Toned):
    """A change of the colours of a picture of bytes, grey or of three channels."""

    def infer(self, pictures: Value) -> Value:
        if pictures.shape[1] not in (1, 3):
            reason = f"{type(self).__name__} takes pictures of 1 or 3 channels, not {show_dim(pictures.shape[1])}"
            raise Reject(reason)
        return pictures


# ---- sizes -------------------------------------------------------------------------------------


class Sized(Picture):
    """A change after which pictures have a size of their own."""

    size: Any

    def infer(self, pictures: Value) -> Value:
        if isinstance(self.size, tuple) and len(self.size) > 2:
            raise Reject("`size` is a height and a width", field="size")
        return pictures.with_shape((*pictures.shape[:2], *sides(self.size)))


class Resize(Sized):
    """Another size. One number is the shorter side's."""

    module = "torchvision.transforms.v2.Resize"
    batched = True
    size = extent("Height and width, or the shorter side.")
    interpolation = Interpolation("bilinear")

    def infer(self, pictures: Value) -> Value:
        height, width = pictures.shape[2:]
        if isinstance(self.size, tuple) and len(self.size) == 2:
            return super().infer(pictures)
        if not isinstance(height, int) or not isinstance(width, int):
            raise Reject("a shorter side needs pictures of one known size", field="size", help="give height and width")
        size = sides(self.size)[0]
        longer = size * max(height, width) // min(height, width)
        shape = (size, longer) if height <= width else (longer, size)
        return pictures.with_shape((*pictures.shape[:2], *shape))


class CenterCrop(Sized):
    """The middle of a picture; black is added where it is smaller."""

    module = "torchvision.transforms.v2.CenterCrop"
    batched = True
    size = extent()


class Pad(Picture):
    """Pixels added at the borders: one number, or (left and right, top and bottom), or each of the four."""

    module = "torchvision.transforms.v2.Pad"
    batched = True
    padding = Size(min=0, doc="How many.")
    fill = fill()
    padding_mode = Word("constant", "edge", "reflect", "symmetric", default="constant", doc="What they hold.")

    def infer(self, pictures: Value) -> Value:
        height, width = padded(pictures, self.padding, "padding")
        return pictures.with_shape((*pictures.shape[:2], height, width))


class RandomCrop(Sized):
    """A part of the size at a random place, after `padding` as `Pad` takes it."""

    module = "torchvision.transforms.v2.RandomCrop"
    size = extent()
    padding = Size(None, min=0, doc="Pixels added at the borders before.")
    pad_if_needed = Bool(False, doc="Adds pixels where a picture is too small.")
    fill = fill()
    padding_mode = Word("constant", "edge", "reflect", "symmetric", default="constant", doc="What they hold.")

    def infer(self, pictures: Value) -> Value:
        cropped = super().infer(pictures)
        large = padded(pictures, self.padding or 0, "padding")
        for side, least in zip(large, cropped.shape[2:], strict=True):
            if not self.pad_if_needed and not at_least(side, least):
                shown = "x".join(map(show_dim, large))
                raise Reject(f"cannot cut {show_example(cropped)} from {shown}", field="size",
                             help="`padding=4` makes pictures larger before")  # fmt: skip
        return cropped


def padded(pictures: Value, padding: Any, field: str) -> tuple[Dim, Dim]:
    """Height and width after padding."""
    each = padding if isinstance(padding, tuple) else (padding,)
    if len(each) not in (1, 2, 4):
        raise Reject(f"`{field}` is one number, (left and right, top and bottom), or each of the four", field=field)
    left, top, right, bottom = each * (4 // len(each))
    return pictures.shape[2] + top + bottom, pictures.shape[3] + left + right


def mirrored(pictures: Value, border: int, field: str) -> None:
    """Refuses pictures too small for a border that mirrors them."""
    for side in pictures.shape[2:]:
        if not at_least(side, border + 1):
            reason = f"takes pictures of at least {border + 1}x{border + 1}, these are {show_example(pictures)}"
            raise Reject(f"`{field}` {reason}", field=field)


class RandomResizedCrop(Sized):
    """A part of random area and shape, resized (Szegedy et al. 2015, arXiv 1409.4842)."""

    module = "torchvision.transforms.v2.RandomResizedCrop"
    size = extent()
    scale = Limits((0.08, 1.0), low=0, pair=True, doc="Least and greatest share of the area.")
    ratio = Limits((0.75, 4 / 3), low=0, pair=True, doc="Least and greatest width by height.")
    interpolation = Interpolation("bilinear")


# ---- places ------------------------------------------------------------------------------------


class RandomHorizontalFlip(Picture):
    """Left and right swapped."""

    module = "torchvision.transforms.v2.RandomHorizontalFlip"
    p = chance()


class RandomVerticalFlip(Picture):
    """Top and bottom swapped."""

    module = "torchvision.transforms.v2.RandomVerticalFlip"
    p = chance()


class RandomRotation(Picture):
    """Turned about the middle; the size stays."""

    module = "torchvision.transforms.v2.RandomRotation"
    degrees = Limits(doc="At most so far to either side, or from where to where.")
    interpolation = Interpolation("nearest")
    fill = fill()


class RandomAffine(Picture):
    """Turned, moved, scaled and sheared."""

    module = "torchvision.transforms.v2.RandomAffine"
    degrees = Limits(doc="At most so far to either side, or from where to where.")
    translate = Numbers(None, length=2, min=0, doc="The greatest shares of width and height, at most 1.")
    scale = Limits(None, low=0, pair=True, doc="The least and the greatest factor.")
    shear = Limits(None, doc="Degrees to either side, or from where to where.")
    interpolation = Interpolation("nearest")
    fill = fill()

    def infer(self, pictures: Value) -> Value:
        if self.translate is not None and max(self.translate) > 1:
            raise Reject("`translate` has shares, at most 1", field="translate")
        if self.scale is not None and self.scale[0] <= 0:
            raise Reject("`scale` has factors above 0", field="scale")
        return pictures


class RandomPerspective(Picture):
    """Seen from another side."""

    module = "torchvision.transforms.v2.RandomPerspective"
    distortion_scale = Float(0.5, min=0, max=1, doc="How far the corners go.")
    p = chance()
    interpolation = Interpolation("bilinear")
    fill = fill()


class ElasticTransform(Picture):
    """Pixels moved this way and that (Simard et al. 2003)."""

    module = "torchvision.transforms.v2.ElasticTransform"
    alpha = Float(50.0, min=0, doc="How far they move.")
    sigma = Float(5.0, above=0, doc="How smoothly.")
    interpolation = Interpolation("bilinear")
    fill = fill()

    def infer(self, pictures: Value) -> Value:
        mirrored(pictures, int(8 * self.sigma + 1) // 2, "sigma")
        return pictures


class RandomErasing(Picture):
    """A rectangle of one value (Zhong et al. 2017, arXiv 1708.04896)."""

    module = "torchvision.transforms.v2.RandomErasing"
    moves = False
    p = chance()
    scale = Limits((0.02, 0.33), low=0, high=1, pair=True, doc="Least and greatest share of the area.")
    ratio = Limits((0.3, 3.3), low=0, pair=True, doc="Least and greatest height by width.")
    value = Shade(0.0, doc="What it holds, or for each channel; `(124, 116, 104)` is the mean of ImageNet in bytes.")

    def infer(self, pictures: Value) -> Value:
        if isinstance(self.value, tuple) and pictures.shape[1] not in (len(self.value),):
            reason = f"a value for each of {len(self.value)} channels, and a picture has {show_dim(pictures.shape[1])}"
            raise Reject(reason, field="value")
        return pictures


# ---- colours -----------------------------------------------------------------------------------


class GaussianBlur(Picture):
    """Blurred by a kernel of a random width."""

    module = "torchvision.transforms.v2.GaussianBlur"
    moves = False
    kernel_size = Size(min=1, doc="An odd number, or one for the height and one for the width.")
    sigma = Limits((0.1, 2.0), low=0, doc="Standard deviation of the kernel.")

    def infer(self, pictures: Value) -> Value:
        if any(size % 2 == 0 for size in sides(self.kernel_size)):
            raise Reject("`kernel_size` must be odd", field="kernel_size")
        mirrored(pictures, max(sides(self.kernel_size)) // 2, "kernel_size")
        return pictures


class GaussianNoise(Picture):
    """Normal noise; mean and deviation are of pictures from 0 to 1, of bytes too, which torchvision 0.21 refuses."""

    module = "torchvision.transforms.v2.GaussianNoise"
    batched = True
    moves = False
    draws = ("torch.randn_like",)
    mean = Float(0.0, doc="Of the noise.")
    sigma = Float(0.1, min=0, doc="Standard deviation of the noise.")
    clip = Bool(True, doc="Cuts what is outside of 0 to 1.")

    @property
    def bytes_only(self) -> bool:  # type: ignore[override]
        return self.clip


class RandomGrayscale(Coloured):
    """Grey, with as many channels."""

    bytes_only = False
    module = "torchvision.transforms.v2.RandomGrayscale"
    p = chance(0.1)


class ColorJitter(Coloured):
    """Brightness, contrast, saturation and hue, each by a factor about 1 (the hue by a shift about 0)."""

    module = "torchvision.transforms.v2.ColorJitter"
    brightness = Limits(None, low=0, doc="At most so far from 1, or from where to where.")
    contrast = Limits(None, low=0, doc="The same.")
    saturation = Limits(None, low=0, doc="The same.")
    hue = Limits(None, low=-0.5, high=0.5, doc="At most so far from 0, or from where to where.")


class RandomPhotometricDistort(Coloured):
    """Some of brightness, contrast, saturation and hue, and the channels in another order (Liu et al. 2016)."""

    module = "torchvision.transforms.v2.RandomPhotometricDistort"
    brightness = Limits((0.875, 1.125), low=0, pair=True, doc="Least and greatest factor.")
    contrast = Limits((0.5, 1.5), low=0, pair=True, doc="Least and greatest factor.")
    saturation = Limits((0.5, 1.5), low=0, pair=True, doc="Least and greatest factor.")
    hue = Limits((-0.05, 0.05), low=-0.5, high=0.5, pair=True, doc="Least and greatest shift.")
    p = chance()


class RandomInvert(Toned):
    """The negative."""

    module = "torchvision.transforms.v2.RandomInvert"
    p = chance()


class RandomPosterize(Toned):
    """Fewer bits a channel."""

    module = "torchvision.transforms.v2.RandomPosterize"
    bits = Int(min=0, max=8, doc="How many stay.")
    p = chance()


class RandomSolarize(Toned):
    """The negative of what is above a threshold."""

    module = "torchvision.transforms.v2.RandomSolarize"
    threshold = Float(min=0, max=255, doc="Of the bytes.")
    p = chance()


class RandomAdjustSharpness(Coloured):
    """Sharper or more blurred."""

    module = "torchvision.transforms.v2.RandomAdjustSharpness"
    sharpness_factor = Float(min=0, doc="0 is blurred, 1 as it is, 2 sharper.")
    p = chance()


class RandomAutocontrast(Coloured):
    """From black to white."""

    module = "torchvision.transforms.v2.RandomAutocontrast"
    p = chance()


class RandomEqualize(Toned):
    """As many pixels of each brightness."""

    module = "torchvision.transforms.v2.RandomEqualize"
    p = chance()


class RandAugment(Coloured):
    """Some changes drawn from fourteen, all of one strength (Cubuk et al. 2019, arXiv 1909.13719)."""

    module = "torchvision.transforms.v2.RandAugment"
    moves = True
    num_ops = Int(2, min=1, doc="How many changes.")
    magnitude = Int(9, min=0, doc="How strong they are.")
    num_magnitude_bins = Int(31, min=2, doc="How many strengths there are.")
    interpolation = Interpolation("nearest")
    fill = fill(None)

    def infer(self, pictures: Value) -> Value:
        if self.magnitude >= self.num_magnitude_bins:
            raise Reject(f"the strengths are 0 to {self.num_magnitude_bins - 1}", field="magnitude")
        return super().infer(pictures)


class TrivialAugmentWide(Coloured):
    """One change of a random strength (Müller and Hutter 2021, arXiv 2103.10158)."""

    module = "torchvision.transforms.v2.TrivialAugmentWide"
    moves = True
    num_magnitude_bins = Int(31, min=2, doc="How many strengths there are.")
    interpolation = Interpolation("nearest")
    fill = fill(None)


class AugMix(Coloured):
    """The mean of several chains of changes (Hendrycks et al. 2019, arXiv 1912.02781)."""

    module = "torchvision.transforms.v2.AugMix"
    moves = True
    draws = ("torch._sample_dirichlet",)
    severity = Int(3, min=1, max=10, doc="How strong they are.")
    mixture_width = Int(3, min=1, doc="How many chains.")
    chain_depth = Int(-1, min=-1, doc="Changes in a chain; at -1 it is 1 to 3.")
    alpha = Float(1.0, above=0, doc="Of the distributions from which their shares are drawn.")
    all_ops = Bool(True, doc="With brightness, contrast, colour and sharpness.")
    interpolation = Interpolation("bilinear")
    fill = fill(None)


# ---- batches -----------------------------------------------------------------------------------


class Mixing(Transform):
    """A mixture of each example of a batch with another one, of the classes too."""

    imports = ("from torchvision.transforms import v2",)
    mixes: ClassVar[bool] = True
    alpha: float


class MixUp(Mixing):
    """Two pictures laid over each other (Zhang et al. 2017, arXiv 1710.09412)."""

    module = "torchvision.transforms.v2.MixUp"
    alpha = Float(1.0, above=0, doc="Of the beta distribution from which the share is drawn.")


class CutMix(Mixing):
    """A rectangle of another picture in a picture (Yun et al. 2019, arXiv 1905.04899)."""

    module = "torchvision.transforms.v2.CutMix"
    alpha = Float(1.0, above=0, doc="Of the beta distribution from which the share is drawn.")
