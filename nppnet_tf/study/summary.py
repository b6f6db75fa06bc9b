"""What a study says: means, deviations, differences with their intervals."""

import math
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf.files import json_documents
from nppnet_tf.study import plan
from nppnet_tf.study import results as kinds
from nppnet_tf.study.plan import Plan
from nppnet_tf.study.results import Results
from nppnet_tf.study.results import Unit
from nppnet_tf.study.trainer import MEASURES

FORMAT = "nppnet_tf.study_summary"
FORMAT_VERSION = 1

CONFIDENCE = 0.95
_RESAMPLES = 9999
_DIGITS = 4


def write(summary: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Writes a summary as a JSON document."""
    json_documents.write_document(path, FORMAT, FORMAT_VERSION, dict(summary))


def of(study: Plan, results: Results) -> dict[str, Any]:
    """Returns the figures of a study, of as much of it as is finished.

    Args:
        study: Plan of the study.
        results: Finished units.
    """
    systems = (*study.compared, *list(plan.TABLE_5)[:-1], plan.SAMPLE)
    by_budget = {
        budget: {
            system: found
            for system in systems
            if (found := _system(study, results, system, budget))
        }
        for budget in plan.BUDGETS
    }
    last = results.settings[-1] if results.settings else {}
    return {
        "settings": study.config.record(),
        "command": last.get("command", ""),
        "versions": last.get("versions", {}),
        "processors": last.get("processors"),
        "reference": study.reference,
        "strategies": list(study.strategies),
        "units": len(results),
        "budgets": by_budget,
        "differences": {
            budget: _differences(study.reference, found)
            for budget, found in by_budget.items()
        },
        "searches": _searches(results),
        "speed": {
            unit.system: found
            for unit, found in results.of_kind(kinds.SPEED).items()
        },
        "supernet": _supernet(study, results, by_budget[plan.STEPS]),
        "table_5": _table_5(study, by_budget[plan.STEPS]),
        "seconds": _seconds(results),
    }


def interval(differences: Sequence[float]) -> tuple[float, float] | None:
    """Returns the bootstrap interval of a mean of paired differences.

    Args:
        differences: One per seed.

    Returns:
        Its ends by the percentile method; None for less than two.
    """
    if len(differences) < 2:
        return None
    # Imported where it is needed: it takes a second.
    from scipy import stats

    found = stats.bootstrap(
        (np.asarray(differences),),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return round(float(found.low), _DIGITS), round(float(found.high), _DIGITS)


def rank_correlation(
    first: Sequence[float], second: Sequence[float]
) -> dict[str, Any] | None:
    """Returns Spearman's coefficient; None where there is none.

    Args:
        first: Numbers, at least three, not all equal.
        second: The others, as many.
    """
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    from scipy import stats

    found = stats.spearmanr(first, second)
    return {
        "spearman": round(float(found.statistic), _DIGITS),
        "p_value": round(float(found.pvalue), _DIGITS),
        "count": len(first),
    }


def _system(
    study: Plan, results: Results, system: str, budget: str
) -> dict[str, Any] | None:
    """Returns the scores of a system at all seeds that are finished."""
    if budget == plan.TIME and system == study.reference:
        # Equal time is its time: the trainings are those by steps.
        budget = plan.STEPS
    if not study.is_rate_known(system):
        return None
    rate = study.learning_rate(system)
    found = {
        unit.seed: result
        for unit, result in results.of_kind(kinds.TRAINING).items()
        if unit == Unit(kinds.TRAINING, system, unit.seed, budget, rate)
        # A line may have been taken out of the file.
        and Unit(kinds.NETWORK, system, unit.seed) in results
    }
    if not found:
        return None
    networks = [
        results[Unit(kinds.NETWORK, system, seed)] for seed in sorted(found)
    ]
    return {
        "learning_rate": rate,
        "steps": found[min(found)]["steps"],
        "gmac": _mean([network["macs"] / 1e9 for network in networks]),
        "parameters": _mean([n["parameters"] / 1e6 for n in networks]),
        "sizes": sorted(
            {(n["channels"], n["baseline_width"]) for n in networks}
        ),
        "seeds": sorted(found),
        **{
            measure: _spread(
                [found[seed]["test"][measure] for seed in sorted(found)]
            )
            for measure in MEASURES
        },
        "curves": [
            {
                name: [point[name] for point in found[seed]["curve"]]
                for name in ("step", *MEASURES)
            }
            for seed in sorted(found)
        ],
        "seconds": _mean([result["seconds"] for result in found.values()]),
        "rates": {
            str(unit.learning_rate): result["selection_score"]
            for unit, result in results.of_kind(kinds.TRAINING).items()
            if unit.system == system
            and unit.seed == 0
            and unit.budget == plan.STEPS
        },
    }


def _spread(values: Sequence[float]) -> dict[str, Any]:
    return {
        "values": [round(value, _DIGITS) for value in values],
        "mean": _mean(values),
        "deviation": _deviation(values),
        "standard_error": None
        if len(values) < 2
        else round(_standard_error(values), _DIGITS),
    }


def _standard_error(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) / math.sqrt(len(values))


def _differences(
    reference: str, systems: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Returns how much the reference is above each, at the same seeds."""
    if reference not in systems:
        return {}
    ours = systems[reference]
    found = {}
    for system, theirs in systems.items():
        if system in (reference, plan.SAMPLE):
            continue
        seeds = [seed for seed in ours["seeds"] if seed in theirs["seeds"]]
        found[system] = {
            measure: _difference(
                [
                    ours[measure]["values"][ours["seeds"].index(seed)]
                    - theirs[measure]["values"][theirs["seeds"].index(seed)]
                    for seed in seeds
                ]
            )
            for measure in MEASURES
        }
    return found


def _difference(values: Sequence[float]) -> dict[str, Any]:
    spread = _spread(values)
    errors = None
    if spread["standard_error"]:
        # Of what was not rounded: an error has few digits.
        errors = round(float(np.mean(values)) / _standard_error(values), 2)
    return {
        **spread,
        "interval": interval(values),
        # How many standard errors the mean is above 0.
        "standard_errors": errors,
    }


def _searches(results: Results) -> list[dict[str, Any]]:
    return [
        {
            "strategy": unit.system,
            "seed": unit.seed,
            "seconds": result["seconds"],
            "largest_skip_share": max(
                stage["largest_skip_share"]
                for stage in result["stages"].values()
            ),
            "last_entropy": {
                stage: found["entropy"][-1]
                for stage, found in result["stages"].items()
            },
        }
        for unit, result in sorted(
            results.of_kind(kinds.SEARCH).items(),
            key=lambda item: item[0].seed,
        )
    ]


def _supernet(
    study: Plan, results: Results, systems: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Returns how well inherited weights foretell what training gives."""
    found = _only(results, kinds.SUPERNET)
    if found is None or plan.SAMPLE not in systems:
        return None
    samples = systems[plan.SAMPLE]
    scores = found["scores"]
    # There may be more samples than when the supernet was measured.
    places = [
        place
        for place, seed in enumerate(samples["seeds"])
        if seed < len(scores)
    ]
    inherited = [scores[samples["seeds"][place]] for place in places]
    compared = {}
    for measure in MEASURES:
        ours = [score[measure] for score in inherited]
        theirs = [samples[measure]["values"][place] for place in places]
        compared[measure] = {
            "inherited": ours,
            "trained": theirs,
            "correlation": rank_correlation(ours, theirs),
        }
    return compared


def _table_5(
    study: Plan, systems: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Returns the rows beside the paper's, and how their orders agree."""
    named = {
        row: study.reference if row == list(plan.TABLE_5)[-1] else row
        for row in plan.TABLE_5
    }
    rows = {row: name for row, name in named.items() if name in systems}
    if len(rows) < 2:
        return None
    return {
        measure: {
            "rows": {
                row: {
                    "paper": plan.TABLE_5[row][number],
                    "mean": systems[name][measure]["mean"],
                    "deviation": systems[name][measure]["deviation"],
                }
                for row, name in rows.items()
            },
            "correlation": rank_correlation(
                [plan.TABLE_5[row][number] for row in rows],
                [systems[name][measure]["mean"] for name in rows.values()],
            ),
        }
        for number, measure in enumerate(MEASURES)
    }


def _seconds(results: Results) -> dict[str, float]:
    """Returns the longest unit of each kind, with everything around it."""
    longest: dict[str, float] = {}
    for kind in (kinds.SEARCH, kinds.TRAINING):
        for result in results.of_kind(kind).values():
            taken = result["seconds_in_all"]
            longest[kind] = max(longest.get(kind, 0.0), taken)
    return longest


def _only(results: Results, kind: str) -> dict[str, Any] | None:
    return next(iter(results.of_kind(kind).values()), None)


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), _DIGITS)


def _deviation(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    return round(float(np.std(values, ddof=1)), _DIGITS)
