r"""Names of files as people have them: one rule for every reader and writer.

Names come from many systems: `images\a.jpg` of Windows, `._a.jpg` of a Mac,
bytes that are no UTF-8, letters composed here and decomposed there. Names that
differ on one file system meet on another. What a file holds is never decided
here; see `pictures.picture_names` for what is a picture.
"""

import os
import pathlib
import unicodedata
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TypeVar

from nppnet_tf.errors import UserError

Key = TypeVar("Key", bound=Hashable)

# What systems put into folders of people's own files.
_COMPANIONS = frozenset(
    ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r", "@eadir",
     "#recycle", "$recycle.bin", "system volume information")
)  # fmt: skip
# Hidden files, and what Office keeps beside an open file.
_COMPANION_STARTS = (".", "~$")


def last_part(text: str) -> str:
    r"""Returns the name behind the last separator, "/" or "\\".

    Annotation tools write paths of the machine they ran on.
    """
    return text.replace("\\", "/").rstrip("/").rpartition("/")[2]


def is_companion(name: str) -> bool:
    """Whether a name is a system's own: hidden, or known for it.

    `._a.jpg` and `.DS_Store` of a Mac, `Thumbs.db` of Windows, `@eaDir` of a
    network drive, `~$pose.csv` of an open spreadsheet.
    """
    return name.startswith(_COMPANION_STARTS) or name.lower() in _COMPANIONS


def visible_files(folder: str | os.PathLike[str]) -> list[pathlib.Path]:
    """Returns the files of a folder in order, without hidden companions."""
    return [path for path in visible_children(folder) if path.is_file()]


def visible_children(
    folder: str | os.PathLike[str],
) -> Iterator[pathlib.Path]:
    """Yields what lies in a folder, in order, without hidden companions."""
    for path in sorted(pathlib.Path(folder).iterdir()):
        if not is_companion(path.name):
            yield path


def composed(name: str) -> str:
    """Returns a name with its letters composed (NFC).

    A Mac writes "é" as two characters, others as one; people see one name.
    """
    return unicodedata.normalize("NFC", name)


def meeting_key(name: str) -> str:
    """Returns what two names share that are one on some file system.

    Letters composed, large and small ones alike.
    """
    return composed(composed(name).casefold())


def is_text(name: str) -> bool:
    """Whether a name is UTF-8: others cannot stand in JSON or records."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def as_text(name: str) -> str:
    r"""Returns a name as UTF-8 can hold it: other bytes as `\xb2`."""
    encoded = name.encode("utf-8", "surrogateescape")
    return encoded.decode("utf-8", "backslashreplace")


def require_text(name: str, where: object) -> str:
    """Returns a name that is UTF-8.

    Raises:
        UserError: The bytes of the name are no UTF-8, as in an archive that was
            packed on another system; the message shows them as escapes.
    """
    if not is_text(name):
        raise UserError("name is not UTF-8", where, "a name in UTF-8", name)
    return name


class NameTable(Mapping[str, pathlib.Path]):
    """Finds files by the names that annotations give them.

    A name is looked up as it is, then with its letters composed, so that what
    a Mac wrote is found on Linux. Large and small letters stay different.

    Args:
        paths: Files by name.
    """

    def __init__(self, paths: Mapping[str, pathlib.Path]) -> None:
        self._paths = dict(paths)
        self._composed = {composed(name): name for name in self._paths}

    def __getitem__(self, name: str) -> pathlib.Path:
        if name in self._paths:
            return self._paths[name]
        return self._paths[self._composed[composed(name)]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def refuse_meeting(
    outputs: Iterable[tuple[Key, pathlib.Path]], problem: str
) -> None:
    """Refuses plans in which two sources write one file.

    Args:
        outputs: Pairs of a source and a file that it will write.
        problem: First words of the message, "two pictures write one file".

    Raises:
        UserError: Two files have one name, or would have on a file system
            that takes large and small letters for the same; both sources are
            named.
    """
    sources: dict[tuple[pathlib.Path, str], tuple[Key, pathlib.Path]] = {}
    for source, path in outputs:
        key = (path.parent, meeting_key(path.name))
        other, _ = sources.setdefault(key, (source, path))
        if other != source:
            raise UserError(
                problem,
                path,
                "names of outputs that do not meet",
                f"{other} and {source}",
            )
