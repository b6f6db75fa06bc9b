"""Bytes of pictures and label maps to arrays, and back.

Only JPEG and PNG are read, whatever the name of the file says. What a whole
file is, how it is turned and what it may cost stands in `docs/pictures.md`;
pixels come from the decoder that the served graph has. Everything that can be
wrong with a file is told as a `UserError`.
"""

import io
import os
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL import JpegImagePlugin
from PIL import PngImagePlugin

from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files
from nppnet_tf.pictures import label_colors
from nppnet_tf.pictures import library_messages
from nppnet_tf.pictures import picture_structure
from nppnet_tf.pictures.picture_structure import JPEG_START
from nppnet_tf.pictures.picture_structure import MAX_BYTES
from nppnet_tf.pictures.picture_structure import MAX_PIXELS
from nppnet_tf.pictures.picture_structure import PictureError
from nppnet_tf.pictures.picture_structure import PictureStructure

_PORTION = 1 << 20

# By the color type of a PNG.
_MODES = {2: "colors", 4: "gray with transparency", 6: "colors"}

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


class LabelFormError(UserError):
    """A label map is in a form that holds no class ids."""


class SizeMismatchError(UserError):
    """A label map or a mask is not of the size of its picture."""


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Returns the content of a picture's file, of `MAX_BYTES` at most.

    Raises:
        UserError: It is missing, no regular file, or larger.
    """
    return text_files.read_bytes(path, MAX_BYTES)


def decode(
    data: bytes, where: object = None, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Decodes a JPEG or PNG of any mode.

    Args:
        data: Content of the file.
        where: File or record, for messages.
        max_pixels: Larger pictures are refused before they are decoded.

    Returns:
        Uint8 [H, W, 3], RGB, turned upright. Transparency is dropped.

    Raises:
        PictureError: Not JPEG or PNG, damaged, truncated or too large.
    """
    structure = picture_structure.read(data, where, max_pixels)
    return _upright(_decode_pixels(structure, where), structure.orientation)


def decode_picture(data: bytes) -> Image.Image:
    """As `decode`, but in the form of the library that warps pictures."""
    return Image.fromarray(decode(data))


def decode_plain(data: bytes) -> Image.Image:
    """Decodes what `plain_bytes` returned, by the library that warps it.

    Returns:
        A loaded picture of mode RGB, of the pixels that `decode` gives.

    Raises:
        UserError: The bytes are damaged, or no picture.
    """
    try:
        image = _open_plain(data)
        image.load()
        return image if image.mode == "RGB" else image.convert("RGB")
    except _DECODING_ERRORS as error:
        raise _damaged(None, error) from error


def plain_bytes(data: bytes) -> bytes:
    """Returns bytes that every decoder turns into the same upright RGB.

    Args:
        data: A JPEG or PNG.

    Returns:
        `data` itself where it is upright, gray or RGB, and read alike by two
        decoders; otherwise (CMYK, palette, transparency, 16 bit, an
        orientation) a PNG of what `decode` makes of it, so that nothing more
        is lost.

    Raises:
        PictureError: For the reasons that `decode` gives; the picture is
            decoded to be sure.
    """
    structure = picture_structure.read(data)
    pixels = _decode_pixels(structure, None)
    is_upright = structure.orientation == 1
    if is_upright and _is_plain(data, pixels):
        return data
    return encode_png(_upright(pixels, structure.orientation))


def decode_label_map(
    data: bytes,
    where: object = None,
    palette: Sequence[label_colors.Color] | None = None,
) -> np.ndarray:
    """Decodes a PNG of class ids.

    Args:
        data: Content of the file: a PNG with one channel of 1 to 16 bits, or
            with a palette, whose indices are the ids. Ids are taken as they
            are stored, at every depth; every checksum must be right.
        where: File or record, for messages.
        palette: The color of every class, to be compared with the file's own;
            None where its colors mean nothing.

    Returns:
        Uint8 [H, W].

    Raises:
        LabelFormError: Not such a PNG, ids over 255, or colors that say other
            ids than the indices (`label_colors`).
        PictureError: Damaged, truncated or too large.
    """
    if data.startswith(JPEG_START):
        raise LabelFormError(
            "label map is a JPEG, which changes ids",
            where,
            "a PNG of class ids",
            "JPEG",
        )
    structure = picture_structure.read(data, where)
    if structure.color_type not in (
        picture_structure.GRAY,
        picture_structure.PALETTE,
    ):
        found = _MODES.get(structure.color_type, "another form")
        raise _no_ids(where, "one channel or a palette", found)
    if not structure.is_sound:
        raise picture_structure.damaged(where, "a wrong checksum")
    try:
        image = PngImagePlugin.PngImageFile(io.BytesIO(structure.decodable))
        image.load()
    except _DECODING_ERRORS as error:
        raise _damaged(where, error) from error
    ids = _ids(np.asarray(image), structure, where)
    if palette is not None and image.mode == "P":
        _require_own_colors(ids, image, palette, where)
    return ids


def label_counts(label_map: np.ndarray) -> np.ndarray:
    """Counts the pixels of every id.

    Args:
        label_map: Uint8 [H, W].

    Returns:
        Int64 [256].
    """
    labels = label_map.ravel()
    # In portions: NumPy counts copies of eight bytes each.
    return sum(
        np.bincount(labels[start : start + _PORTION], minlength=256)
        for start in range(0, labels.size, _PORTION)
    )


def encode_png(array: np.ndarray) -> bytes:
    """Encodes uint8 [H, W, 3] as RGB or [H, W] as a single channel."""
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def picture_size(data: bytes, where: object = None) -> tuple[int, int]:
    """Returns (height, width) as `decode` would, without decoding.

    Args:
        data: Content of the file.
        where: File or record, for messages.

    Raises:
        PictureError: The parts of the file are not whole, or it is too large.
    """
    return picture_structure.read(data, where).upright_size


def require_same_size(
    label_map: np.ndarray, size: tuple[int, int], where: object = None
) -> None:
    """Refuses a label map that is not of the picture's (height, width)."""
    if label_map.shape != tuple(size):
        raise SizeMismatchError(
            "label map does not fit the picture",
            where,
            "the picture's {} x {}".format(*size),
            "{} x {}".format(*label_map.shape),
        )


def _decode_pixels(structure: PictureStructure, where: object) -> np.ndarray:
    """Returns uint8 [H, W, 3] as stored."""
    # Late: readers that only look at headers need no TensorFlow.
    import tensorflow as tf

    from nppnet_tf.pictures import picture_decoder

    said: list[str] = []
    try:
        with tf.device("CPU"), library_messages.captured() as said:
            return picture_decoder.decode(
                tf.constant(structure.decodable)
            ).numpy()
    except (tf.errors.OpError, ValueError) as error:
        message = getattr(error, "message", str(error)).rpartition("}} ")[-1]
        found = [*said, message.partition(" [Op:")[0]]
        raise _damaged(where, ": ".join(found)) from error


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _open_plain(data: bytes) -> Image.Image:
    # The classes are called directly: Image.open would warn of large pictures
    # on stderr.
    if data.startswith(JPEG_START):
        return JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    return PngImagePlugin.PngImageFile(io.BytesIO(data))


def _is_plain(data: bytes, pixels: np.ndarray) -> bool:
    """Whether the other decoder sees the same, without a note to act upon."""
    try:
        image = _open_plain(data)
        if image.mode not in ("L", "RGB") or "transparency" in image.info:
            return False
        image.load()
        return np.array_equal(np.asarray(image.convert("RGB")), pixels)
    except _DECODING_ERRORS:
        return False


def _ids(
    stored: np.ndarray, structure: PictureStructure, where: object
) -> np.ndarray:
    """Undoes what the decoder does to ids of few and of many bits."""
    if (
        structure.color_type == picture_structure.GRAY
        and structure.bit_depth in (2, 4)
    ):
        # It multiplies them, so that the largest is white.
        stored = stored // (255 // (2**structure.bit_depth - 1))
    largest = int(stored.max())
    if largest > 255:
        raise _no_ids(where, "ids up to 255", f"id {largest}")
    return np.array(stored, np.uint8)


def _require_own_colors(
    ids: np.ndarray,
    image: Image.Image,
    palette: Sequence[label_colors.Color],
    where: object,
) -> None:
    stored = np.array(image.getpalette("RGB")).reshape(-1, 3).tolist()
    colors = {
        index: tuple(stored[index])
        for index in np.flatnonzero(label_counts(ids)).tolist()
        if index < len(stored)
    }
    found = label_colors.contradiction(colors, palette)
    if found is not None:
        raise LabelFormError(
            "palette of the label map is in another order",
            where,
            "indices that are class ids, or gray ids",
            found,
        )


def _no_ids(where: object, expected: str, found: str) -> LabelFormError:
    return LabelFormError(
        "label map does not hold class ids", where, expected, found
    )


def _damaged(where: object, error: object) -> PictureError:
    return picture_structure.damaged(where, f"{error}" or type(error).__name__)
