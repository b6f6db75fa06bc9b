"""The one decoder of pictures: of files, of records and of the served graph."""

import tensorflow as tf


def decode(decodable: tf.Tensor) -> tf.Tensor:
    """Decodes what `picture_structure` takes of a file to be decodable.

    Args:
        decodable: Scalar string; a JPEG or PNG.

    Returns:
        Uint8 [height, width, 3], RGB as stored. Transparency is dropped; of 16
        bits the higher 8 are taken.

    Raises:
        tf.errors.InvalidArgumentError: It is damaged, when run.
    """
    # The operation looks at the first bytes: it decodes PNG as well. The
    # accurate transform is what Pillow uses, and so most programs.
    image = tf.io.decode_jpeg(
        decodable, channels=3, dct_method="INTEGER_ACCURATE"
    )
    return tf.ensure_shape(image, [None, None, 3])
