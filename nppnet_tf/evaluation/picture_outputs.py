"""What the files of predicted pictures are called, and what they replace.

`plan` names the files of all pictures before a network is loaded, and refuses
to replace what is no earlier prediction. Needs no TensorFlow.
"""

import os
import pathlib
from collections.abc import Iterable
from collections.abc import Sequence

from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents
from nppnet_tf.files import output_names

# The last one appears first; it says whose the others are.
_DOCUMENT = ".json"
ENDINGS = (".png", "_openpose.json", "_overlay.png", _DOCUMENT)
# Where several people were looked for.
INSTANCES = "_instances.png"
ENDINGS_OF_PEOPLE = (INSTANCES, *ENDINGS)

# A document has some kilobytes.
_MAX_DOCUMENT_BYTES = 1 << 20


def plan(
    pictures: Iterable[pathlib.Path],
    output: pathlib.Path,
    endings: Sequence[str] = ENDINGS,
) -> dict[str, str]:
    """Returns what the files of every picture begin with, by its name.

    Args:
        pictures: Paths of pictures of different names.
        output: Folder of the files.
        endings: What the names of the files of a picture end in.

    Raises:
        UserError: If the folder is one of the pictures', where a label map
            could replace a picture, or if a file would be replaced that is no
            earlier prediction of the same picture.
    """
    pictures = list(pictures)
    refuse_input_folder(output, pictures)
    starts = output_names.plan([path.name for path in pictures], endings)
    for name, start in starts.items():
        _refuse_foreign_files(output, start, name, endings)
    return starts


def refuse_planned(
    coco: pathlib.Path, output: pathlib.Path, starts: Iterable[str]
) -> None:
    """Refuses a file of COCO that is one of those planned for the pictures.

    Args:
        coco: The file, which need not be there.
        output: Folder of the planned files.
        starts: What their names begin with.

    Raises:
        UserError: If both would have one name.
    """
    planned = {
        file_names.meeting_key(f"{start}{ending}")
        for start in starts
        for ending in ENDINGS_OF_PEOPLE
    }
    folder = os.path.dirname(os.path.realpath(coco))
    is_inside = folder == os.path.realpath(output)
    if is_inside and file_names.meeting_key(coco.name) in planned:
        raise UserError(
            "two outputs of one name",
            f"`coco`={coco}",
            "another name than those of the predictions",
            coco.name,
        )


def is_coco(path: pathlib.Path) -> bool:
    """Whether a file holds annotations of COCO."""
    try:
        document = json_documents.read(path)
    except UserError:
        return False
    return isinstance(document, dict) and "annotations" in document


def refuse_input_folder(
    output: pathlib.Path, pictures: Sequence[pathlib.Path]
) -> None:
    """Refuses a folder of pictures for output.

    A label map <stem>.png would replace the picture of that name.

    Args:
        output: Folder of output.
        pictures: Paths of the input.

    Raises:
        UserError: If one of them lies there.
    """
    folder = os.path.realpath(output)
    for path in pictures:
        # Links that lead to themselves are named later, as no pictures.
        if folder in (
            os.path.realpath(path.parent),
            os.path.dirname(os.path.realpath(path)),
        ):
            raise UserError(
                "output would be written among the pictures",
                f"`output`={output}",
                "another folder",
                f"the folder of {path}",
            )


def _refuse_foreign_files(
    output: pathlib.Path, start: str, name: str, endings: Sequence[str]
) -> None:
    """Refuses to replace what is no earlier prediction of the picture."""
    there = [
        output / f"{start}{ending}"
        for ending in endings
        if os.path.lexists(output / f"{start}{ending}")
    ]
    if not there:
        return
    try:
        document = json_documents.read(
            output / f"{start}{_DOCUMENT}", _MAX_DOCUMENT_BYTES
        )
        found = document["image"]
    except (UserError, TypeError, KeyError, IndexError):
        found = "another file"
    if found != file_names.as_text(name):
        raise UserError(
            "output would replace what is there",
            there[0],
            f"nothing, or an earlier prediction of {name}",
            found,
        )
