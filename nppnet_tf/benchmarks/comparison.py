"""What has changed between two results of the benchmark, beyond noise."""

import dataclasses
import math
import os
import pathlib
import statistics
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents

# The rule, which is said to the user: see RULE.
_PROBABILITY = 0.01
_FEWEST = 5
_SMALLEST_CHANGE = 0.03
_SMALLEST_CHANGE_ONCE = 0.1

RULE = (
    "What was measured several times has changed where its samples differ in "
    f"rank (Mann-Whitney, two-sided, p < {_PROBABILITY:g}), their middle "
    f"halves lie apart and their medians differ by {_SMALLEST_CHANGE:.0%} or "
    f"more; that takes {_FEWEST} samples of each. What was measured once "
    "(memory, seconds to the first step) has changed at "
    f"{_SMALLEST_CHANGE_ONCE:.0%}, what is counted at any difference."
)

# Two results that differ in these are no two of one thing.
_SUBJECT = (
    "what",
    "stage",
    "genotype",
    "channels",
    "cells",
    "image_size",
    "batch_size",
    "replicas",
    "input_workers",
    "cores",
)
_COUNTED = (
    "graph_nodes",
    "gmac",
    "published_gmac",
    "parameters",
    "convolutions",
    "weights",
    "search_weights",
)
_ONCE = (
    "seconds_to_first_step",
    "cpu_seconds_to_first_step",
    "peak_memory_gb",
    "thread_seconds",
)
_SAMPLES = "samples"
_OF_EACH = "_of_each_"
# Load beyond the cores, of a minute: what others did.
_FREE_LOAD = 0.5
# Ratio of two machines' rates from which on they are no two of one speed.
_FASTER = 1.15


@dataclasses.dataclass(frozen=True)
class Measure:
    """One thing that was measured.

    Attributes:
        name: Place in the result, "milliseconds, saved model".
        samples: Values, one if it was counted or measured once.
        is_counted: Whether equal code gives the equal value.
    """

    name: str
    samples: tuple[float, ...]
    is_counted: bool = False

    @property
    def median(self) -> float:
        """Median of the samples."""
        return statistics.median(self.samples)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Ends of the middle half of the samples, of 2 at least."""
        first, _, last = statistics.quantiles(
            self.samples, n=4, method="inclusive"
        )
        return first, last


def measures(result: Mapping[str, Any], place: str = "") -> Iterator[Measure]:
    """Yields what was measured, wherever it stands in a result.

    Args:
        result: What the benchmark wrote, or a part of it.
        place: Where the part stands.
    """
    for key, value in result.items():
        name = f"{place}, {key}" if place else key
        is_counted = any(part in _COUNTED for part in name.split(", "))
        if isinstance(value, Mapping):
            yield from measures(value, name)
        elif key == _SAMPLES or _OF_EACH in key:
            samples = _numbers(value if isinstance(value, list) else [])
            if samples:
                yield Measure(place if key == _SAMPLES else name, samples)
        elif (key in _ONCE or is_counted) and _numbers([value]):
            yield Measure(name, _numbers([value]), is_counted)


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(
        value
        for value in values
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def read(
    path: str | os.PathLike[str],
) -> dict[str, Mapping[str, Any]]:
    """Reads a result, or a folder of them.

    Args:
        path: File of a result, or folder of such files.

    Returns:
        Results by the names of their files; of a file alone by "".

    Raises:
        UserError: A file holds no result, or a folder no file of one.
    """
    path = pathlib.Path(path)
    if not path.is_dir():
        return {"": _read(path)}
    files = sorted(path.glob("*.json"))
    if not files:
        where = f"`compare`={path}"
        raise UserError("no results", where, "figures that all made", "none")
    return {file.name: _read(file) for file in files}


def compare(
    old: str | os.PathLike[str], new: str | os.PathLike[str]
) -> list[str]:
    """Returns lines on what has changed, by RULE.

    Args:
        old: File of a result, or folder of such files.
        new: The same of what it is compared with.

    Raises:
        UserError: For the reasons that `read` gives, or the two are of
            different kinds or measured different things.
    """
    old, new = pathlib.Path(old), pathlib.Path(new)
    if old.is_dir() != new.is_dir():
        raise UserError(
            "a folder of results and a result",
            "`compare`",
            f"what {new} is",
            old,
        )
    before, after = read(old), read(new)
    if not old.is_dir():
        return compare_results(before[""], after[""], old)
    lines = []
    for name in sorted({*before, *after}):
        if name in before and name in after:
            found = compare_results(before[name], after[name], old / name)
            lines += [name, *(f"  {line}" for line in found)]
        else:
            lines.append(f"{name}: only in {old if name in before else new}")
    return lines


def compare_results(
    old: Mapping[str, Any], new: Mapping[str, Any], where: object
) -> list[str]:
    """Returns lines on what has changed between two results of one figure.

    Args:
        old: A result.
        new: What it is compared with.
        where: Where the first one comes from, for messages.

    Raises:
        UserError: The two are of different things.
    """
    for name in _SUBJECT:
        if old.get(name) != new.get(name):
            raise UserError(
                "measured something else",
                f"{where}, {name}",
                new.get(name),
                old.get(name),
            )
    before, after = (
        {measure.name: measure for measure in measures(result)}
        for result in (old, new)
    )
    lines = [
        line(before[name], after[name]) for name in before if name in after
    ]
    lines += [
        f"{name}: measured in one of the two alone"
        for name in sorted(before.keys() ^ after.keys())
    ]
    return [*lines, *_warnings(old, new)]


def line(old: Measure, new: Measure) -> str:
    """Returns what is to be said of one measure, by RULE."""
    change = (new.median - old.median) / old.median if old.median else 0.0
    text = f"{old.name}: {old.median:g} -> {new.median:g}"
    if old.is_counted:
        if old.median == new.median:
            return f"{old.name}: {old.median:g}, equal"
        return f"{text}: CHANGED"
    text = f"{text}, {change:+.1%}"
    if min(len(old.samples), len(new.samples)) < 2:
        is_large = abs(change) >= _SMALLEST_CHANGE_ONCE
        verdict = "CHANGED" if is_large else "no change that could be told"
        return f"{text}: {verdict} (measured once)"
    if min(len(old.samples), len(new.samples)) < _FEWEST:
        return f"{text}: fewer than {_FEWEST} samples tell nothing"
    return f"{text}: {_verdict(old, new, change)}"


def _verdict(old: Measure, new: Measure, change: float) -> str:
    # Here, so that --help does not wait for it.
    from scipy import stats

    probability = stats.mannwhitneyu(old.samples, new.samples).pvalue
    (old_low, old_high), (new_low, new_high) = old.quartiles, new.quartiles
    are_apart = new_low > old_high or new_high < old_low
    is_large = abs(change) >= _SMALLEST_CHANGE
    if probability < _PROBABILITY and are_apart and is_large:
        return f"CHANGED (p = {probability:.2g})"
    # As far as the middle halves would have to be moved to lie apart.
    widths = old_high - old_low + new_high - new_low
    hidden = widths / (2 * old.median) if old.median else 1.0
    hidden = max(hidden, _SMALLEST_CHANGE)
    return f"within noise, which hides changes up to about {hidden:.0%}"


def _warnings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yields what makes the comparison doubtful."""
    if old.get("versions") != new.get("versions"):
        yield "not of the same versions of TensorFlow, Keras and NumPy"
    rates = [
        _numbers([result.get("machine_gmac_per_second")])
        for result in (old, new)
    ]
    if all(rates):
        ratio = rates[1][0] / rates[0][0]
        if max(ratio, 1 / ratio) >= _FASTER:
            yield (
                f"the machine of the second is {ratio:.2f} times as fast (one "
                "product of matrices): seconds tell of it and not of the code"
            )
    for name, result in (("first", old), ("second", new)):
        load, cores = _numbers([result.get("load_average")]), result["cores"]
        if load and load[0] > cores + _FREE_LOAD:
            yield (
                f"the {name} was measured beside other work: load {load[0]:g} "
                f"on {cores} cores"
            )


def _read(path: pathlib.Path) -> Mapping[str, Any]:
    result = json_documents.require(
        json_documents.read(path), "an object", path, "result"
    )
    for name, kind in (("what", "a text"), ("cores", "an integer")):
        json_documents.require(result.get(name), kind, path, name)
    return result
