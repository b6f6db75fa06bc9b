"""What was looked for in a data set and is not there.

A reader says of each task where it looked for annotations and how many of its
samples have one. Where there is none, the nearest thing that does exist is
named: a folder of PNGs of the same names, a table of another name.
"""

import collections
import dataclasses
import difflib
import os
import pathlib
import re
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from nppnet_tf import keys
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import file_table
from nppnet_tf.files import text_files

# What one sample has of each task.
NAMES = {keys.PARSING: "label map", keys.POSE: "pose"}

# What a user may ask for: the tasks that must be there.
TASKS: Mapping[str, tuple[str, ...]] = {
    "both": (keys.PARSING, keys.POSE),
    "parsing": (keys.PARSING,),
    "pose": (keys.POSE,),
    "none": (),
}

_POSE_ENDINGS = (".csv", ".json", ".npz", ".mat")
# What annotation programs and spreadsheets write besides.
_OTHER_POSE_ENDINGS = (".xml", ".xlsx", ".xls", ".ods", ".tsv", ".ndjson",
                       ".jsonl")  # fmt: skip
_LABEL_ENDINGS = (".png", ".mat", ".jpg", ".jpeg", ".bmp", ".gif", ".tif",
                  ".tiff", ".webp", ".npy")  # fmt: skip
_READ_ENDINGS = (".png", ".mat")

# What programs put behind the name of a picture to name its label map.
_AFFIX = re.compile(
    r"[ _.-]*(labels?|labelids|masks?|seg\w*|parsing\w*|gt|ann\w*)\d*$",
    re.IGNORECASE,
)
# JSON of other kinds, a descriptor, lies beside the pictures as well.
_OF_POSES = re.compile(
    r"pose|key.?point|joint|annot|person|skeleton|coco|mpii|lip_", re.IGNORECASE
)
# A folder of pictures of another kind is not taken for label maps.
_OF_LABELS = re.compile(r"label|mask|seg|pars|annot|gt|part", re.IGNORECASE)
_LEAST_CELLS = 12
_ROW_BYTES = 4096
_CLOSE = 0.7
_MAX_FOLDERS = 200
_NAMED = 2


@dataclasses.dataclass(frozen=True)
class Annotations:
    """What the samples of a data set have of one task.

    Attributes:
        found: Samples that have it.
        expected: Samples there are.
        places: Where a reader looks for it.
        is_promised: Whether the layout says that there is some.
        nearest: What is there instead; empty where nothing is near.
    """

    found: int
    expected: int
    places: str
    is_promised: bool = True
    nearest: str = ""


def join(
    parts: Sequence[Mapping[str, Annotations]],
) -> dict[str, Annotations]:
    """Returns the annotations of several folders together."""
    joined = {}
    for task in NAMES:
        each = [part[task] for part in parts if task in part]
        if each:
            nearest = next((one.nearest for one in each if one.nearest), "")
            joined[task] = Annotations(
                sum(one.found for one in each),
                sum(one.expected for one in each),
                each[0].places,
                any(one.is_promised for one in each),
                nearest,
            )
    return joined


def required(
    annotations: Mapping[str, Annotations], tasks: str | None
) -> tuple[str, ...]:
    """Returns the tasks of which there must be something.

    Args:
        annotations: What is annotated, by task.
        tasks: One of `TASKS`; None for those that the layout promises.
    """
    if tasks is not None:
        return TASKS[tasks]
    return tuple(task for task, each in annotations.items() if each.is_promised)


def refuse(
    annotations: Mapping[str, Annotations],
    tasks: Collection[str],
    where: object,
) -> None:
    """Raises UserError where a task that is required has nothing.

    Args:
        annotations: What is annotated, by task.
        tasks: That are required.
        where: Folder of the data set.
    """
    nothing = Annotations(0, 0, "nothing of this layout")
    found = {task: annotations.get(task, nothing) for task in tasks}
    empty = {task: each for task, each in found.items() if not each.found}
    if not empty:
        return
    what = " and ".join(f"no {NAMES[task]}" for task in empty)
    count = max(each.expected for each in empty.values())
    others = [task for task in NAMES if task not in empty]
    wanted = others[0] if len(others) == 1 else "none"
    raise UserError(
        f"{what} of {count} samples",
        where,
        f"{'; '.join(each.places for each in empty.values())}; "
        f"or `tasks`={wanted}",
        "; ".join(each.nearest for each in empty.values() if each.nearest)
        or "nothing like it",
    )


def lines(annotations: Mapping[str, Annotations]) -> Iterator[str]:
    """Yields a line on every task of which there is nothing."""
    for task, each in annotations.items():
        if not each.found:
            nearest = f"; found: {each.nearest}" if each.nearest else ""
            yield (
                f"no {NAMES[task]} of {each.expected} samples; "
                f"looked for: {each.places}{nearest}"
            )


def summary(annotations: Mapping[str, Annotations]) -> str:
    """Returns how many were found of how many samples, by task."""
    return ", ".join(
        f"{each.found} of {each.expected} {NAMES[task]}s"
        for task, each in annotations.items()
    )


def near_label_maps(
    root: pathlib.Path,
    labels: pathlib.Path | None,
    names: Collection[str],
    pictures: pathlib.Path,
    passed_over: Collection[pathlib.Path] = (),
    flag: str = "",
) -> str:
    """Says what could be the label maps of pictures.

    Args:
        root: Folder of the data set.
        labels: Where the reader looked, if there is such a folder.
        names: Ids of the pictures.
        pictures: Folder of the pictures.
        passed_over: Folders that hold something else.
        flag: Names the folder to the reader, where it takes another one.

    Returns:
        A phrase, empty where nothing is near.
    """
    known = set(names)
    if labels is not None and labels.is_dir():
        is_mixed = labels == pictures
        own, _ = _described(labels, root, known, is_mixed)
        if own or not is_mixed:
            return own or f"{_below(labels, root)}/ holds no label map"
    for folder in (root, *folders_below(root)):
        is_mixed = folder in (root, pictures)
        text, is_readable = _described(folder, root, known, is_mixed)
        if text and folder not in passed_over:
            if flag and is_readable:
                text += f": `{flag}`={_below(folder, root)}?"
            return text
    return ""


def near_poses(root: pathlib.Path, expected: Sequence[str]) -> str:
    """Says which files could be the poses of a data set.

    Args:
        root: Folder of the data set.
        expected: Names that the reader looks for.

    Returns:
        A phrase, empty where nothing is near.
    """
    found: dict[bool, list[str]] = {True: [], False: []}
    for folder in (root, *folders_below(root)):
        for path in file_table.files_in(folder):
            ending = path.suffix.lower()
            is_read = ending in _POSE_ENDINGS
            if (is_read or ending in _OTHER_POSE_ENDINGS) and _is_near(
                path, expected
            ):
                found[is_read].append(_below(path, root))
    if read := found[True]:
        # The flag takes a path of its own, not one below the folder.
        return f"{_listed(read)}: `keypoints`={root / read[0]}?"
    if others := found[False]:
        return f"{_listed(others)}, of a kind that is not read"
    return ""


def near_names(root: pathlib.Path, expected: Sequence[str]) -> str:
    """Says which files or folders below a folder have similar names."""
    below = [
        path
        for folder in (root, *folders_below(root))
        for path in file_names.visible_children(folder)
    ]
    found = [
        _below(path, root) + "/" * path.is_dir()
        for path in below
        if _is_close(path.name, expected)
    ]
    return _listed(found)


def folders_below(root: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields folders below one, three deep, not without end.

    Args:
        root: Folder of a data set.
    """
    waiting = [root]
    count = 0
    for _ in range(3):
        level, waiting = waiting, []
        for folder in level:
            for path in _children(folder):
                if path.is_dir() and not path.is_symlink():
                    waiting.append(path)
                    count += 1
                    yield path
                    if count == _MAX_FOLDERS:
                        return


def is_of_labels(folder: pathlib.Path) -> bool:
    """Whether the name of a folder tells of label maps."""
    return bool(_OF_LABELS.search(folder.name))


def _is_near(path: pathlib.Path, expected: Sequence[str]) -> bool:
    name = path.name
    ending = path.suffix.lower()
    if _is_close(name, expected):
        return True
    if ending == ".csv" and _has_many_cells(path):
        return True
    # MATLAB keeps label maps as well.
    return ending != ".mat" and bool(_OF_POSES.search(name))


def _has_many_cells(path: pathlib.Path) -> bool:
    """Whether the first row of a table is as long as one of joints."""
    try:
        text_files.require_regular(path)
        with path.open("rb") as stream:
            row = stream.readline(_ROW_BYTES)
    except (OSError, UserError):
        return False
    return max(map(row.count, (b",", b";", b"\t"))) >= _LEAST_CELLS


def _is_close(name: str, expected: Sequence[str]) -> bool:
    return name not in expected and bool(
        difflib.get_close_matches(name.lower(), expected, 1, _CLOSE)
    )


def _described(
    folder: pathlib.Path,
    root: pathlib.Path,
    names: Collection[str],
    is_mixed: bool = False,
) -> tuple[str, bool]:
    """What a folder holds that could be label maps, or nothing.

    Where pictures lie in it as well, only a name for a label map tells.

    Returns:
        A phrase, and whether a reader takes the folder as it is.
    """
    same: collections.Counter[str] = collections.Counter()
    affixed: list[tuple[str, str]] = []
    others: collections.Counter[str] = collections.Counter()
    for path in file_table.files_in(folder):
        ending = path.suffix.lower()
        if ending not in _LABEL_ENDINGS:
            continue
        name = file_table.id_of(path)
        base = _AFFIX.sub("", name)
        if (
            base != name
            and base in names
            and (ending in _READ_ENDINGS or not is_mixed)
        ):
            affixed.append((path.name, base))
        elif name in names:
            same[ending] += 1
        else:
            others[ending] += 1
    place = f"{_below(folder, root)}/ holds"
    if affixed:
        name, base = affixed[0]
        expected = f"expected {base}.png ({len(affixed)} files)"
        return f"{place} {name}, {expected}", False
    if is_mixed:
        return "", False
    for ending, count in same.most_common():
        kind = ending[1:].upper()
        if ending in _READ_ENDINGS:
            return f"{place} {count} {kind} files of the same stems", True
        if is_of_labels(folder):
            return f"{place} {count} {kind} files, not PNG", False
    if others:
        ending, count = others.most_common(1)[0]
        if ending in _READ_ENDINGS:
            kind = ending[1:].upper()
            return f"{place} {count} {kind} files of other stems", False
    return "", False


def _children(folder: str | os.PathLike[str]) -> Iterable[pathlib.Path]:
    try:
        return list(file_names.visible_children(folder))
    except OSError:
        return ()


def _below(path: pathlib.Path, root: pathlib.Path) -> str:
    return path.relative_to(root).as_posix() if path != root else root.name


def _listed(found: Sequence[str]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more
