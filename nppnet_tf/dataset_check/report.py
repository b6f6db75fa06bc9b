"""What was found, as a document for programs and as lines for people."""

import collections
import json
import pathlib
import textwrap
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf import durations
from nppnet_tf.data.source import Source
from nppnet_tf.dataset_check import dataset_check
from nppnet_tf.dataset_check import findings
from nppnet_tf.dataset_check.examination import Examined
from nppnet_tf.dataset_check.findings import Finding
from nppnet_tf.files import atomic

_NAMED_IN_A_LINE = 5
_DETAIL_IN_A_LINE = 160


def document(
    sources: Mapping[str, Source],
    examined: Mapping[str, Sequence[Examined]],
    found: Mapping[str, Sequence[Finding]],
) -> dict[str, Any]:
    """Returns the report of a data set, as `docs/schemas` describes it.

    Args:
        sources: What was read, by the name of the split; all of one
            descriptor.
        examined: What is known of each sample, by split.
        found: Every finding, by split; also of splits that were not read.
    """
    descriptor = next(iter(sources.values())).descriptor
    every = [
        {
            "split": name,
            "id": finding.record_id,
            "kind": finding.kind,
            "severity": findings.KINDS[finding.kind].severity,
            "detail": finding.detail,
        }
        for name, each in found.items()
        for finding in each
    ]
    return {
        "format": dataset_check.FORMAT,
        "format_version": dataset_check.FORMAT_VERSION,
        "descriptor": descriptor.name,
        "splits": {
            name: {
                "facts": dict(source.facts),
                "notes": list(source.notes),
                **dataset_check.statistics(examined[name], descriptor),
            }
            for name, source in sources.items()
        },
        "kinds": _kinds(every),
        "findings": every,
    }


def write(path: pathlib.Path, report: Mapping[str, Any]) -> None:
    """Writes a report as JSON, whole or not at all."""
    atomic.write_text(path, json.dumps(report, indent=1) + "\n")


def has_errors(report: Mapping[str, Any]) -> bool:
    """Whether something was found that training must not be given."""
    return any(
        each["severity"] == findings.ERROR for each in report["findings"]
    )


def lines(report: Mapping[str, Any]) -> list[str]:
    """Returns one line for each kind: severity, kind, count, names, repair."""
    by_kind = collections.defaultdict(list)
    for finding in report["findings"]:
        by_kind[finding["kind"]].append(finding)
    found = [
        f"{kind['severity']} {name}: {len(by_kind[name])}: "
        f"{_names(by_kind[name])}; repair: {kind['repair']}"
        for name, kind in report["kinds"].items()
        if by_kind[name]
    ]
    return found or ["nothing found"]


def rate_line(total: int, rate: float, published: int | None) -> str:
    """Returns how fast the samples were read, and what that means.

    Args:
        total: Samples that were read.
        rate: Samples per second.
        published: Samples of the published split train; None if unknown.
    """
    text = f"{total} samples, {rate:.0f} in a second"
    if published is not None and published > total and rate:
        text += (
            f"; at this rate the {published} of the published split train "
            f"take {durations.in_words(published / rate)}"
        )
    return text


def _kinds(every: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counts = collections.Counter(each["kind"] for each in every)
    return {
        name: {
            "count": counts[name],
            "severity": kind.severity,
            "repair": kind.repair,
        }
        for name, kind in findings.KINDS.items()
    }


def _names(found: Sequence[Mapping[str, Any]]) -> str:
    """The first samples of a kind; of a single one also what is wrong."""
    names = list(
        dict.fromkeys(f"{each['split']}/{each['id']}" for each in found)
    )
    if len(names) == 1:
        detail = textwrap.shorten(found[0]["detail"], _DETAIL_IN_A_LINE)
        return f"{names[0]} ({detail})"
    more = ", ..." if len(names) > _NAMED_IN_A_LINE else ""
    return ", ".join(names[:_NAMED_IN_A_LINE]) + more
