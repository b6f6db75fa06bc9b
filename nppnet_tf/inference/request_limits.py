"""How much one request may hold, and which of its pictures are left out."""

import tensorflow as tf

from nppnet_tf.pictures import picture_structure as rule

# Pictures of a request of the bytes signatures.
MAX_PICTURES = 64

# Of all pictures of a request together, and of its label maps where they are
# padded to one size: as many as four pictures of the largest size have. Making
# one array of them takes twice as many bytes.
MAX_REQUEST_PIXELS = 4 * rule.MAX_PIXELS

# What a client must know of the bounds; see docs/pictures.md.
LIMITS = {
    "pictures": MAX_PICTURES,
    "request_pixels": MAX_REQUEST_PIXELS,
    "pixels": rule.MAX_PIXELS,
    "side": rule.MAX_SIDE,
    "bytes": rule.MAX_BYTES,
    "parts": rule.MAX_PARTS,
    "scans": rule.MAX_SCANS,
}


def few(pictures: tf.Tensor) -> tf.Tensor:
    """Passes on up to `MAX_PICTURES` pictures; refuses more, or none, when run.

    Args:
        pictures: Any tensor [B, ...].
    """
    count = tf.shape(pictures)[0]
    check = tf.debugging.Assert(
        (count >= 1) & (count <= MAX_PICTURES),
        [f"a request holds 1 to {MAX_PICTURES} pictures, this one", count],
    )
    with tf.control_dependencies([check] if check is not None else []):
        return tf.identity(pictures)


def within_request(sizes: tf.Tensor, statuses: tf.Tensor) -> tf.Tensor:
    """Leaves out pictures that are too much for one request.

    The smallest are taken first, so that a large one costs itself.

    Args:
        sizes: Int32 [B, 2], (height, width), of any number where the status is
            not `READ`.
        statuses: Int32 [B].

    Returns:
        The statuses, with `DOES_NOT_FIT` for those left out. The others have
        at most `MAX_REQUEST_PIXELS` together.
    """
    pixels = tf.reduce_prod(tf.cast(sizes, tf.int64), 1)
    pixels = tf.where(tf.equal(statuses, rule.READ), pixels, 0)
    order = tf.argsort(pixels, stable=True)
    fits = tf.cumsum(tf.gather(pixels, order)) <= MAX_REQUEST_PIXELS
    fits = tf.gather(fits, tf.argsort(order))
    return tf.where(fits | (pixels < 1), statuses, rule.DOES_NOT_FIT)


def fit_together(
    sizes: tf.Tensor, statuses: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Leaves out pictures whose label maps do not fit into one array.

    Every label map is padded to the largest height and the largest width: a
    strip that lies and one that stands make a square. Pictures are taken in
    the order of their longer sides, so that an odd one costs itself.

    Args:
        sizes: Int32 [B, 2], (height, width), (0, 0) of what was not read.
        statuses: Int32 [B].

    Returns:
        Both, with `DOES_NOT_FIT` and (0, 0) for those left out. The padded
        array has at most `MAX_REQUEST_PIXELS`.
    """
    limit = MAX_REQUEST_PIXELS // tf.cast(tf.size(statuses), tf.int64)
    order = tf.argsort(tf.reduce_max(sizes, 1), stable=True)

    def take(
        state: tuple[tf.Tensor, tf.Tensor], size: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        larger = tf.maximum(state[0], size)
        fits = tf.reduce_prod(tf.cast(larger, tf.int64)) <= limit
        return tf.where(fits, larger, state[0]), fits

    _, fits = tf.scan(
        take,
        tf.gather(sizes, order),
        (tf.zeros([2], tf.int32), tf.constant(True)),
    )
    fits = tf.gather(fits, tf.argsort(order))
    return (
        tf.where(fits[:, tf.newaxis], sizes, 0),
        tf.where(fits, statuses, rule.DOES_NOT_FIT),
    )
