"""Pictures and label maps of records: an import path that stays.

    from nppnet_tf.data import images

    pixels = images.decode(record.image_bytes)

Rooms of the package may change; notebooks that decode by this path keep
working. Within the package `pictures.picture_files` is imported.
"""

from nppnet_tf.pictures.picture_files import decode
from nppnet_tf.pictures.picture_files import decode_label_map

__all__ = ["decode", "decode_label_map"]
