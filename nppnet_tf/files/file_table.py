"""Finds the files of a folder by the ids that annotations give pictures.

A folder is listed once. An id is the name of a file without its ending, in
UTF-8: bytes of a name that are none stand in it as escapes. Letters may be
composed here and decomposed there, endings written large; hidden companions
(`._a.png` of a Mac) are no files of the data set.
"""

import collections
import os
import pathlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from nppnet_tf.files import file_names


class FileTable(Mapping[str, pathlib.Path]):
    """Files of some endings by id.

    Attributes:
        folder: The folder, which may be missing: then it holds nothing.
        doubled: Ids of which there are several files, and these.

    Args:
        folder: Folder with the files.
        endings: Endings in small letters; of several files of one id, the first
            ending is preferred.
    """

    def __init__(
        self, folder: str | os.PathLike[str], endings: Sequence[str]
    ) -> None:
        self.folder = pathlib.Path(folder)
        groups: dict[str, list[pathlib.Path]] = collections.defaultdict(list)
        for path in files_in(self.folder):
            if path.suffix.lower() in endings:
                groups[id_of(path)].append(path)
        for paths in groups.values():
            paths.sort(key=lambda path: endings.index(path.suffix.lower()))
        self.doubled = {
            name: tuple(paths)
            for name, paths in groups.items()
            if len(paths) > 1
        }
        self._paths = file_names.NameTable(
            {name: paths[0] for name, paths in groups.items()}
        )

    def __getitem__(self, name: str) -> pathlib.Path:
        return self._paths[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def id_of(path: pathlib.Path) -> str:
    """Returns the id of a file: its name without ending, as UTF-8."""
    return file_names.as_text(path.stem)


def files_in(folder: str | os.PathLike[str]) -> list[pathlib.Path]:
    """Returns what is no folder in a folder, in order; links to nothing too.

    A link to nothing is a file that is missed, not one that nobody asked for.
    """
    if not os.path.isdir(folder):
        return []
    return [
        path
        for path in file_names.visible_children(folder)
        if not path.is_dir()
    ]
