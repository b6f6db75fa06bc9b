"""Pictures and videos as people name them: files, folders, patterns."""

import dataclasses
import glob
import os
import pathlib
from collections.abc import Sequence

from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.pictures import picture_names

_SIGNS = frozenset("*?[")

_VIDEO_ENDINGS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg")
_VIDEO_ENDINGS += (".mpeg", ".mts", ".m2ts", ".wmv", ".flv", ".ogv", ".3gp")


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What the words of a command line lead to.

    Attributes:
        pictures: Files to read, of different names.
        videos: Files that are videos by their names.
        others: Pictures of kinds that are not read by their names.
        notes: A line for each folder in which there are folders of pictures.
    """

    pictures: list[pathlib.Path]
    videos: list[pathlib.Path]
    others: list[pathlib.Path]
    notes: list[str] = dataclasses.field(default_factory=list)


def find(words: Sequence[str]) -> Inputs:
    """Finds pictures and videos.

    A file is taken as it is, a folder for what is in it, and a pattern (`*`,
    `?`, `[...]`, also `**`) that is no file's name for what it matches.

    Args:
        words: Paths and patterns, at least one.

    Raises:
        UserError: If one of them leads to nothing, or two files have one
            name.
    """
    # A path of nothing would be the working directory.
    if not words or not all(word.strip() for word in words):
        raise UserError(
            "wrong number of arguments",
            expected="pictures, folders, patterns or videos",
            found=" ".join(words) or "nothing",
        )
    pictures, videos, others = [], [], []
    for word in words:
        for path in _paths_of(word):
            if path.suffix.lower() in _VIDEO_ENDINGS:
                videos.append(path)
            elif str(path) != word and picture_names.is_unsupported_name(path):
                others.append(path)
            else:
                pictures.append(path)
    notes = [
        f"{word}: {line}"
        for word in dict.fromkeys(words)
        if os.path.isdir(word) and (line := picture_names.line_of_folders(word))
    ]
    if not pictures and not videos:
        found = ", ".join(notes) or "none"
        if others:
            found = picture_names.unsupported_line(others)
        raise UserError(
            "no pictures", ", ".join(words), "JPEG or PNG files", found
        )
    found = Inputs(*map(_each_once, (pictures, videos, others)), notes)
    for paths in (found.pictures, found.videos):
        _refuse_one_name(paths)
    return found


def _paths_of(word: str) -> list[pathlib.Path]:
    """The files of a word: pictures and videos, unless it names a file."""
    path = pathlib.Path(word)
    matches = [path] if path.exists() else []
    if not matches and _SIGNS & set(word):
        # Links to nothing among them are named later, as those of a folder.
        matches = list(
            map(pathlib.Path, sorted(glob.glob(word, recursive=True)))
        )
    if not matches:
        raise UserError("not found", word, "a picture, a folder or a video")
    if matches == [path] and not path.is_dir():
        return matches
    found = []
    for match in matches:
        if not match.is_dir():
            found += [match] if _is_fit(match) else []
        elif match == path:
            found += filter(_is_fit, file_names.visible_children(match))
    return found


def _is_fit(path: pathlib.Path) -> bool:
    """Whether a file is a picture or video by its name."""
    return not path.is_dir() and (
        picture_names.is_picture_name(path)
        or picture_names.is_unsupported_name(path)
        or path.suffix.lower() in _VIDEO_ENDINGS
    )


def _each_once(paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """The files, one of those that are named in two ways."""
    named: dict[tuple[str, str], pathlib.Path] = {}
    for path in paths:
        # A link that leads to itself is no error here, unlike in `resolve`.
        named.setdefault((os.path.realpath(path), path.name), path)
    return list(named.values())


def _refuse_one_name(paths: Sequence[pathlib.Path]) -> None:
    by_name: dict[str, pathlib.Path] = {}
    for path in paths:
        other = by_name.setdefault(path.name, path)
        if other != path:
            raise UserError(
                "two files of one name",
                path.name,
                "names of outputs that do not meet",
                f"{other} and {path}",
            )
