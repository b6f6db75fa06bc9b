"""Flag files: what `--flagfile=FILE` stands for.

A flag file holds a flag on every line, as on the command line; lines that
begin with # or // are comments, and a line --flagfile=OTHER takes in another
file, named from the working directory. The rules are absl's. Its own reader
takes text of one encoding alone, any size, and files that take in themselves;
this one takes what `text_files` takes, and words know the file and the line
that they come from, for messages.
"""

import os
import re
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Self

from absl import flags

from nppnet_tf.errors import UserError
from nppnet_tf.files import text_files

# Experiments have some dozens of flags.
_MAX_BYTES = 1 << 20

# With those that they take in.
_MAX_FILES = 100

_FLAG = "flagfile"
_NAMES = (f"--{_FLAG}", f"-{_FLAG}")
_COMMENTS = ("#", "//")


class FileWord(str):
    """A word of a flag file.

    Args:
        word: The word.
        place: File and line of the flag, for messages.
    """

    place: str

    def __new__(cls, word: str, place: str) -> Self:
        self = super().__new__(cls, word)
        self.place = place
        return self


def expand(words: Sequence[str]) -> list[str]:
    """Puts the flags of flag files in the place of `--flagfile=FILE`.

    Those of files are of the class `FileWord`.

    Args:
        words: Words of a command line, without the program.

    Raises:
        UserError: A file is not named, cannot be read, is no text, or takes in
            itself.
    """
    reader = _Reader()
    expanded: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*expanded, word, *left]
        if word in _NAMES:
            word = f"--{_FLAG}={left.pop(0) if left else ''}"
        path = _file_of(word)
        if path is not None:
            expanded += reader.words(path)
            continue
        expanded.append(word)
        if left and _takes_next(word, left[0]):
            expanded.append(left.pop(0))
    return expanded


def shown(word: str) -> str:
    """Returns a word, with its place where it comes from a file."""
    return f"{word} ({word.place})" if isinstance(word, FileWord) else word


def place_of(
    words: Iterable[str], message: str, by_name: bool = False
) -> str | None:
    """Returns where the flag stands that a message is about.

    Args:
        words: Words of the command line, as `expand` returns them.
        message: What is wrong.
        by_name: Whether the flag is searched by its name where no word stands
            in the message as a whole: the message is of absl.

    Returns:
        File and line, or None where it comes from no flag file.
    """
    named = [(_name_of(word), word) for word in words if word.startswith("-")]
    in_files = [each for each in named if isinstance(each[1], FileWord)]
    for _, word in in_files:
        whole = re.escape(f"--{word.lstrip('-')}")
        if "=" in word and re.search(f"{whole}(?![^;:,])", message):
            return word.place
    typed = {name for name, word in named if not isinstance(word, FileWord)}
    # Of several of one name, the last one counts.
    for name, word in reversed(in_files if by_name else []):
        if name not in typed and re.search(
            rf"(--|flag '|^flags .*\b){re.escape(name)}(?!\w)", message
        ):
            return word.place
    return None


def place_of_name(words: Iterable[str], name: str) -> str | None:
    """Returns where a flag stands, by its name; None for no flag file.

    Args:
        words: Words of the command line, as `expand` returns them.
        name: Name of the flag. Of several, the first counts.
    """
    for word in words:
        if word.startswith("-") and _name_of(word) == name:
            return word.place if isinstance(word, FileWord) else None
    return None


def lines(path: str | os.PathLike[str]) -> list[FileWord]:
    """Returns the lines of one flag file without comments and empty ones.

    Raises:
        UserError: It cannot be read or is no text.
    """
    text = text_files.read(path, _MAX_BYTES)
    stripped = (line.strip() for line in text.split("\n"))
    return [
        FileWord(line, f"{path} line {number}")
        for number, line in enumerate(stripped, start=1)
        if line and not line.startswith(_COMMENTS)
    ]


class _Reader:
    """Reads files and those that they take in, not without end."""

    def __init__(self) -> None:
        self._num_files = 0

    def words(self, name: str, users: tuple[str, ...] = ()) -> list[str]:
        """Returns the flags of a file that others, the users, take in."""
        path = os.path.expanduser(name.strip())
        if not path:
            raise UserError("flag is empty", f"--{_FLAG}", "a file", "nothing")
        if path in users:
            raise UserError(
                "flag file takes in itself",
                path,
                "files that end",
                " -> ".join((*users, path)),
            )
        self._num_files += 1
        if self._num_files > _MAX_FILES:
            raise UserError(
                "too many flag files", path, f"at most {_MAX_FILES}", "more"
            )
        found: list[str] = []
        for line in lines(path):
            inner = _file_of(line)
            if inner is None:
                found.append(line)
            else:
                found += self.words(inner, (*users, path))
        return found


def _name_of(word: str) -> str:
    return word.lstrip("-").partition("=")[0]


def _file_of(word: str) -> str | None:
    """The file of `--flagfile=FILE`, None where the word is another flag."""
    name, separator, path = word.partition("=")
    return path if separator and name in _NAMES else None


def _takes_next(word: str, after: str) -> bool:
    """Whether the next word is the value of this flag, as in `--seed 1`."""
    name = word.lstrip("-")
    if not word.startswith("-") or "=" in word or after.startswith("-"):
        return False
    return name in flags.FLAGS and not flags.FLAGS[name].boolean
