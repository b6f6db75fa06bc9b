"""Bytes of pictures and label maps to arrays, and back.

Only JPEG and PNG are read, whatever the name of the file says. Everything that
can be wrong with a file is told as a `UserError`.
"""

import io
import struct
import zlib

import numpy as np
from PIL import Image
from PIL import ImageOps
from PIL import JpegImagePlugin
from PIL import PngImagePlugin

from nppnet_tf.errors import UserError

# 8192 x 8192: four times what a telephone makes, and 200 MB decoded. A file
# of some kilobytes can claim thousands of times as much.
MAX_PIXELS = 1 << 26

_JPEG_START = b"\xff\xd8\xff"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_ORIENTATION = 0x0112
_UPRIGHT = 1

# What libraries raise on damaged files. PIL lets errors of its parsers out.
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
)


def decode(
    data: bytes, where: object = None, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Decodes a JPEG or PNG of any mode.

    Args:
        data: Content of the file.
        where: File or record, for messages.
        max_pixels: Larger pictures are refused before they are decoded.

    Returns:
        Uint8 [H, W, 3], RGB, turned upright as its EXIF orientation says.
        Transparency is dropped.

    Raises:
        UserError: Not JPEG or PNG, damaged, truncated or too large.
    """
    return np.asarray(decode_picture(data, where, max_pixels))


def decode_picture(
    data: bytes, where: object = None, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """As `decode`, but leaves the picture in the library's form.

    Returns:
        A loaded picture of mode RGB.
    """
    image = _open(data, where, max_pixels)
    try:
        image.load()
        if _orientation(image) != _UPRIGHT:
            image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            return _from_wide_grey(image)
        return image if image.mode == "RGB" else image.convert("RGB")
    except _DECODING_ERRORS as error:
        raise _damaged(where, error) from error


def plain_bytes(data: bytes, where: object = None) -> bytes:
    """Returns bytes that every decoder turns into the same upright RGB.

    Args:
        data: A JPEG or PNG.
        where: File or record, for messages.

    Returns:
        `data` itself where it is upright and grey or RGB; otherwise (CMYK,
        palette, transparency, 16 bit, EXIF orientation) a PNG of what `decode`
        makes of it, so that nothing more is lost.

    Raises:
        UserError: As `decode`; the picture is decoded once to be sure.
    """
    image = _open(data, where, MAX_PIXELS)
    is_plain = image.mode in ("L", "RGB") and _orientation(image) == _UPRIGHT
    if is_plain and "transparency" not in image.info:
        _load(image, where)
        return data
    return encode_png(decode(data, where))


def decode_label_map(
    data: bytes, where: object = None, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Decodes a PNG of class ids.

    Args:
        data: Content of the file: a PNG with one channel of 8 (or fewer) bits,
            or with a palette, whose indices are the ids.
        where: File or record, for messages.
        max_pixels: Larger label maps are refused before they are decoded.

    Returns:
        Uint8 [H, W].

    Raises:
        UserError: Not such a PNG, damaged, truncated or too large.
    """
    if data.startswith(_JPEG_START):
        raise UserError(
            "label map is a JPEG, which changes ids",
            where,
            "a PNG of class ids",
            "JPEG",
        )
    image = _open(data, where, max_pixels)
    if image.mode not in ("L", "P", "1"):
        raise UserError(
            "label map does not hold class ids",
            where,
            "one channel of 8 bits or a palette",
            f"mode {image.mode}",
        )
    _load(image, where)
    return np.array(image, np.uint8)


def encode_png(array: np.ndarray) -> bytes:
    """Encodes uint8 [H, W, 3] as RGB or [H, W] as a single channel."""
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def picture_size(data: bytes, where: object = None) -> tuple[int, int]:
    """Returns (height, width) as `decode` would, reading the header only."""
    image = _open(data, where, MAX_PIXELS)
    width, height = image.size
    # Orientations 5 to 8 turn by a right angle.
    return (width, height) if _orientation(image) > 4 else (height, width)


def require_same_size(
    label_map: np.ndarray, size: tuple[int, int], where: object = None
) -> None:
    """Refuses a label map that is not of the picture's (height, width)."""
    if label_map.shape != tuple(size):
        raise UserError(
            "label map does not fit the picture",
            where,
            "the picture's {} x {}".format(*size),
            "{} x {}".format(*label_map.shape),
        )


def _open(data: bytes, where: object, max_pixels: int) -> Image.Image:
    # The classes are called directly: Image.open would warn of large pictures
    # on stderr before the size can be looked at.
    if data.startswith(_JPEG_START):
        reader = JpegImagePlugin.JpegImageFile
    elif data.startswith(_PNG_START):
        reader = PngImagePlugin.PngImageFile
    else:
        raise UserError(
            "picture is neither JPEG nor PNG",
            where,
            "a JPEG or PNG file",
            "an empty file" if not data else f"bytes {data[:8].hex(' ')}",
        )
    try:
        image = reader(io.BytesIO(data))
    except _DECODING_ERRORS as error:
        raise _damaged(where, error) from error
    width, height = image.size
    if width * height > max_pixels:
        raise UserError(
            "picture is too large",
            where,
            f"at most {max_pixels} pixels",
            f"{height} x {width}",
        )
    return image


def _load(image: Image.Image, where: object) -> None:
    try:
        image.load()
    except _DECODING_ERRORS as error:
        raise _damaged(where, error) from error


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(_ORIENTATION, _UPRIGHT)
    except _DECODING_ERRORS:
        # A damaged note about the picture does not damage the picture.
        return _UPRIGHT
    return orientation if orientation in range(1, 9) else _UPRIGHT


def _from_wide_grey(image: Image.Image) -> Image.Image:
    # PIL clips 16 bits at 255 where it should scale.
    grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255)
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def _damaged(where: object, error: BaseException) -> UserError:
    return UserError(
        "picture is damaged",
        where,
        "a whole JPEG or PNG",
        f"{error}" or type(error).__name__,
    )
