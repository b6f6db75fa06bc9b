"""Encoded pictures in the graph: what they are, upright pixels, bad ones.

A batch of a server must survive a bad picture, so everything here answers with
a status instead of an error.
"""

from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

from nppnet_tf.data import images

Values = TypeVar("Values")

# Status of a picture, an output of the serving signatures.
READ = 0
UNREADABLE = 1
TOO_LARGE = 2

STATUS_TEXTS = {
    READ: "read",
    UNREADABLE: "not a whole JPEG or PNG picture",
    TOO_LARGE: "more pixels than the limit",
}

_JPEG_START = b"\xff\xd8\xff"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE_AT = 16

# Where the orientation can stand: an EXIF block is at most 64 KiB long, and
# an ICC profile may come before it.
_HEADER_BYTES = 1 << 18
_EXIF_START = b"Exif\x00\x00"
_PNG_EXIF_START = b"eXIf"
_ORIENTATION_TAG = 0x0112
_ENTRY_BYTES = 12
_MAX_ENTRIES = 256


def value_or_default(
    image_bytes: tf.Tensor,
    function: Callable[[tf.Tensor], Values],
    default: Values,
) -> Values:
    """Applies a function to one picture and survives its failing.

    A graph has no way to catch an error but that of a data set.

    Args:
        image_bytes: Scalar string.
        function: Of it; may fail when run.
        default: Returned if it fails; of the same types, ranks and structure.
    """
    dataset = tf.data.Dataset.from_tensors(image_bytes).map(function)
    return dataset.ignore_errors().reduce(default, lambda _, value: value)


def read(
    image_bytes: tf.Tensor, max_pixels: int = images.MAX_PIXELS
) -> tf.Tensor:
    """Decodes one JPEG or PNG to upright RGB, or fails.

    Args:
        image_bytes: Scalar string; a JPEG or PNG file. Its EXIF orientation
            is applied, transparency is dropped.
        max_pixels: A larger picture fails before it is decoded.

    Returns:
        Uint8 [height, width, 3].

    Raises:
        tf.errors.InvalidArgumentError: If it cannot be read, when run.
    """
    is_picture = tf.debugging.Assert(
        _is_picture(image_bytes), ["neither JPEG nor PNG"]
    )
    with tf.control_dependencies(_ran(is_picture)):
        image_bytes = tf.identity(image_bytes)
    pixels = tf.reduce_prod(tf.cast(declared_size(image_bytes), tf.int64))
    is_small = tf.debugging.assert_less_equal(
        pixels, tf.constant(max_pixels, tf.int64), "more pixels than the limit"
    )
    with tf.control_dependencies(_ran(is_small)):
        image_bytes = tf.identity(image_bytes)
    image = tf.cond(
        _is_png(image_bytes),
        lambda: tf.io.decode_png(image_bytes, channels=3),
        # The accurate transform is what Pillow uses, and so the records.
        lambda: tf.io.decode_jpeg(
            image_bytes, channels=3, dct_method="INTEGER_ACCURATE"
        ),
    )
    image.set_shape([None, None, 3])
    return turn_upright(image, exif_orientation(image_bytes))


def status_of(
    image_bytes: tf.Tensor, max_pixels: int = images.MAX_PIXELS
) -> tf.Tensor:
    """Returns what the header of a file says: a status, int32 scalar.

    A file whose header is sound may still turn out broken when it is decoded.
    """

    def by_size() -> tf.Tensor:
        size = value_or_default(
            image_bytes, declared_size, tf.zeros([2], tf.int32)
        )
        pixels = tf.reduce_prod(tf.cast(size, tf.int64))
        return tf.where(
            tf.reduce_any(size <= 0),
            UNREADABLE,
            tf.where(pixels > max_pixels, TOO_LARGE, READ),
        )

    return tf.cond(
        _is_picture(image_bytes), by_size, lambda: tf.constant(UNREADABLE)
    )


def declared_size(image_bytes: tf.Tensor) -> tf.Tensor:
    """Returns int32 (height, width) that the header of a file declares.

    As stored: the EXIF orientation is not applied. Fails, when run, on what
    is not a JPEG or PNG.
    """
    return tf.cond(
        _is_png(image_bytes),
        lambda: _png_size(image_bytes),
        lambda: tf.io.extract_jpeg_shape(image_bytes)[:2],
    )


def exif_orientation(image_bytes: tf.Tensor) -> tf.Tensor:
    """Returns the EXIF orientation of a JPEG or PNG file, 1 where it has none.

    Reference:
        Exif 2.32, Sec. 4.6.4, tag 0x0112; TIFF 6.0, Sec. 2.
    """
    header = tf.io.decode_raw(
        tf.strings.substr(image_bytes, 0, _HEADER_BYTES), tf.uint8
    )
    header = tf.cast(header, tf.int64)
    jpeg_start = _find(header, _EXIF_START)
    png_start = _find(header, _PNG_EXIF_START)
    is_jpeg = _is_jpeg(image_bytes)
    start = tf.where(is_jpeg, jpeg_start, png_start)
    length = tf.where(is_jpeg, len(_EXIF_START), len(_PNG_EXIF_START))
    return tf.cond(
        start >= 0,
        lambda: _tiff_orientation(header, start + tf.cast(length, tf.int64)),
        lambda: tf.constant(1),
    )


def turn_upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Applies an EXIF orientation, 1 to 8, to an image [height, width, 3]."""

    def one_of(*numbers: int) -> tf.Tensor:
        return tf.reduce_any(tf.equal(orientation, numbers))

    def when(condition: tf.Tensor, turned: tf.Tensor) -> tf.Tensor:
        result = tf.cond(condition, turned, lambda: image)
        result.set_shape([None, None, 3])
        return result

    image = when(one_of(5, 6, 7, 8), lambda: tf.transpose(image, [1, 0, 2]))
    image = when(one_of(2, 3, 6, 7), lambda: tf.reverse(image, [1]))
    return when(one_of(3, 4, 7, 8), lambda: tf.reverse(image, [0]))


def _ran(check: tf.Operation | None) -> list[tf.Operation]:
    """Operations to wait for: none where a check ran eagerly."""
    return [] if check is None else [check]


def _is_picture(image_bytes: tf.Tensor) -> tf.Tensor:
    return tf.logical_or(_is_jpeg(image_bytes), _is_png(image_bytes))


def _is_jpeg(image_bytes: tf.Tensor) -> tf.Tensor:
    return _starts_with(image_bytes, _JPEG_START)


def _is_png(image_bytes: tf.Tensor) -> tf.Tensor:
    return _starts_with(image_bytes, _PNG_START)


def _starts_with(image_bytes: tf.Tensor, start: bytes) -> tf.Tensor:
    return tf.equal(tf.strings.substr(image_bytes, 0, len(start)), start)


def _png_size(image_bytes: tf.Tensor) -> tf.Tensor:
    """Width and height are the first two numbers of the first chunk."""
    numbers = tf.io.decode_raw(
        tf.strings.substr(image_bytes, _PNG_SIZE_AT, 8),
        tf.int32,
        little_endian=False,
    )
    return tf.reverse(numbers, [0])


def _find(header: tf.Tensor, pattern: bytes) -> tf.Tensor:
    """Returns where a pattern first stands, -1 where it does not."""
    count = tf.maximum(tf.size(header) - len(pattern) + 1, 0)
    matches = tf.fill([count], True)
    for offset, value in enumerate(pattern):
        matches &= tf.equal(header[offset : offset + count], value)
    return tf.reduce_max(
        tf.concat([tf.where(matches)[:1, 0], tf.constant([-1], tf.int64)], 0)
    )


def _tiff_orientation(header: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    is_little_endian = tf.equal(_byte(header, start), ord("I"))

    def number(position: tf.Tensor, num_bytes: int) -> tf.Tensor:
        values = [_byte(header, position + i) for i in range(num_bytes)]
        little = sum(v * 256**i for i, v in enumerate(values))
        big = sum(v * 256**i for i, v in enumerate(reversed(values)))
        return tf.where(is_little_endian, little, big)

    directory = start + number(start + 4, 4)
    count = tf.minimum(number(directory, 2), _MAX_ENTRIES)
    entries = directory + 2 + _ENTRY_BYTES * tf.range(count)
    is_orientation = tf.equal(number(entries, 2), _ORIENTATION_TAG)
    values = number(tf.boolean_mask(entries, is_orientation) + 8, 2)
    value = tf.concat([values, tf.constant([1], tf.int64)], 0)[0]
    is_known = tf.logical_and(value >= 1, value <= 8)
    return tf.cast(tf.where(is_known, value, 1), tf.int32)


def _byte(header: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    """A byte of the header; of a broken file, any."""
    last = tf.cast(tf.size(header), tf.int64) - 1
    return tf.gather(header, tf.clip_by_value(position, 0, last))
