"""What was hoped for beforehand, and whether it is so."""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

from nppnet_tf.study import plan
from nppnet_tf.study.trainer import MEASURES

# Standard errors above 0 that count as above.
ERRORS = 2.0
MOST_SKIPS = 0.5
LEAST_CORRELATION = 0.7

TITLES = {"mean_iou": "mIoU", "pckh": "PCKh@0.5"}

_NAMES = {
    plan.RANDOM: "random genotype",
    plan.UNET: "U-Net",
    plan.RESNET: "ResNet-50 + FPN",
    plan.RELEASED: "released genotype",
    plan.SAMPLE: "samples of a supernet",
}
# By how many standard errors the searched network is to be above.
_ABOVE = {plan.RANDOM: ERRORS, plan.RESNET: 0.0, plan.UNET: 0.0}


class Target(NamedTuple):
    """One of them.

    Attributes:
        wanted: What was hoped for.
        found: What is so.
        is_met: Whether that is enough; None where nothing is measured yet.
    """

    wanted: str
    found: str
    is_met: bool | None


def name_of(system: str, summary: Mapping[str, Any]) -> str:
    """Returns what a page calls a system."""
    if system in summary["strategies"]:
        return f"searched: {system}"
    if system in plan.TABLE_5:
        return f"row {system.removeprefix('row_')} of Table 5"
    return _NAMES[system]


def of(summary: Mapping[str, Any]) -> tuple[Target, ...]:
    """Returns the targets, those of equal steps first.

    Args:
        summary: What `summary.of` returned.
    """
    return tuple(_targets(summary))


def _targets(summary: Mapping[str, Any]) -> Iterator[Target]:
    for budget in plan.BUDGETS:
        for system, errors in _ABOVE.items():
            for measure in MEASURES:
                yield _above(summary, budget, system, measure, errors)
    shares = [search["largest_skip_share"] for search in summary["searches"]]
    yield Target(
        f"no search collapses: share of skips at most {MOST_SKIPS}",
        f"at most {max(shares):.3f} in {len(shares)}" if shares else "",
        max(shares) <= MOST_SKIPS if shares else None,
    )
    for measure in MEASURES:
        rows = summary["table_5"]
        found = rows and len(rows[measure]["rows"]) == len(plan.TABLE_5)
        found = rows[measure]["correlation"] if found else None
        yield Target(
            f"order of the eight rows as in Table 5 in {TITLES[measure]}: "
            f"Spearman at least {LEAST_CORRELATION}",
            f"{found['spearman']:.2f}" if found else "",
            found["spearman"] >= LEAST_CORRELATION if found else None,
        )


def _above(
    summary: Mapping[str, Any],
    budget: str,
    system: str,
    measure: str,
    errors: float,
) -> Target:
    difference = summary["differences"][budget].get(system, {}).get(measure)
    by = f" by {errors:g} standard errors" if errors else ""
    wanted = (
        f"above the {name_of(system, summary)}{by} in {TITLES[measure]}, "
        f"equal {budget}"
    )
    if difference is None:
        return Target(wanted, "", None)
    found = f"{difference['mean']:+.3f}"
    if difference["standard_errors"] is None:
        # One seed, or equal differences, say nothing of the error.
        return Target(wanted, f"{found}, one seed", None)
    return Target(
        wanted,
        f"{found}, {difference['standard_errors']:+.1f} standard errors of "
        f"{len(difference['values'])} seeds",
        difference["standard_errors"] >= errors,
    )
