"""Bytes in a graph: numbers and texts at positions, checksums.

`data` is a vector of uint8 everywhere; positions are int64 scalars. What lies
outside of the data reads as its border: callers look at lengths.
"""

import tensorflow as tf

# Of a block of a gzip file that is stored as it is (RFC 1951, Sec. 3.2.4).
_MAX_BLOCK_BYTES = 65535
# Deflate, no flags, no time, no system (RFC 1952, Sec. 2.3).
_GZIP_START = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def starts_with(text: tf.Tensor, start: bytes) -> tf.Tensor:
    """Whether a scalar string starts with these bytes."""
    return tf.equal(tf.strings.substr(text, 0, len(start)), start)


def number(
    data: tf.Tensor, position: tf.Tensor | int, num_bytes: int
) -> tf.Tensor:
    """Returns a big-endian number, int64."""
    positions = tf.cast(position, tf.int64) + tf.range(
        num_bytes, dtype=tf.int64
    )
    weights = [256**i for i in reversed(range(num_bytes))]
    values = tf.cast(at(data, positions), tf.int64)
    return tf.reduce_sum(values * tf.constant(weights, tf.int64))


def stands_at(
    data: tf.Tensor, pattern: bytes, start: tf.Tensor, end: tf.Tensor
) -> tf.Tensor:
    """Whether bytes stand at positions [N], all of them before others."""
    positions = start[:, tf.newaxis] + tf.range(len(pattern), dtype=tf.int64)
    is_equal = tf.equal(at(data, positions), list(pattern))
    return tf.reduce_all(is_equal, 1) & (start + len(pattern) <= end)


def from_numbers(values: tf.Tensor) -> tf.Tensor:
    """Returns the scalar string of the bytes 0 to 255 of a vector."""
    table = tf.constant([bytes([value]) for value in range(256)])
    return tf.strings.reduce_join(tf.gather(table, values))


def checked(content: tf.Tensor, checksum: tf.Tensor) -> tf.Tensor:
    """Returns a string whose checksum is right, and fails otherwise.

    TensorFlow has no checksum of its own. Its reader of gzip has: the string
    is made a gzip file of stored blocks, whose checksum is that of PNG.

    Args:
        content: Scalar string, not empty.
        checksum: Scalar string, its CRC-32, four bytes, the highest first.

    Raises:
        tf.errors.DataLossError: The checksum is wrong, when run.
    """
    length = tf.strings.length(content)

    def block(start: tf.Tensor) -> tf.Tensor:
        size = tf.minimum(length - start, _MAX_BLOCK_BYTES)
        is_last = tf.cast(tf.equal(start + size, length), tf.int32)
        low, high = size % 256, size // 256
        header = tf.stack([is_last, low, high, 255 - low, 255 - high])
        text = tf.strings.substr(content, start, size)
        return tf.strings.join([from_numbers(header), text])

    blocks = tf.map_fn(
        block,
        tf.range(0, length, _MAX_BLOCK_BYTES),
        fn_output_signature=tf.TensorSpec([], tf.string),
    )
    reversed_checksum = tf.reverse(tf.io.decode_raw(checksum, tf.uint8), [0])
    sizes = [length // 256**i % 256 for i in range(4)]
    gzip = [
        tf.constant(_GZIP_START),
        tf.strings.reduce_join(blocks),
        from_numbers(tf.cast(reversed_checksum, tf.int32)),
        from_numbers(tf.stack(sizes)),
    ]
    return tf.io.decode_compressed(tf.strings.join(gzip), "GZIP")


def at(data: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Returns the bytes at positions of any shape."""
    last = tf.size(data, tf.int64) - 1
    return tf.gather(data, tf.clip_by_value(positions, 0, last))
