"""The formats of output by name: one line for each."""

from collections.abc import Callable

from nppnet_tf.outputs.own_files import OwnFiles
from nppnet_tf.outputs.writer import Settings
from nppnet_tf.outputs.writer import Writer

FILES = "files"

FORMATS: dict[str, Callable[[Settings], Writer]] = {
    FILES: OwnFiles,
}
