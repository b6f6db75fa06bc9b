"""Folders of a format that is of many pictures, such as a data set's layout.

A file says which pictures and which format a folder was begun for, so that the
same command goes over it again and no other replaces what is there.
"""

import json
import os
import pathlib
import unicodedata
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import picture_outputs
from nppnet_tf.files import atomic
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents
from nppnet_tf.files import output_names
from nppnet_tf.outputs.writer import Names
from nppnet_tf.outputs.writer import Settings
from nppnet_tf.pictures import picture_names

FILE = "predictions.json"
_FORMAT = "nppnet_tf.predictions"

# Controls, bytes that are no UTF-8, ends of lines and paragraphs.
_UNLISTED = frozenset({"Cc", "Cs", "Zl", "Zp"})


class OutputFolder:
    """The folder of one format.

    Args:
        folder: Path of it.
        layout: Name of the format.
        ending: Longest ending of a file of a picture.
        taken: Names of files that are of no picture.
        has_words: Whether names in the lists of this format end at a blank.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        layout: str,
        ending: str,
        taken: Sequence[str] = (),
        has_words: bool = False,
    ) -> None:
        self.folder = folder
        self._layout = layout
        self._ending = ending
        self._taken = taken
        self._has_words = has_words
        self._document: dict | None = None

    def plan(
        self, pictures: Sequence[pathlib.Path]
    ) -> Mapping[pathlib.Path, str]:
        """Returns what the files of each picture begin with.

        Args:
            pictures: Paths of pictures of different names.

        Raises:
            UserError: If there are files in the folder that were not made of
                the same pictures in this format.
        """
        picture_outputs.refuse_input_folder(self.folder, pictures)
        names = [path.name for path in pictures]
        starts = output_names.plan(
            names, [self._ending], self._taken, self._listed
        )
        self._document = {
            "format": _FORMAT,
            "layout": self._layout,
            "pictures": sorted(map(file_names.as_text, names)),
        }
        self._refuse_other()
        return {path: starts[path.name] for path in pictures}

    def begin(self) -> None:
        """Writes what the folder is for."""
        text = json.dumps(self._document, indent=1) + "\n"
        atomic.write_text(self.folder / FILE, text)

    def _listed(self, start: str) -> str:
        """The beginning of a name as lists of the folder give it back."""
        words = start.split() if self._has_words else [start]
        letters = [
            "_"
            if letter == "\\" or unicodedata.category(letter) in _UNLISTED
            else letter
            for letter in "_".join(words) or "_"
        ]
        # What reads lists takes blanks at the ends and endings of pictures off.
        for place in (0, -1):
            if letters[place].isspace():
                letters[place] = "_"
        found = "".join(letters)
        if picture_names.is_picture_name(found):
            found = found.replace(".", "_")
        return found

    def _refuse_other(self) -> None:
        path = self.folder / FILE
        if not os.path.lexists(path):
            if self.folder.is_dir() and any(self.folder.iterdir()):
                raise UserError(
                    "output would be mixed with what is there",
                    f"`output`={self.folder}",
                    "an empty folder",
                    next(self.folder.iterdir()).name,
                )
            return
        if json_documents.read(path) != self._document:
            raise UserError(
                "output was made in another way",
                path,
                f"the same pictures and `format`={self._layout}, or another "
                "`output`",
                "others",
            )


class FolderWriter:
    """What writers of such a folder do alike; see `writer.Writer`.

    Args:
        settings: What writers are told.
        layout: Name of the format.
        ending: Longest ending of a file of a picture.
        **options: More arguments of `OutputFolder`.
    """

    def __init__(
        self, settings: Settings, layout: str, ending: str, **options: Any
    ) -> None:
        self._output = OutputFolder(settings.output, layout, ending, **options)
        self._names: Names | None = None

    @property
    def _folder(self) -> pathlib.Path:
        return self._output.folder

    def plan(
        self, pictures: Sequence[pathlib.Path]
    ) -> Mapping[pathlib.Path, str]:
        """Returns what the files of each picture begin with."""
        return self._output.plan(pictures)

    def begin(self, names: Names) -> None:
        """Takes what the numbers mean."""
        self._names = names
        self._output.begin()

    def finish(self) -> None:
        """Writes the files of all pictures; there are none."""
