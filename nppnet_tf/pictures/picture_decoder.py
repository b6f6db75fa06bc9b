"""The one decoder of pictures: of files, of records and of the served graph."""

import tensorflow as tf


def decode(
    decodable: tf.Tensor, is_png: bool | tf.Tensor, channels: int = 3
) -> tf.Tensor:
    """Decodes what `picture_structure` takes of a file to be decodable.

    Args:
        decodable: Scalar string; a JPEG or PNG.
        is_png: Which; scalar.
        channels: 3 for RGB.

    Returns:
        Uint8 [height, width, channels], as stored. Transparency is dropped;
        of 16 bits the higher 8 are taken.

    Raises:
        tf.errors.InvalidArgumentError: It is damaged, when run.
    """
    image = tf.cond(
        tf.convert_to_tensor(is_png),
        lambda: tf.io.decode_png(decodable, channels=channels),
        # The accurate transform is what Pillow uses, and so most programs.
        lambda: tf.io.decode_jpeg(
            decodable, channels=channels, dct_method="INTEGER_ACCURATE"
        ),
    )
    image.set_shape([None, None, channels])
    return image
