"""What pictures are called: one list of endings for every reader.

Only JPEG and PNG are read. Files that are pictures of another kind by their
names are not passed over: readers and tools name and count them, by
`unsupported_pictures` and `unsupported_line`. Large and small letters are
alike: `.JPG` of a camera, `.Jpg` of somebody's script.

    for path in picture_names.pictures_in(folder): ...
    others = picture_names.unsupported_pictures(folder)
    if others: say(picture_names.unsupported_line(others))
"""

import os
import pathlib
from collections.abc import Callable
from collections.abc import Sequence

from nppnet_tf.files import file_names

# In the order in which one of two files of a stem is preferred.
ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png")

# Of pictures that other programs read.
UNSUPPORTED_ENDINGS = frozenset(
    ".gif .bmp .dib .webp .tif .tiff .heic .heif .avif .jxl .jp2 .j2k .jpf .jpx"
    " .ppm .pgm .pbm .pnm .tga .psd .ico .svg .exr .hdr .pcx .sgi .dng .cr2"
    " .cr3 .nef .arw .raf .orf .rw2 .pjp .pjpeg .apng .mpo".split()
)

_NAMED = 5
# Levels of folders that are counted below one that nobody reads.
_DEEPEST = 2


def is_picture_name(name: str | os.PathLike[str]) -> bool:
    """Whether a file is a JPEG or PNG by its name's ending."""
    return _ending(name) in ENDINGS


def is_unsupported_name(name: str | os.PathLike[str]) -> bool:
    """Whether a file is a picture of a kind that is not read, by its name."""
    return _ending(name) in UNSUPPORTED_ENDINGS


def stem_of(name: str) -> str:
    """Returns a name without the ending of a picture, if it has one.

    The name of a person's record may hold dots: only endings of pictures go.
    """
    start, ending = os.path.splitext(name)
    return start if ending.lower() in ENDINGS else name


def pictures_in(folder: str | os.PathLike[str]) -> list[pathlib.Path]:
    """Returns the JPEG and PNG files of a folder by name, in order.

    Hidden companions (`._a.jpg`) are no pictures. Links to nothing are listed,
    too: what has a picture's name is not passed over.
    """
    return [
        path
        for path in file_names.visible_children(folder)
        if is_picture_name(path) and not path.is_dir()
    ]


def unsupported_pictures(
    folder: str | os.PathLike[str],
) -> list[pathlib.Path]:
    """Returns the pictures of other kinds in a folder by name, in order."""
    return [
        path
        for path in file_names.visible_files(folder)
        if is_unsupported_name(path)
    ]


def unsupported_line(paths: Sequence[pathlib.Path]) -> str:
    """Returns the line that counts pictures that are not read and names some.

    Args:
        paths: Paths, at least one.
    """
    names = ", ".join(path.name for path in paths[:_NAMED])
    rest = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    count = f"{len(paths)} picture{'s' if len(paths) > 1 else ''}"
    return f"{count} neither JPEG nor PNG by name, not read: {names}{rest}"


def line_of_folders(
    folder: str | os.PathLike[str],
    passed_over: Callable[[pathlib.Path], bool] = lambda path: False,
) -> str:
    """Returns the line on pictures in folders of a folder, which nobody reads.

    Args:
        folder: The folder that is read.
        passed_over: Tells of a folder in it whether it holds something else.

    Returns:
        Empty where there are none.
    """
    counts = {
        path.name: len(_pictures_below(path, _DEEPEST))
        for path in file_names.visible_children(folder)
        if path.is_dir() and not path.is_symlink() and not passed_over(path)
    }
    found = [f"{name}/ ({count})" for name, count in counts.items() if count]
    if not found:
        return ""
    rest = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    names = ", ".join(found[:_NAMED])
    return f"pictures in folders of the folder, not read: {names}{rest}"


def _pictures_below(
    folder: pathlib.Path, num_levels: int
) -> list[pathlib.Path]:
    try:
        children = list(file_names.visible_children(folder))
    except OSError:
        return []
    found = [
        path for path in children if is_picture_name(path) and not path.is_dir()
    ]
    if num_levels:
        for path in children:
            if path.is_dir() and not path.is_symlink():
                found += _pictures_below(path, num_levels - 1)
    return found


def find_picture(folder: pathlib.Path, stem: str) -> pathlib.Path:
    """Returns the picture of a stem; the usual path where there is none.

    Args:
        folder: Where to look; the usual spellings of endings are tried.
        stem: Name without ending.
    """
    for ending in ENDINGS:
        for spelling in (ending, ending.upper(), ending.title()):
            path = folder / f"{stem}{spelling}"
            if path.is_file():
                return path
    return folder / f"{stem}{ENDINGS[0]}"


def _ending(name: str | os.PathLike[str]) -> str:
    return pathlib.PurePath(name).suffix.lower()
