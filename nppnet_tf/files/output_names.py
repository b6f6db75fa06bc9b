"""What outputs of many inputs are called, decided before the work begins.

Several files are written for each input, `a.png` and `a_overlay.png` for
`a.jpg`. Names that would meet, here or on a file system that takes large and
small letters for the same, become longer; the same inputs always get the same
names.
"""

import collections
import os
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from collections.abc import Set

from nppnet_tf import errors
from nppnet_tf.files import atomic
from nppnet_tf.files import file_names

_NAMED = 5


def plan(
    names: Iterable[str],
    endings: Sequence[str],
    taken: Iterable[str] = (),
    spell: Callable[[str], str] = str,
) -> dict[str, str]:
    """Returns what the outputs of every input begin with.

    That is the input's name without its ending. Where outputs of two inputs
    would meet, it is the whole name of each, dots replaced by "_": `a_jpg` and
    `a_png`; where even these meet, as of `a.jpg` and `A.jpg`, a number follows
    from the second on. A name that the longest ending would make too long is
    cut and ends in eight digits of a hash. Leading dots go: outputs are not
    hidden.

    Args:
        names: File names of the inputs, all different.
        endings: What follows, `_overlay.png`; one file each.
        taken: Names of other files, which outputs do not meet either.
        spell: Writes a name as what lists the outputs can hold it.
    """
    longest = max(len(os.fsencode(ending)) for ending in endings)
    max_bytes = atomic.MAX_NAME_BYTES - longest
    trials = {
        name: map(spell, _trials(name, max_bytes)) for name in sorted(names)
    }
    starts = {name: next(each) for name, each in trials.items()}
    short = set(starts)
    while rising := _rising(starts, short, endings, taken):
        for name in rising:
            starts[name] = next(trials[name])
        short -= rising
    return starts


def changed_line(starts: Mapping[str, str]) -> str | None:
    """Returns a line that tells of the names that are not the usual ones.

    Args:
        starts: What `plan` returned.

    Returns:
        The line, None where there is nothing to tell.
    """
    changed = {
        name: start for name, start in starts.items() if start != _stem(name)
    }
    if not changed:
        return None
    told = ", ".join(
        f"{errors.printable(name)} -> {errors.printable(start)}"
        for name, start in list(changed.items())[:_NAMED]
    )
    rest = f" and {len(changed) - _NAMED} more" * (len(changed) > _NAMED)
    return f"outputs whose names would meet or be too long: {told}{rest}"


def _trials(name: str, max_bytes: int) -> Iterator[str]:
    visible = name.lstrip(".") or "_"
    yield atomic.short_name(_stem(name), max_bytes)
    whole = visible.replace(".", "_")
    yield atomic.short_name(whole, max_bytes)
    number = 2
    while True:
        yield atomic.short_name(f"{whole}_{number}", max_bytes)
        number += 1


def _stem(name: str) -> str:
    return pathlib.PurePath(name.lstrip(".") or "_").stem


def _rising(
    starts: Mapping[str, str],
    short: Set[str],
    endings: Sequence[str],
    taken: Iterable[str],
) -> set[str]:
    """Returns the inputs whose outputs must be called otherwise.

    Of those that would write one file, all with a short name: none of them is
    the better one. Where there is none, all but the first.
    """
    writers: dict[str, list[str]] = collections.defaultdict(list)
    for name in taken:
        writers[file_names.meeting_key(name)].append("")
    for name, start in starts.items():
        for ending in endings:
            writers[file_names.meeting_key(start + ending)].append(name)
    rising: set[str] = set()
    for group in writers.values():
        if len(group) > 1:
            rising.update(short.intersection(group) or group[1:])
    return rising
