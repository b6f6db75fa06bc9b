"""The formats of output by name: one line for each."""

from collections.abc import Callable

from nppnet_tf.outputs.coco_folder import CocoFolder
from nppnet_tf.outputs.labelme_files import LabelmeFiles
from nppnet_tf.outputs.lip_folder import LipFolder
from nppnet_tf.outputs.openpose_files import OpenposeFiles
from nppnet_tf.outputs.own_files import OwnFiles
from nppnet_tf.outputs.tryon_folder import TryonFolder
from nppnet_tf.outputs.writer import Settings
from nppnet_tf.outputs.writer import Writer

FILES = "files"

FORMATS: dict[str, Callable[[Settings], Writer]] = {
    FILES: OwnFiles,
    "coco": CocoFolder,
    "labelme": LabelmeFiles,
    "lip": LipFolder,
    "openpose": OpenposeFiles,
    "tryon": TryonFolder,
}
