"""What a JPEG or PNG file says before a pixel is decoded, in a graph.

The twin of `nppnet_tf.pictures.picture_structure`: both follow the rule of
`docs/pictures.md`, and a test holds them equal on a thousand files. Nothing
here fails when it is run, whatever the bytes; cost is bounded by the size of
the files and by `MAX_PARTS`. Operations cost more than what they do here: so
the files are walked abreast, and what the parts say is read of all at once.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nppnet_tf.inference import byte_strings
from nppnet_tf.inference import portions
from nppnet_tf.pictures import picture_structure as rule


class PictureStructure(NamedTuple):
    """A file; what is said of it holds where the status is `READ`.

    Of many files, everything has an axis [B] in front.

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


# Bytes of files that are walked abreast, and one file of any size.
_PORTION_BYTES = 1 << 22

# Zeros behind the last file, so that the start of a part can be read anywhere.
_MARGIN = 32

# What the first eight bytes of a part count for its length and its name.
_PNG_WEIGHTS = np.array(
    [[256**i, 0] for i in (3, 2, 1, 0)] + [[0, 256**i] for i in (3, 2, 1, 0)]
)
_JPEG_WEIGHTS = np.array([[0, 0], [0, 1], [256, 0], [1, 0]] + [[0, 0]] * 4)

_SIGNATURE = PictureStructure(
    tf.TensorSpec([], tf.int32),
    tf.TensorSpec([], tf.bool),
    tf.TensorSpec([2], tf.int32),
    tf.TensorSpec([], tf.string),
    tf.TensorSpec([_NUM_NOTES, 2], tf.int64),
)


class _Files(NamedTuple):
    """Files one behind the other; positions count from the first one's start.

    Attributes:
        joined: Scalar string, all of them.
        data: The same as uint8 [n], and a margin.
        start, end: Int64 [B], where each lies; empty where it is not walked.
        is_png, is_jpeg: Bool [B], what each is.
    """

    joined: tf.Tensor
    data: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor
    is_png: tf.Tensor
    is_jpeg: tf.Tensor


class _Parts(NamedTuple):
    """Parts of files: T of the file that has the most.

    Attributes:
        start, end: Int64 [B, T], where each lies with its frame.
        name: Int64 [B, T]: the marker of a segment, the name of a chunk as a
            number; -1 where there is no part any more.
        is_sound: Bool [B, T], whether nothing was wrong so far.
    """

    start: tf.Tensor
    end: tf.Tensor
    name: tf.Tensor
    is_sound: tf.Tensor


def read_each(
    image_bytes: tf.Tensor, max_pixels: int = rule.MAX_PIXELS
) -> PictureStructure:
    """Walks the parts of files.

    Args:
        image_bytes: String [B], any bytes; at least one.
        max_pixels: Larger pictures are refused.
    """
    return PictureStructure(
        *portions.apply(
            lambda part: _read_portion(image_bytes[part], max_pixels),
            tf.cast(tf.strings.length(image_bytes), tf.int64),
            _PORTION_BYTES,
            _SIGNATURE,
        )
    )


def _read_portion(image_bytes: tf.Tensor, max_pixels: int) -> PictureStructure:
    files, is_large = _laid_out(image_bytes)
    header_size = _header_size(files)
    parts = _walk(files, header_size)
    part_status, is_first_frame = _part_statuses(files, parts)
    is_faulty = part_status > 0
    is_sound = tf.equal(tf.cumsum(tf.cast(is_faulty, tf.int32), 1), 0)
    parts = parts._replace(is_sound=is_sound & (parts.name >= 0))
    size = tf.where(
        files.is_png[:, tf.newaxis],
        header_size,
        _frame_size(files, parts, is_first_frame),
    )
    scans = tf.equal(parts.name, rule.SCAN) & parts.is_sound
    is_empty = files.is_jpeg & ((size[:, 0] < 0) | ~tf.reduce_any(scans, 1))
    first = tf.argmax(is_faulty, 1)
    fault = tf.gather(part_status, first, batch_dims=1)
    status = _first_fault((fault > 0, fault), (is_empty, rule.UNREADABLE))
    status = _first_fault(
        (is_large, rule.TOO_LARGE),
        (~(files.is_png | files.is_jpeg), rule.UNREADABLE),
        (tf.fill(tf.shape(status), True), _with_size(status, size, max_pixels)),
    )
    return PictureStructure(
        tf.cast(status, tf.int32),
        files.is_png,
        tf.cast(size, tf.int32),
        _decodable(files, parts, tf.equal(status, rule.READ)),
        _notes(files, parts),
    )


def _laid_out(image_bytes: tf.Tensor) -> tuple[_Files, tf.Tensor]:
    """Lays out what is to be walked; and says what is too large for it."""
    lengths = tf.cast(tf.strings.length(image_bytes), tf.int64)
    is_large = lengths > rule.MAX_BYTES
    starts = (rule.PNG_START, rule.JPEG_START)
    is_png, is_jpeg = (
        byte_strings.starts_with(image_bytes, start) for start in starts
    )
    is_walked = (is_png | is_jpeg) & ~is_large
    joined = tf.strings.reduce_join(tf.where(is_walked, image_bytes, ""))
    data = tf.io.decode_raw(tf.strings.join([joined, bytes(_MARGIN)]), tf.uint8)
    lengths = tf.where(is_walked, lengths, 0)
    end = tf.cumsum(lengths)
    return _Files(
        joined,
        data,
        end - lengths,
        end,
        is_png & is_walked,
        is_jpeg & is_walked,
    ), is_large


def _header_size(files: _Files) -> tf.Tensor:
    """Returns the size that a PNG states, zeros where it has no header."""
    at = len(rule.PNG_START)
    places = files.start[:, tf.newaxis] + tf.range(at, at + 16, dtype=tf.int64)
    header = tf.cast(byte_strings.at(files.data, places), tf.int64)
    expected = rule.PNG_HEADER_BYTES.to_bytes(4, "big") + b"IHDR"
    is_there = tf.reduce_all(tf.equal(header[:, :8], list(expected)), 1)
    least = at + rule.PNG_FRAME_BYTES + rule.PNG_HEADER_BYTES
    is_there &= files.end - files.start >= least
    weights = tf.constant([1 << 24, 1 << 16, 1 << 8, 1], tf.int64)
    sides = tf.reshape(header[:, 8:], [-1, 2, 4])
    size = tf.reverse(tf.reduce_sum(sides * weights, 2), [1])
    return tf.where(is_there[:, tf.newaxis], size, 0)


def _walk(files: _Files, header_size: tf.Tensor) -> _Parts:
    """Goes from part to part, in all files abreast.

    A broken part is passed like a sound one; what is wrong is seen later.
    """
    next_part = _reader(files)

    def step(
        number: tf.Tensor,
        position: tf.Tensor,
        is_done: tf.Tensor,
        array: tf.TensorArray,
    ) -> tuple[tf.Tensor | tf.TensorArray, ...]:
        start, end, name, is_last = next_part(position)
        row = tf.stack([start, end, tf.where(is_done, np.int64(-1), name)], 1)
        is_done |= is_last | (end > files.end)
        return (
            number + 1,
            tf.where(is_done, position, end),
            is_done,
            array.write(number, row),
        )

    is_png = files.is_png
    has_header = tf.reduce_max(header_size, 1) > 0
    *_, array = tf.while_loop(
        # Once at least, so that there is something to stack.
        lambda number, _, is_done, __: (
            tf.equal(number, 0)
            | ((number <= rule.MAX_PARTS) & ~tf.reduce_all(is_done))
        ),
        step,
        (
            tf.constant(0),
            files.start + tf.where(is_png, np.int64(8), np.int64(2)),
            ~files.is_jpeg & ~(is_png & has_header),
            tf.TensorArray(
                tf.int64,
                0,
                dynamic_size=True,
                element_shape=[None, 3],
                infer_shape=False,
            ),
        ),
        parallel_iterations=1,
    )
    start, end, name = tf.unstack(array.stack(), axis=2)
    start, end, name = (tf.transpose(value) for value in (start, end, name))
    return _Parts(start, end, name, name >= 0)


def _reader(
    files: _Files,
) -> Callable[[tf.Tensor], tuple[tf.Tensor, ...]]:
    """Returns a function that finds the next part of every file.

    It takes positions [B], and returns where the next part begins and ends,
    its name, and whether it is the last one.
    """
    is_png = files.is_png
    markers = tf.cond(
        tf.reduce_any(files.is_jpeg),
        lambda: _marker_positions(files.data),
        lambda: tf.size(files.data, tf.int64)[tf.newaxis],
    )
    last = tf.size(files.data, tf.int64) - _MARGIN
    # Of the first eight bytes: length and name.
    weights = tf.where(
        is_png[:, tf.newaxis, tf.newaxis], _PNG_WEIGHTS, _JPEG_WEIGHTS
    )
    frame_bytes = tf.where(is_png, np.int64(rule.PNG_FRAME_BYTES), np.int64(2))
    last_name = tf.where(
        is_png, np.int64(_number_of(b"IEND")), np.int64(rule.END_OF_JPEG)
    )

    def next_part(position: tf.Tensor) -> tuple[tf.Tensor, ...]:
        found = tf.gather(markers, tf.searchsorted(markers, position))
        start = tf.where(is_png, position, tf.minimum(found, last))
        places = start[:, tf.newaxis] + tf.range(8, dtype=tf.int64)
        frame = tf.cast(tf.gather(files.data, places), tf.int64)
        length, name = tf.unstack(
            tf.reduce_sum(frame[..., tf.newaxis] * weights, 1), axis=1
        )
        is_last = tf.equal(name, last_name)
        # The end marker of a JPEG has no length.
        length = tf.where(is_last & ~is_png, np.int64(0), length)
        return start, start + frame_bytes + length, name, is_last

    return next_part


def _marker_positions(data: tf.Tensor) -> tf.Tensor:
    """Where segments can begin, int64, ascending; last the data's end."""
    behind = data[1:]
    is_marker = tf.equal(data[:-1], 0xFF) & (behind > 1)
    is_marker &= tf.not_equal(behind, 0xFF)
    # Restart markers stand among the pixels.
    is_marker &= tf.not_equal(tf.bitwise.bitwise_and(behind, 0xF8), 0xD0)
    end = tf.size(data, tf.int64)[tf.newaxis]
    return tf.concat([tf.where(is_marker)[:, 0], end], 0)


def _part_statuses(files: _Files, parts: _Parts) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what is wrong with each part, [B, T], and the first frames."""
    end_of_file = files.end[:, tf.newaxis]
    is_beyond_end = parts.end > end_of_file
    numbers = tf.range(tf.shape(parts.name)[1])
    is_one_too_many = tf.broadcast_to(
        numbers >= rule.MAX_PARTS, tf.shape(parts.name)
    )
    of_png = _first_fault(
        (is_beyond_end, rule.UNREADABLE), (is_one_too_many, rule.TOO_LARGE)
    )
    is_frame = _is_one_of(parts.name, rule.FRAMES)
    is_frame &= tf.equal(tf.cumsum(tf.cast(is_frame, tf.int32), 1), 1)
    scans = tf.cast(tf.equal(parts.name, rule.SCAN), tf.int32)
    length = parts.end - parts.start - 2
    is_broken = tf.not_equal(parts.name, rule.END_OF_JPEG) & (
        tf.equal(parts.name, rule.START_OF_JPEG)
        | (length < 2)
        | (is_frame & (length < 7))
    )
    of_jpeg = _first_fault(
        (parts.start + 2 > end_of_file, rule.UNREADABLE),
        (is_one_too_many, rule.TOO_LARGE),
        (is_broken | is_beyond_end, rule.UNREADABLE),
        (tf.cumsum(scans, 1) > rule.MAX_SCANS, rule.TOO_LARGE),
    )
    status = tf.where(files.is_png[:, tf.newaxis], of_png, of_jpeg)
    return tf.where(parts.name >= 0, status, rule.READ), is_frame


def _frame_size(files: _Files, parts: _Parts, is_frame: tf.Tensor) -> tf.Tensor:
    """Returns the size that a JPEG states, [B, 2]; -1 where it does not."""
    frame = tf.where(is_frame & parts.is_sound, parts.start, -1)
    frame = tf.reduce_max(frame, 1)[:, tf.newaxis]
    places = frame + tf.range(5, 9, dtype=tf.int64)
    sides = tf.cast(byte_strings.at(files.data, places), tf.int64)
    sides = tf.reshape(sides, [-1, 2, 2])
    size = sides[..., 0] * 256 + sides[..., 1]
    return tf.where(frame >= 0, size, -1)


def _decodable(files: _Files, parts: _Parts, is_read: tf.Tensor) -> tf.Tensor:
    """Joins what stands between the parts of a PNG that are left out."""
    # A capital begins the name of what a decoder must know.
    is_kept = tf.equal(
        tf.bitwise.bitwise_and(parts.name, rule.SMALL_LETTER << 24), 0
    )
    is_kept |= files.is_jpeg[:, tf.newaxis]
    is_kept &= parts.is_sound & is_read[:, tf.newaxis]
    is_after = tf.pad(is_kept, [[0, 0], [1, 1]])
    first = tf.where(is_kept & ~is_after[:, :-2])
    last = tf.where(is_kept & ~is_after[:, 2:])
    # The first part stands behind the bytes that every file begins with.
    start = tf.where(
        tf.equal(first[:, 1], 0),
        tf.gather(files.start, first[:, 0]),
        tf.gather_nd(parts.start, first),
    )
    runs = tf.map_fn(
        lambda run: tf.strings.substr(files.joined, run[0], run[1]),
        tf.stack([start, tf.gather_nd(parts.end, last) - start], 1),
        fn_output_signature=tf.TensorSpec([], tf.string),
        parallel_iterations=1,
    )
    return tf.strings.unsorted_segment_join(runs, first[:, 0], tf.size(is_read))


def _notes(files: _Files, parts: _Parts) -> tf.Tensor:
    """Where notes stand in their files, int64 [B, notes, 2]."""
    is_exif = tf.equal(parts.name, _number_of(rule.PNG_EXIF))
    is_text = _is_one_of(parts.name, [_number_of(text) for text in rule.TEXTS])
    is_png = files.is_png[:, tf.newaxis]
    is_candidate = tf.where(
        is_png,
        is_exif | is_text,
        tf.equal(parts.name, rule.APPLICATION_1),
    )
    places = tf.where(is_candidate & parts.is_sound)
    count = tf.size(files.is_png, tf.int64)

    def found() -> tf.Tensor:
        rows = places[:, 0]
        of_png = tf.gather(files.is_png, rows)
        start = tf.gather_nd(parts.start, places) + 4
        end = tf.gather_nd(parts.end, places)
        end = tf.where(of_png, end - 4, end)
        at_exif = tf.gather_nd(is_exif, places)

        def stands(text: bytes, at: int) -> tf.Tensor:
            return byte_strings.stands_at(files.data, text, start + at, end)

        is_text = of_png & ~at_exif
        kinds = {
            JPEG_EXIF: ~of_png & stands(rule.EXIF_START, 0),
            JPEG_XMP: ~of_png & stands(rule.XMP_START, 0),
            PNG_EXIF: of_png & at_exif,
            PNG_RAW_PROFILE: is_text & stands(rule.PNG_RAW_PROFILE, 4),
            PNG_XMP: is_text & stands(rule.PNG_XMP, 4),
        }
        number = tf.size(rows)
        # The first of a kind counts; behind the last there is none.
        numbers = tf.stack(
            [
                tf.math.unsorted_segment_min(
                    tf.where(kinds[kind], tf.range(number), number), rows, count
                )
                for kind in range(_NUM_NOTES)
            ],
            1,
        )
        spans = tf.stack([start, end], 1)
        spans -= tf.gather(files.start, rows)[:, tf.newaxis]
        spans = tf.pad(spans, [[0, 1], [0, 0]])
        return tf.gather(spans, tf.minimum(numbers, number))

    return tf.cond(
        tf.size(places) > 0,
        found,
        lambda: tf.zeros([count, _NUM_NOTES, 2], tf.int64),
    )


def _with_size(
    status: tf.Tensor, size: tf.Tensor, max_pixels: int
) -> tf.Tensor:
    """What is wrong with the size comes before what is wrong behind it."""
    is_beyond = (tf.reduce_max(size, 1) > rule.MAX_SIDE) | (
        tf.reduce_prod(size, 1) > max_pixels
    )
    is_known = size[:, 0] >= 0
    return _first_fault(
        (is_known & tf.equal(tf.reduce_min(size, 1), 0), rule.UNREADABLE),
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


def _is_one_of(values: tf.Tensor, numbers: Sequence[int]) -> tf.Tensor:
    """Whether each value is one of some numbers."""
    numbers = tf.constant(list(numbers), tf.int64)
    return tf.reduce_any(tf.equal(values[..., tf.newaxis], numbers), -1)


def _number_of(name: bytes) -> int:
    return int.from_bytes(name, "big")
