"""Alarms of a search: rules on the records of its epochs, and remedies.

Each rule is a function of the records alone, so that it holds as well for a
search that was resumed, or that is read later. An alarm is raised in the epoch
whose records its rule finds at first, and again only after an epoch without.
"""

import math
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from nppnet_tf import keys

Records = Sequence[Mapping]

# In the record of an epoch with which an alarm has stopped the run, once that
# was said: who goes on from there has read it.
STOPPED = "stopped_by_alarm"

# Half of a node: from there on, skip connections outweigh all that has weights
# together. DARTS' collapsed cells lie above, a search that decides for other
# operations never comes near (an eighth at the start).
SKIP_SHARE = 0.5
# More than half of what pruning keeps, so often in a row: at the start, where
# shares differ by little, a single genotype is mostly chance.
KEPT_SKIPS = 0.5
COLLAPSE_EPOCHS = 3

# Shares are proportional to exp(alpha): none changes by more than about half a
# percent of itself. A step of Adam moves alpha by about the learning rate.
FROZEN_SPREAD = 0.005
FROZEN_EPOCHS = 3
# Of log n: a search that has decided may stand still.
UNDECIDED = 0.95

# The unseen half costs half as much again. Halves of equal distribution differ
# by some percent as long as nothing is learned by heart.
MEMORIZED_GAP = 0.5
MEMORIZED_EPOCHS = 3

# Of log n, within the first third of the epochs in which alpha moves: what is
# decided there is decided by weights that have hardly been trained.
EARLY_ENTROPY = 0.5
EARLY_PART = 1 / 3


class Alarm(NamedTuple):
    """Something that ruins a search, and what to do about it.

    Attributes:
        name: Name in the records.
        rule: Takes the records of all epochs and the epochs of the whole run;
            returns what it sees in the last one, "" for nothing.
        remedy: Takes the records of all epochs; returns what to change, as
            flags where there are some.
    """

    name: str
    rule: Callable[[Records, int], str]
    remedy: Callable[[Records], str]


def collapse(records: Records, epochs: int) -> str:
    """Sees skip connections take over a part."""
    del epochs
    part, share = _largest(records[-1], "skip_share")
    if share > SKIP_SHARE:
        return f"skip connections hold {share:.0%} of {part}"
    last = records[-COLLAPSE_EPOCHS:]
    for part in records[-1].get("parts", {}):
        kept = [_of_part(record, part, "kept_skips") for record in last]
        if len(last) == COLLAPSE_EPOCHS and min(kept) > KEPT_SKIPS:
            return f"pruning would keep {kept[-1]:.0%} skips in {part}"
    return ""


def frozen(records: Records, epochs: int) -> str:
    """Sees alpha stand still before anything is decided."""
    del epochs
    last = records[-FROZEN_EPOCHS:]
    before = records[-FROZEN_EPOCHS - 1 : -FROZEN_EPOCHS]
    if len(last) < FROZEN_EPOCHS or not all(map(_moves, last)):
        return ""
    entropy = _relative_entropy(records[-1])
    spreads = [r.get("alpha_spread", math.nan) for r in (*before, *last)]
    # Before the first epoch nothing is preferred.
    moved = max(spreads) - min(spreads if before else (0.0, *spreads))
    if entropy > UNDECIDED and moved < FROZEN_SPREAD:
        return (
            f"alpha has moved by {moved:.1g} in {FROZEN_EPOCHS} epochs and "
            f"prefers nothing (entropy {entropy:.1%} of the largest)"
        )
    return ""


def memorized(records: Records, epochs: int) -> str:
    """Sees weights learn their half of the data by heart."""
    del epochs
    last = records[-MEMORIZED_EPOCHS:]
    for term in (keys.POSE_LOSS, keys.PARSING_LOSS):
        gaps = [record.get("loss_gap", {}).get(term, 0.0) for record in last]
        if len(last) == MEMORIZED_EPOCHS and min(gaps) > MEMORIZED_GAP:
            return (
                f"{term} is {gaps[-1]:.0%} higher on the half that weights do "
                "not see"
            )
    return ""


def early(records: Records, epochs: int) -> str:
    """Sees alpha decide while weights have hardly been trained."""
    moving = sum(map(_moves, records))
    all_moving = moving + epochs - len(records)
    entropy = _relative_entropy(records[-1])
    if moving and moving <= all_moving * EARLY_PART and entropy < EARLY_ENTROPY:
        return (
            f"entropy is {entropy:.0%} of the largest after {moving} of "
            f"{all_moving} epochs in which alpha moves"
        )
    return ""


def _against_collapse(records: Records) -> str:
    again = "a longer --warmup_epochs or a lower --architecture_learning_rate"
    if len(records) < 2:
        return f"search again with {again}"
    return (
        f"take an earlier genotype of genotypes/, or search again with {again}"
    )


def _against_early(records: Records) -> str:
    # Where E(A) has had no weight so far it decides nothing.
    if not any(record.get("entropy_weight") for record in records):
        return (
            "lower --architecture_learning_rate, or move alpha later: "
            "--warmup_epochs"
        )
    return (
        "lower --entropy_weight or --architecture_learning_rate, or begin "
        "later: --entropy_start_epoch, --entropy_ramp_epochs"
    )


ALARMS = (
    Alarm("collapse", collapse, _against_collapse),
    Alarm(
        "frozen",
        frozen,
        lambda records: (
            "raise --architecture_learning_rate or the steps of an epoch"
        ),
    ),
    Alarm(
        "memorized",
        memorized,
        lambda records: "take more records, fewer --epochs or fewer --channels",
    ),
    Alarm("early", early, _against_early),
)


def found(records: Records, epochs: int) -> dict[str, str]:
    """Returns what the rules see in the last of some records.

    Args:
        records: Records of all epochs so far, at least one.
        epochs: Epochs of the whole run.

    Returns:
        What is seen, by the name of the alarm.
    """
    seen = {alarm.name: alarm.rule(records, epochs) for alarm in ALARMS}
    return {name: what for name, what in seen.items() if what}


def raised(records: Records) -> list[str]:
    """Returns a line for every alarm that is new in the last record."""
    before = records[-2].get("alarms", {}) if len(records) > 1 else {}
    now = records[-1].get("alarms", {})
    return [
        f"alarm in epoch {records[-1]['epoch'] + 1}, {alarm.name}: "
        f"{now[alarm.name]}; {alarm.remedy(records)}"
        for alarm in ALARMS
        if alarm.name in now and alarm.name not in before
    ]


def unread(records: Records) -> list[str]:
    """Returns the lines of `raised` with which no run has stopped yet.

    Args:
        records: Records of all epochs so far, or none.
    """
    if not records or records[-1].get(STOPPED):
        return []
    return raised(records)


def _moves(record: Mapping) -> bool:
    return bool(record.get("architecture_moves")) and "parts" in record


def _of_part(record: Mapping, part: str, measure: str) -> float:
    return record.get("parts", {}).get(part, {}).get(measure, 0.0)


def _largest(record: Mapping, measure: str) -> tuple[str, float]:
    """Returns the part with the largest measure, and that."""
    values = {p: _of_part(record, p, measure) for p in record.get("parts", {})}
    part = max(values, key=values.__getitem__, default="")
    return part, values.get(part, 0.0)


def _relative_entropy(record: Mapping) -> float:
    """Mean entropy as a share of that of n equal operations, 0..1."""
    part = next(iter(record.get("parts", {}).values()), {})
    operations = len(part.get("shares", ()))
    if operations < 2:
        return math.nan
    return record["entropy_mean"] / math.log(operations)
