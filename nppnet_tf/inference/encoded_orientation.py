"""How a picture is to be turned, as notes in its file say, in a graph.

The twin of `nppnet_tf.pictures.picture_orientation`: both follow the rule of
`docs/pictures.md`. Fails, when run, where a checksum or a compressed text is
broken. 0 stands for a note that names no orientation.
"""

from collections.abc import Callable

import tensorflow as tf

from nppnet_tf.inference import byte_strings
from nppnet_tf.inference import encoded_structure
from nppnet_tf.inference.encoded_structure import PictureStructure
from nppnet_tf.pictures import picture_orientation as rule
from nppnet_tf.pictures import picture_structure as structure_rule

_NAME_BYTES = 4
_COMPRESSED_NAME = int.from_bytes(b"zTXt", "big")
_INTERNATIONAL_NAME = int.from_bytes(b"iTXt", "big")


def orientation(
    image_bytes: tf.Tensor, structure: PictureStructure
) -> tf.Tensor:
    """Returns the EXIF orientation of a file, 1 to 8.

    Args:
        image_bytes: Scalar string, the file.
        structure: Structure of the picture, with the status `READ`.

    Raises:
        tf.errors.OpError: A note's checksum or compression is broken, when
            run.
    """

    def of_segment(
        note: int, read: Callable[[tf.Tensor], tf.Tensor]
    ) -> tf.Tensor:
        start, end = tf.unstack(structure.notes[note])
        return _if_there(end, lambda: read(_part(image_bytes, start, end)))

    def of_chunk(
        note: int, read: Callable[[tf.Tensor], tf.Tensor]
    ) -> tf.Tensor:
        start, end = tf.unstack(structure.notes[note])
        return _if_there(
            end,
            lambda: read(
                byte_strings.checked(
                    _part(image_bytes, start, end),
                    _part(image_bytes, end, end + 4),
                )
            ),
        )

    def of_png() -> tf.Tensor:
        return _first(
            of_chunk(encoded_structure.PNG_EXIF, _of_exif_chunk),
            of_chunk(encoded_structure.PNG_RAW_PROFILE, _of_raw_profile),
            of_chunk(encoded_structure.PNG_XMP, _of_xmp_chunk),
        )

    def of_jpeg() -> tf.Tensor:
        return _first(
            of_segment(encoded_structure.JPEG_EXIF, of_exif),
            of_segment(encoded_structure.JPEG_XMP, of_xmp),
        )

    is_there = tf.reduce_any(structure.notes > 0)
    return tf.cond(
        is_there,
        lambda: tf.cond(structure.is_png, of_png, of_jpeg),
        lambda: tf.constant(rule.UPRIGHT),
    )


def of_exif(block: tf.Tensor) -> tf.Tensor:
    """Returns what an EXIF block says, scalar string, int32."""
    has_start = byte_strings.starts_with(block, rule.EXIF_START)
    start = tf.where(has_start, len(rule.EXIF_START), 0)
    block = tf.strings.substr(block, start, tf.strings.length(block))
    little, big = (
        byte_strings.starts_with(block, mark) for mark in rule.TIFF_STARTS
    )
    return tf.cond(
        (little | big) & (tf.strings.length(block) >= 8),
        lambda: _of_directory(tf.io.decode_raw(block, tf.uint8), little),
        lambda: tf.constant(0),
    )


def of_xmp(packet: tf.Tensor) -> tf.Tensor:
    """Returns what an XMP packet says, scalar string, int32."""
    packet = tf.strings.substr(packet, 0, rule.MAX_NOTE_BYTES)
    # Behind the end there is nothing to be found.
    packet = tf.strings.join([packet, b"\0" * (len(rule.XMP_NAME) + 3)])
    data = tf.io.decode_raw(packet, tf.uint8)
    count = tf.size(data) - len(rule.XMP_NAME) - 2

    def behind(offset: int) -> tf.Tensor:
        return data[offset : offset + count]

    is_name = tf.fill([count], True)
    for offset, byte in enumerate(rule.XMP_NAME):
        is_name &= tf.equal(behind(offset), byte)
    following = [behind(len(rule.XMP_NAME) + offset) for offset in range(3)]
    is_element = tf.equal(following[0], ord(">")) & _is_digit(following[1])
    is_quote = tf.equal(following[1], ord('"')) | tf.equal(
        following[1], ord("'")
    )
    is_attribute = (
        tf.equal(following[0], ord("=")) & is_quote & _is_digit(following[2])
    )
    digits = tf.where(is_element, following[1], following[2])
    found = tf.boolean_mask(digits, is_name & (is_element | is_attribute))
    value = tf.cast(tf.concat([found, [ord("0")]], 0)[0], tf.int32)
    return _known(value - ord("0"))


def _of_exif_chunk(chunk: tf.Tensor) -> tf.Tensor:
    return of_exif(_content(chunk))


def _of_xmp_chunk(chunk: tf.Tensor) -> tf.Tensor:
    return of_xmp(_text_of(chunk, len(structure_rule.PNG_XMP)))


def _of_raw_profile(chunk: tf.Tensor) -> tf.Tensor:
    """A text chunk with EXIF in hexadecimal, behind three lines."""
    text = _text_of(chunk, len(structure_rule.PNG_RAW_PROFILE))
    text = tf.strings.substr(text, 0, rule.MAX_NOTE_BYTES)
    data = tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int32)
    is_line_end = tf.cast(tf.equal(data, ord("\n")), tf.int32)
    is_behind = tf.cumsum(is_line_end) >= rule.PROFILE_LINES
    digits = tf.gather(_HEXADECIMAL, data)
    digits = tf.boolean_mask(digits, is_behind & (digits >= 0))
    pairs = tf.reshape(digits[: tf.size(digits) // 2 * 2], [-1, 2])
    return of_exif(byte_strings.from_numbers(pairs[:, 0] * 16 + pairs[:, 1]))


# The value of every byte as a hexadecimal digit, -1 of others.
_HEXADECIMAL = [
    int(chr(byte), 16) if chr(byte) in "0123456789abcdefABCDEF" else -1
    for byte in range(256)
]


def _text_of(chunk: tf.Tensor, key_bytes: int) -> tf.Tensor:
    """Returns the text of a text chunk whose key is known, inflated.

    Args:
        chunk: Name and content of the chunk.
        key_bytes: Bytes of the key with the zero behind it.
    """
    data = tf.io.decode_raw(chunk, tf.uint8)
    name = byte_strings.number(data, 0, _NAME_BYTES)
    is_deflated = tf.equal(name, _COMPRESSED_NAME)
    is_international = tf.equal(name, _INTERNATIONAL_NAME)
    at = _NAME_BYTES + key_bytes
    flag = byte_strings.number(data, at, 1)
    is_flagged = tf.equal(flag, 1) & (tf.size(data) > at)
    length = tf.strings.length(chunk)
    start = tf.where(is_deflated, at + 1, at)
    start = tf.where(is_international, _behind_two_zeros(data, at + 2), start)
    start = tf.minimum(start, length)
    text = tf.strings.substr(chunk, start, length - start)
    return tf.cond(
        is_deflated | (is_international & is_flagged),
        lambda: _inflated(text),
        lambda: text,
    )


def _behind_two_zeros(data: tf.Tensor, start: int) -> tf.Tensor:
    """Where the text of an iTXt chunk begins; its end where it has none."""
    zeros = tf.where(tf.equal(data[start:], 0))[:, 0] + start + 1
    end = tf.size(data, tf.int64)
    return tf.cast(tf.concat([zeros, [end, end]], 0)[1], tf.int32)


def _inflated(text: tf.Tensor) -> tf.Tensor:
    length = tf.strings.length(text)
    return tf.cond(
        (length > 0) & (length <= rule.MAX_DEFLATED_BYTES),
        lambda: tf.io.decode_compressed(text, "ZLIB"),
        lambda: tf.constant(""),
    )


def _of_directory(data: tf.Tensor, is_little_endian: tf.Tensor) -> tf.Tensor:
    """The first entry of the first directory that has the right tag."""

    def numbers(positions: tf.Tensor, num_bytes: int) -> tf.Tensor:
        values = [
            tf.cast(byte_strings.at(data, positions + i), tf.int64)
            for i in range(num_bytes)
        ]
        little = sum(v * 256**i for i, v in enumerate(values))
        big = sum(v * 256**i for i, v in enumerate(reversed(values)))
        return tf.where(is_little_endian, little, big)

    count = tf.size(data, tf.int64)
    directory = numbers(tf.constant(4, tf.int64), 4)
    num_entries = tf.reduce_min(
        tf.stack(
            [
                numbers(directory, 2),
                (count - directory - 2) // rule.ENTRY_BYTES,
                tf.constant(rule.MAX_ENTRIES, tf.int64),
            ]
        )
    )
    entries = tf.range(tf.maximum(num_entries, 0)) * rule.ENTRY_BYTES
    entries += directory + 2
    entries = tf.boolean_mask(entries, tf.equal(numbers(entries, 2), rule.TAG))
    entry = entries[:1]
    kind = numbers(entry + 2, 2)
    is_one = tf.equal(numbers(entry + 4, 4), 1)
    short = tf.where(tf.equal(kind, rule.SHORT), numbers(entry + 8, 2), 0)
    long = tf.where(tf.equal(kind, rule.LONG), numbers(entry + 8, 4), 0)
    value = tf.reduce_sum(tf.where(is_one, short + long, 0))
    return _known(tf.cast(tf.minimum(value, 9), tf.int32))


def _if_there(end: tf.Tensor, read: Callable[[], tf.Tensor]) -> tf.Tensor:
    return tf.cond(end > 0, read, lambda: tf.constant(0))


def _part(
    image_bytes: tf.Tensor, start: tf.Tensor, end: tf.Tensor
) -> tf.Tensor:
    return tf.strings.substr(image_bytes, start, end - start)


def _content(chunk: tf.Tensor) -> tf.Tensor:
    return tf.strings.substr(chunk, _NAME_BYTES, tf.strings.length(chunk))


def _first(*orientations: tf.Tensor) -> tf.Tensor:
    result = tf.constant(rule.UPRIGHT)
    for value in reversed(orientations):
        result = tf.where(value > 0, value, result)
    return result


def _is_digit(data: tf.Tensor) -> tf.Tensor:
    return (data >= ord("0")) & (data <= ord("9"))


def _known(value: tf.Tensor) -> tf.Tensor:
    return tf.where((value >= 1) & (value <= 8), value, 0)
