"""Picture files as arrays: the only module that opens them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from archdsl.errors.data import MaskNotIndexed, UnreadableImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Pixels: TypeAlias = NDArray[np.unsignedinteger[Any]]

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")

# What Pillow calls a file's pixels, and as what we read them.
_GREY = ("1", "L", "LA", "La")
_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")
_COLOUR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
_LOSSY = ("JPEG", "WEBP")


def read_image(path: Path, shorter_side: int | None = None) -> Pixels:
    """An image as height x width x channels: 1 (grey, 8 or 16 bits) or 3 channels (8 bits).

    Transparency is dropped, a camera's note on how it was held is followed. `shorter_side` resizes
    (bilinear, antialiased).

    Raises:
        UnreadableImage: the file is broken, or its pixels are neither of these.
    """
    import numpy as np
    from PIL import ImageOps

    image = ImageOps.exif_transpose(_open(path))
    if image.mode in _GREY:
        image = image.convert("L")
    elif image.mode in _COLOUR:
        image = image.convert("RGB")
    elif image.mode not in _DEEP_GREY:
        raise UnreadableImage(str(path), "its pixels have 32 bits, 8 or 16 are understood")
    if shorter_side is not None:
        image = _resized(image, shorter_side)
    kind = np.uint16 if image.mode in _DEEP_GREY else np.uint8  # in this machine's order of bytes
    pixels: Pixels = np.array(image).astype(kind)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def read_mask(path: Path) -> NDArray[np.uint8]:
    """A mask as height x width class numbers: one 8-bit channel, a palette's indices, or one bit.

    Raises:
        UnreadableImage: the file is broken.
        MaskNotIndexed: it holds colours, more than 8 bits, or was compressed with loss.
    """
    import numpy as np

    image = _open(path)
    if image.format in _LOSSY:
        raise MaskNotIndexed(str(path), f"{image.format}, whose compression changes values")
    if len(image.getbands()) > 1:
        raise MaskNotIndexed(str(path), f"{image.mode}, a picture in colours")
    if image.mode not in ("1", "L", "P"):
        raise MaskNotIndexed(str(path), "of more than 8 bits a pixel")
    return np.array(image).astype(np.uint8)


def like(pixels: Pixels, channels: int, bits: int) -> Pixels:
    """Pixels in the format of a whole data set: grey in three channels, 8 bits in 16, where others are so."""
    import numpy as np

    if pixels.shape[2] < channels:
        pixels = np.repeat(pixels, channels, axis=2)
    if bits == 16 and pixels.dtype == np.uint8:
        return pixels.astype(np.uint16) * 257  # white stays white: 255 * 257 = 65535
    return pixels


def _open(path: Path) -> Image.Image:
    """A file that was read to its end; kept apart because every way to fail is one mistake."""
    from PIL import Image, UnidentifiedImageError

    try:
        with path.open("rb") as file:
            image: Image.Image = Image.open(file)
            image.load()
    except UnidentifiedImageError:
        raise UnreadableImage(str(path), "it is empty, broken or no image") from None
    except OSError as error:
        raise UnreadableImage(str(path), error.strerror or str(error)) from None
    except (SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImage(str(path), str(error)) from None
    return image


def _resized(image: Image.Image, shorter_side: int) -> Image.Image:
    from PIL import Image

    scale = shorter_side / min(image.size)
    width, height = (max(shorter_side, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BILINEAR)
