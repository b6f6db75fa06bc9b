"""What a JPEG or PNG file says before a pixel is decoded, in a graph.

The twin of `nppnet_tf.pictures.picture_structure`: both follow the rule of
`docs/pictures.md`, and a test holds them equal on a thousand files. Nothing
here fails when it is run, whatever the bytes; cost is bounded by the size of
the file and by `MAX_PARTS`.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nppnet_tf.inference import byte_strings
from nppnet_tf.pictures import picture_structure as rule


class PictureStructure(NamedTuple):
    """A file; what is said of it holds where the status is `READ`.

    Attributes:
        status: Int32 scalar; the pixels may still turn out damaged.
        is_png: Bool scalar.
        size: Int32 (height, width) as stored.
        decodable: Scalar string, what a decoder needs of the file.
        notes: For each of `NOTES`, the part of the file that may tell the
            orientation: int64 [n, 2], start and end of the segment's content
            or of the chunk without its frame; (0, 0) where there is none.
    """

    status: tf.Tensor
    is_png: tf.Tensor
    size: tf.Tensor
    decodable: tf.Tensor
    notes: tf.Tensor


# Rows of `PictureStructure.notes`.
JPEG_EXIF, JPEG_XMP, PNG_EXIF, PNG_RAW_PROFILE, PNG_XMP = range(5)
_NUM_NOTES = 5

_ZERO = np.int64(0)


class _Walk(NamedTuple):
    """Where a walk is, and what it has seen.

    Attributes:
        position: Position of the next part.
        status: `READ` as long as nothing was wrong.
        is_ended: Whether the end marker was seen.
        parts, scans: How many.
        size: (height, width), (-1, -1) before it is known.
        notes: Notes as in `PictureStructure`.
        kept: Parts for the decoder, a TensorArray of strings.
    """

    position: tf.Tensor
    status: tf.Tensor
    is_ended: tf.Tensor
    parts: tf.Tensor
    scans: tf.Tensor
    size: tf.Tensor
    notes: tf.Tensor
    kept: tf.TensorArray


def read(
    image_bytes: tf.Tensor, max_pixels: int = rule.MAX_PIXELS
) -> PictureStructure:
    """Walks the parts of a file.

    Args:
        image_bytes: Scalar string, any bytes.
        max_pixels: Larger pictures are refused.
    """
    is_png = byte_strings.starts_with(image_bytes, rule.PNG_START)
    is_jpeg = byte_strings.starts_with(image_bytes, rule.JPEG_START)
    is_large = tf.strings.length(image_bytes) > rule.MAX_BYTES

    def nothing() -> PictureStructure:
        status = tf.where(is_large, rule.TOO_LARGE, rule.UNREADABLE)
        return _structure(is_png, status, _first_walk(0), tf.constant(""))

    def walk() -> PictureStructure:
        return tf.cond(
            is_png,
            lambda: _walk_png(image_bytes, max_pixels),
            lambda: _walk_jpeg(image_bytes, max_pixels),
        )

    return tf.cond((is_png | is_jpeg) & ~is_large, walk, nothing)


def read_each(
    image_bytes: tf.Tensor, max_pixels: int = rule.MAX_PIXELS
) -> PictureStructure:
    """Walks the parts of many files, string [B]; see `read`.

    Returns:
        As `read`, each with an axis [B] in front.
    """
    return tf.map_fn(
        lambda encoded: read(encoded, max_pixels),
        image_bytes,
        fn_output_signature=PictureStructure(
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([], tf.bool),
            tf.TensorSpec([2], tf.int32),
            tf.TensorSpec([], tf.string),
            tf.TensorSpec([_NUM_NOTES, 2], tf.int64),
        ),
        parallel_iterations=1,
    )


def _structure(
    is_png: tf.Tensor, status: tf.Tensor, walk: _Walk, decodable: tf.Tensor
) -> PictureStructure:
    return PictureStructure(
        tf.cast(status, tf.int32),
        is_png,
        tf.cast(walk.size, tf.int32),
        decodable,
        walk.notes,
    )


def _first_walk(position: int) -> _Walk:
    return _Walk(
        tf.constant(position, tf.int64),
        tf.constant(rule.READ),
        tf.constant(False),
        tf.constant(0),
        tf.constant(0),
        tf.constant([-1, -1], tf.int64),
        tf.zeros([_NUM_NOTES, 2], tf.int64),
        tf.TensorArray(
            tf.string, 0, dynamic_size=True, element_shape=[], infer_shape=False
        ),
    )


def _walk_jpeg(image_bytes: tf.Tensor, max_pixels: int) -> PictureStructure:
    data = tf.io.decode_raw(image_bytes, tf.uint8)
    count = tf.size(data, tf.int64)
    markers = _marker_positions(data)

    def step(walk: _Walk) -> tuple[_Walk]:
        index = tf.searchsorted(markers, walk.position[tf.newaxis])[0]
        start = markers[index]
        marker = byte_strings.number(data, start + 1, 1)
        length = byte_strings.number(data, start + 2, 2)
        is_ended = tf.equal(marker, rule.END_OF_JPEG) & (start < count)
        end = tf.where(is_ended, start + 2, start + 2 + length)
        is_frame = _is_one_of(marker, rule.FRAMES) & (walk.size[0] < 0)
        scans = walk.scans + tf.cast(tf.equal(marker, rule.SCAN), tf.int32)
        parts = walk.parts + 1
        is_broken = ~is_ended & (
            tf.equal(marker, rule.START_OF_JPEG)
            | (length < 2)
            | (end > count)
            | (is_frame & (length < 7))
        )
        is_beyond = (parts > rule.MAX_PARTS) | (scans > rule.MAX_SCANS)
        status = _first_fault(
            (start >= count, rule.UNREADABLE),
            (parts > rule.MAX_PARTS, rule.TOO_LARGE),
            (is_broken, rule.UNREADABLE),
            (is_beyond, rule.TOO_LARGE),
        )
        is_sound = tf.equal(status, rule.READ)
        size = tf.stack(
            [
                byte_strings.number(data, start + 5, 2),
                byte_strings.number(data, start + 7, 2),
            ]
        )
        return (
            _Walk(
                end,
                status,
                is_ended,
                parts,
                scans,
                tf.where(is_frame & is_sound, size, walk.size),
                _jpeg_notes(walk.notes, data, marker, start + 4, end),
                walk.kept,
            ),
        )

    (walk,) = tf.while_loop(_goes_on, step, (_first_walk(2),))
    is_empty = (walk.size[0] < 0) | tf.equal(walk.scans, 0)
    status = _first_fault(
        (walk.status > 0, walk.status), (is_empty, rule.UNREADABLE)
    )
    status = _with_size(status, walk.size, max_pixels)
    decodable = tf.strings.substr(image_bytes, _ZERO, walk.position)
    return _structure(tf.constant(False), status, walk, decodable)


def _marker_positions(data: tf.Tensor) -> tf.Tensor:
    """Where segments can begin, int64, ascending; last the file's end."""
    behind = data[1:]
    is_marker = tf.equal(data[:-1], 0xFF) & (behind > 1)
    is_marker &= tf.not_equal(behind, 0xFF)
    # Restart markers stand among the pixels.
    is_marker &= tf.not_equal(tf.bitwise.bitwise_and(behind, 0xF8), 0xD0)
    end = tf.size(data, tf.int64)[tf.newaxis]
    return tf.concat([tf.where(is_marker)[:, 0], end], 0)


def _jpeg_notes(
    notes: tf.Tensor,
    data: tf.Tensor,
    marker: tf.Tensor,
    start: tf.Tensor,
    end: tf.Tensor,
) -> tf.Tensor:
    def added() -> tf.Tensor:
        has_exif = byte_strings.stands_at(data, rule.EXIF_START, start, end)
        has_xmp = byte_strings.stands_at(data, rule.XMP_START, start, end)
        return _with_notes(
            notes, {JPEG_EXIF: has_exif, JPEG_XMP: has_xmp}, start, end
        )

    return tf.cond(tf.equal(marker, rule.APPLICATION_1), added, lambda: notes)


def _walk_png(image_bytes: tf.Tensor, max_pixels: int) -> PictureStructure:
    data = tf.io.decode_raw(image_bytes, tf.uint8)
    count = tf.size(data, tf.int64)
    header = len(rule.PNG_START)
    has_header = (
        (count >= header + rule.PNG_FRAME_BYTES + rule.PNG_HEADER_BYTES)
        & tf.equal(byte_strings.number(data, header, 4), rule.PNG_HEADER_BYTES)
        & byte_strings.stands_at(data, b"IHDR", header + 4, count)
    )
    size = [byte_strings.number(data, header + at, 4) for at in (12, 8)]
    size = tf.where(has_header, tf.stack(size), tf.zeros([2], tf.int64))

    def step(walk: _Walk) -> tuple[_Walk]:
        start = walk.position
        end = start + rule.PNG_FRAME_BYTES + byte_strings.number(data, start, 4)
        name = byte_strings.number(data, start + 4, 4)
        parts = walk.parts + 1
        is_broken = end > count
        status = _first_fault(
            (is_broken, rule.UNREADABLE),
            (parts > rule.MAX_PARTS, rule.TOO_LARGE),
        )
        is_critical = tf.equal(
            tf.bitwise.bitwise_and(name, rule.SMALL_LETTER << 24), 0
        )
        # Of a broken one the rest of the file, which nobody will decode.
        chunk = tf.strings.substr(
            image_bytes, start, tf.where(is_critical, end - start, 0)
        )
        return (
            _Walk(
                end,
                status,
                tf.equal(name, _number_of(b"IEND")) & ~is_broken,
                parts,
                walk.scans,
                walk.size,
                _png_notes(walk.notes, data, name, start + 4, end - 4),
                walk.kept.write(walk.parts, chunk),
            ),
        )

    first = _first_walk(header)._replace(
        size=size, status=tf.where(has_header, rule.READ, rule.UNREADABLE)
    )
    (walk,) = tf.while_loop(_goes_on, step, (first,))
    status = _with_size(walk.status, walk.size, max_pixels)
    kept = tf.strings.reduce_join(walk.kept.stack())
    decodable = tf.strings.join([rule.PNG_START, kept])
    return _structure(tf.constant(True), status, walk, decodable)


def _png_notes(
    notes: tf.Tensor,
    data: tf.Tensor,
    name: tf.Tensor,
    start: tf.Tensor,
    end: tf.Tensor,
) -> tf.Tensor:
    is_exif = tf.equal(name, _number_of(rule.PNG_EXIF))
    is_text = _is_one_of(name, [_number_of(text) for text in rule.TEXTS])

    def added() -> tf.Tensor:
        has_profile = byte_strings.stands_at(
            data, rule.PNG_RAW_PROFILE, start + 4, end
        )
        has_xmp = byte_strings.stands_at(data, rule.PNG_XMP, start + 4, end)
        return _with_notes(
            notes,
            {
                PNG_EXIF: is_exif,
                PNG_RAW_PROFILE: is_text & has_profile,
                PNG_XMP: is_text & has_xmp,
            },
            start,
            end,
        )

    return tf.cond(is_exif | is_text, added, lambda: notes)


def _with_notes(
    notes: tf.Tensor,
    is_there: dict[int, tf.Tensor],
    start: tf.Tensor,
    end: tf.Tensor,
) -> tf.Tensor:
    """Writes down where notes stand; the first of a kind counts."""
    rows = tf.stack([is_there.get(i, False) for i in range(_NUM_NOTES)])
    is_new = rows & tf.equal(notes[:, 1], 0)
    return tf.where(is_new[:, tf.newaxis], tf.stack([start, end]), notes)


def _goes_on(walk: _Walk) -> tf.Tensor:
    return tf.equal(walk.status, rule.READ) & ~walk.is_ended


def _with_size(
    status: tf.Tensor, size: tf.Tensor, max_pixels: int
) -> tf.Tensor:
    """What is wrong with the size comes before what is wrong behind it."""
    is_beyond = (tf.reduce_max(size) > rule.MAX_SIDE) | (
        tf.reduce_prod(size) > max_pixels
    )
    is_known = size[0] >= 0
    return _first_fault(
        (is_known & tf.equal(tf.reduce_min(size), 0), rule.UNREADABLE),
        (is_known & is_beyond, rule.TOO_LARGE),
        (status > 0, status),
    )


def _first_fault(
    *faults: tuple[tf.Tensor, int | tf.Tensor],
) -> tf.Tensor:
    """Returns the status that belongs to the first true condition."""
    status: int | tf.Tensor = rule.READ
    for condition, value in reversed(faults):
        status = tf.where(condition, value, status)
    return status


def _is_one_of(value: tf.Tensor, values: list[int]) -> tf.Tensor:
    return tf.reduce_any(tf.equal(value, tf.constant(list(values), tf.int64)))


def _number_of(name: bytes) -> int:
    return int.from_bytes(name, "big")
