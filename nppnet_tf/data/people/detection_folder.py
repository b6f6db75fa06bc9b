"""The folder in which a detector's files of many pictures lie.

A file `<id>.npz` for each picture, and `detector.json` with what they are made
with, so that a folder that was begun goes on with the same detector and no
other. Needs no TensorFlow: what is wrong is told before a detector is loaded.
"""

import json
import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents

FACTS = "detector.json"
SKIPPED = "skipped.txt"


def file_of(output: pathlib.Path, name: str) -> pathlib.Path:
    """Returns the file of a picture's detections, which need not be there."""
    return output / f"{name}.npz"


def by_id(pictures: Sequence[pathlib.Path]) -> dict[str, pathlib.Path]:
    """Returns pictures by their id, the name's stem.

    Args:
        pictures: Paths in any folders.

    Raises:
        UserError: If two of them would have one file of detections.
    """
    file_names.refuse_meeting(
        [(path, file_of(pathlib.Path(), path.stem)) for path in pictures],
        "two pictures of one name",
    )
    return {path.stem: path for path in pictures}


def refuse_foreign_files(
    pictures: Mapping[str, pathlib.Path], output: pathlib.Path
) -> None:
    """Refuses to replace files of a folder that `keep_facts` has not begun.

    Args:
        pictures: Paths of pictures by id.
        output: Folder of the files.

    Raises:
        UserError: Names the first file that would be replaced.
    """
    if os.path.lexists(output / FACTS):
        return
    for name, path in pictures.items():
        if os.path.lexists(file_of(output, name)):
            raise UserError(
                "output would replace what is there",
                file_of(output, name),
                f"a folder that this tool began, with {FACTS}",
                f"a file that would be that of {path}",
            )


def keep_facts(output: pathlib.Path, facts: Mapping[str, Any]) -> None:
    """Writes what the files of a folder are made with.

    Args:
        output: Folder of the files.
        facts: The detector and its settings, plain values.

    Raises:
        UserError: If the files that are there were made in another way.
    """
    path = output / FACTS
    if path.exists():
        made = _read_facts(path)
        for name, value in facts.items():
            if made.get(name) != value:
                raise UserError(
                    "output was made in another way",
                    f"{path}, {name}",
                    f"{value}, or another `output`",
                    made.get(name),
                )
    document = {"format": "nppnet_tf.detector", **facts}
    atomic.write_text(path, json.dumps(document, indent=1) + "\n")


def _read_facts(path: pathlib.Path) -> dict[str, Any]:
    return json_documents.require(
        json_documents.read(path), "an object", path, "what the tool wrote"
    )
