"""Writes the tables and charts of docs/performance.md from its JSON files.

python -m tests.performance_page

What stands on the page between `<!-- written: NAME -->` and `<!-- end -->` is
made here of docs/performance/*.json, which
`python -m tools.benchmark --what=all --output=docs/performance` makes. A test
compares.
"""

import functools
import math
import pathlib
import re
import shlex
import statistics
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from nppnet_tf.benchmarks import comparison
from nppnet_tf.benchmarks import figures
from nppnet_tf.benchmarks import forward_pass
from nppnet_tf.benchmarks import subjects
from nppnet_tf.drawing import line_chart
from nppnet_tf.drawing.line_chart import Chart
from nppnet_tf.drawing.line_chart import Curve
from nppnet_tf.files import json_documents
from tests import shared

PAGE = "docs/performance.md"
FOLDER = "docs/performance"

_WRITTEN = re.compile(
    r"(<!-- written: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL
)
_ABSENT = "not measured"

ANSWERS = {
    "inference_384": "384 x 384",
    "inference_192": "192 x 192",
    "inference_192_batch_8": "192 x 192, 8 pictures",
    "inference_demo": "128 x 96, C = 16, L = 4",
}
_RUNTIMES = {
    forward_pass.LAYERS: "layers",
    forward_pass.SAVED_MODEL: "saved form",
    forward_pass.ONNX_RUNTIME_PUBLISHED: "ONNX Runtime, as published",
    forward_pass.ONNX_RUNTIME_FORM: "ONNX Runtime, form",
    forward_pass.OPENVINO_FORM: "OpenVINO, form",
}
ROOFLINES = {"roofline_384": "384 x 384", "roofline_192": "192 x 192"}
STEPS = {
    "train_192": "training, 192 x 192, batch 2",
    "train_demo": "training, C = 16, L = 4, 128 x 96, batch 16",
    "search_stage_1": "search, stage 1, both steps",
    "search_stage_2": "search, stage 2, both steps",
}
INPUTS = {
    "input_one_core": "one core, threads",
    "input_threads": "all cores, threads",
    "input_workers": "all cores, two processes",
}
_GROWING = {
    "batch_size": "pictures of a batch",
    "channels": "C",
    "cells": "L",
    "image_size": "side of the picture",
}
_GROWN = {
    subjects.INFERENCE: "an answer",
    subjects.TRAIN_STEP: "a training step",
}
# Kinds of operations in the table, of every figure.
_MOST_KINDS = 8


@functools.cache
def result(name: str) -> dict[str, Any] | None:
    """Returns what was measured of a figure, None if it was not."""
    path = figures.TABLE[name].file_in(shared.REPOSITORY / FOLDER)
    return json_documents.read(path) if path.exists() else None


def page_text() -> str:
    """Returns what docs/performance.md should be."""
    page = (shared.REPOSITORY / PAGE).read_text(encoding="utf-8")
    return _WRITTEN.sub(
        lambda found: f"{found[1]}{_BLOCKS[found[2]]()}\n{found[3]}", page
    )


def charts() -> dict[str, str]:
    """Returns the charts that the page shows, by their paths."""
    return {
        path: line_chart.to_svg(_growth_chart(what))
        for what, path in _chart_paths().items()
    }


def _answers() -> str:
    rows = []
    for name, title in ANSWERS.items():
        found = result(name)
        times = found["milliseconds"] if found else {}
        cells = [_spread(times.get(runtime)) for runtime in _RUNTIMES]
        rows.append([title, *cells, _ratio(times)])
    titles = [*_RUNTIMES.values(), "saved form / ONNX Runtime, as published"]
    return _table(["milliseconds", *titles], rows)


def _ratio(times: dict[str, Any]) -> str:
    pair = forward_pass.SAVED_MODEL, forward_pass.ONNX_RUNTIME_PUBLISHED
    if not times.keys() >= set(pair):
        return _ABSENT
    ours, theirs = (times[runtime]["median"] for runtime in pair)
    return f"{ours / theirs:.2f}"


def _rooflines() -> str:
    rows = []
    for name, title in ROOFLINES.items():
        found = result(name)
        times = found["milliseconds"] if found else {}
        shares = found["share_of_roofline"] if found else {}
        rows.append(
            [
                title,
                _spread(times.get("form")),
                _arithmetic(found) if found else _ABSENT,
                *(
                    f"{_spread(times.get(f'convolutions, {runtime}'))}: "
                    f"{shares[runtime]:.0%}"
                    if runtime in shares
                    else _ABSENT
                    for runtime in ("TensorFlow", "ONNX Runtime")
                ),
            ]
        )
    limit = "its convolutions alone in"
    return _table(
        [
            "milliseconds",
            "form",
            "its arithmetic at the rate of a matrix product: share reached",
            f"{limit} TensorFlow: share reached",
            f"{limit} ONNX Runtime: share reached",
        ],
        rows,
    )


def _arithmetic(found: dict[str, Any]) -> str:
    share = found["share_of_roofline"]["matrix product"]
    least = share * found["milliseconds"]["form"]["median"]
    return f"{_short(least)}: {share:.0%}"


def _steps() -> str:
    rows = []
    for name, title in STEPS.items():
        found = result(name)
        rows.append([title, *(_step(found) if found else [_ABSENT] * 7)])
    titles = (
        "seconds a step",
        "cores busy",
        "convolutions alone, on every core: share",
        "their arithmetic at the rate of a matrix product: share",
        "peak memory",
        "start to first step",
        "nodes",
    )
    return _table(["", *titles], rows)


def _step(found: dict[str, Any]) -> list[str]:
    limits = (convolution_seconds(found) / found["cores"], least_seconds(found))
    nodes = " + ".join(f"{count:,}" for count in found["graph_nodes"].values())
    return [
        _spread({"samples": found["seconds_of_each_step"]}),
        str(found["cores_busy"]),
        *(f"{x:.3g} s: {x / found['seconds_per_step']:.0%}" for x in limits),
        f"{found['peak_memory_gb']:.2f} GB",
        f"{found['seconds_to_first_step']:.0f} s",
        nodes,
    ]


def _peers() -> str:
    """Steps of ours and of the peer, in turns."""
    rows = []
    for name, title in STEPS.items():
        found = result(name)
        has_peer = found is not None and "peer" in found
        rows.append([title, *(_peer(found) if has_peer else [_ABSENT] * 7)])
    titles = (
        "seconds a step",
        "PyTorch, channels last",
        "ours / PyTorch",
        "PyTorch, all gradients",
        "ours / that",
        "peak memory",
        "PyTorch's",
    )
    return _table(["", *titles], rows)


def _peer(found: dict[str, Any]) -> list[str]:
    ours, peer = found["seconds_of_each_step"], found["peer"]
    all_gradients = peer.get("seconds_of_each_step_with_all_gradients")
    return [
        _spread({"samples": ours}),
        *_beside(ours, peer["seconds_of_each_step"]),
        *_beside(ours, all_gradients),
        f"{found['peak_memory_gb']:.2f} GB",
        f"{found['peer']['peak_memory_gb']:.2f} GB",
    ]


def _beside(ours: list[float], theirs: list[float] | None) -> list[str]:
    """Seconds of a peer, and ours as a share of them; empty without."""
    if theirs is None:
        return ["", ""]
    share = statistics.median(ours) / statistics.median(theirs)
    return [_spread({"samples": theirs}), f"{share:.2f}"]


def convolution_seconds(found: dict[str, Any]) -> float:
    """Returns the thread time of convolutions in a step, gradients included."""
    shares = found["share_of_thread_time"].items()
    share = math.fsum(
        value
        for kind, value in shares
        # Some convolutions are computed as products (`layers.convolution`).
        if "conv" in kind.lower() or kind == "MatMul"
    )
    return found["thread_seconds"] * share


def least_seconds(found: dict[str, Any]) -> float:
    """Returns what a step's convolutions take at the rate of a product."""
    gmac = math.fsum(found["gmac"].values())
    return gmac / found["gmac_per_second_of_matrix_product"]


def _kinds() -> str:
    """Share of thread time of the largest kinds, and of all others."""
    found = {name: result(name) for name in STEPS}
    shares = {
        name: one["share_of_thread_time"] for name, one in found.items() if one
    }
    total = {
        kind: math.fsum(share.get(kind, 0) for share in shares.values())
        for kind in sorted(
            {kind for share in shares.values() for kind in share}
        )
        if kind != "others"
    }
    kinds = sorted(total, key=total.get, reverse=True)[:_MOST_KINDS]
    rows = [
        [f"`{kind}`", *(f"{s.get(kind, 0):.1%}" for s in shares.values())]
        for kind in kinds
    ]
    others = [
        1 - math.fsum(s.get(k, 0) for k in kinds) for s in shares.values()
    ]
    rows.append(["all others", *(f"{share:.1%}" for share in others)])
    return _table(["", *(STEPS[name] for name in shares)], rows)


def _reading() -> str:
    found = result("reading")
    rows = []
    for name, case in (found["milliseconds"] if found else {}).items():
        both = case if "reading" in case else {"reading": case}
        share = f"{1 / case['ratio']:.0%}" if "ratio" in case else ""
        cells = [_spread(both.get(kind), "") for kind in ("reading", "bare")]
        rows.append([name, *cells, share])
    return _table(
        ["milliseconds", "reading", "limit: decoding alone", "share"], rows
    )


def _inputs() -> str:
    rows = []
    for name, title in INPUTS.items():
        found = result(name)
        rows.append([title, *(_input(found) if found else [_ABSENT] * 5)])
    titles = (
        "samples a second",
        "limit: every core at the rate of one",
        "share",
        "share of a sample that holds Python's lock",
        "the run's own process, ms a sample",
    )
    return _table(["", *titles], rows)


def _input(found: dict[str, Any]) -> list[str]:
    alone = result("input_one_core") or found
    limit = alone["samples_per_second"] * found["cores"] / alone["cores"]
    lock = found["share_of_lock"]
    return [
        _spread({"samples": found["samples_of_each_second"]}),
        f"{limit:.0f}",
        f"{found['samples_per_second'] / limit:.0%}",
        "" if lock is None else f"{lock:.2f}",
        f"{found['own_milliseconds_of_one_sample']:.2f}",
    ]


def _import() -> str:
    found = result("import")
    if found is None:
        return _ABSENT
    seconds = _spread({"samples": found["seconds_of_each_run"]})
    return _table(
        ["parameters", "file", "seconds", "peak memory"],
        [
            [
                f"{found['parameters']:,}",
                f"{found['file_mb']:.0f} MB",
                seconds,
                f"{found['peak_memory_gb']:.2f} GB",
            ]
        ],
    )


def _charts() -> str:
    return "\n\n".join(
        f"{_growth_chart(what).title}:\n\n"
        f"![{_growth_chart(what).title}]({path.removeprefix('docs/')})"
        for what, path in _chart_paths().items()
    )


def _chart_paths() -> dict[str, str]:
    return {
        what: f"{FOLDER}/growth_{what}.svg"
        for what in figures.GROWTH_OF
        if _curves(what)
    }


def _growth() -> str:
    rows = []
    for name, values in figures.GROWTH.items():
        for value in values:
            cells = []
            for what in figures.GROWTH_OF:
                found = result(figures.growth_name(what, **{name: value}))
                cells += _cost(found)
            rows.append([f"{_GROWING[name]}: {value}", *cells])
    for value in figures.REPLICAS:
        found = result(
            figures.growth_name(subjects.TRAIN_STEP, num_replicas=value)
        )
        cells = ["", "", "", *_cost(found)]
        rows.append([f"replicas of the strategy: {value}", *cells])
    titles = [
        f"{what}: {column}"
        for what in _GROWN.values()
        for column in ("seconds", "CPU seconds", "GB")
    ]
    return _table(["", *titles], rows)


def _cost(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return [_ABSENT, "", ""]
    return [
        _spread({"samples": found["seconds_of_each_step"]}),
        f"{found['cpu_seconds_per_step']:.3g}",
        f"{found['peak_memory_gb']:.2f}",
    ]


def _growth_chart(what: str) -> Chart:
    curves = _curves(what)
    top = math.ceil(max(y for curve in curves for _, y in curve.points))
    return Chart(
        f"Time of {_GROWN[what]}",
        tuple(curves),
        "times the smallest",
        y_limits=(0, top),
    )


def _curves(what: str) -> list[Curve]:
    """Times over sizes, both in times of what is smallest."""
    curves = []
    for name, values in figures.GROWTH.items():
        found = {
            value: result(figures.growth_name(what, **{name: value}))
            for value in values
        }
        seconds = {
            value: one["seconds_per_step"]
            for value, one in found.items()
            if one
        }
        least = min(values)
        if least in seconds and len(seconds) > 1:
            points = [
                (value / least, taken / seconds[least])
                for value, taken in seconds.items()
            ]
            curves.append(Curve(_GROWING[name], tuple(points)))
    return curves


def _commands() -> str:
    rows = []
    for figure in figures.TABLE.values():
        if not figure.name.startswith("growth"):
            held = "taskset -c 0 " if figure.has_one_core else ""
            words = shlex.join(figure.arguments)
            if figure.peer is not None:
                words += f" --peer={figure.peer}"
            command = f"{held}python -m tools.benchmark {words}"
            rows.append([f"`{figure.name}`", f"`{command}`"])
    return _table(["figure", "command"], rows)


def _machine() -> str:
    """What the figures were measured on, all in all."""
    every = list(_measured())
    cores = sorted({found["cores"] for found in every})
    loads = [found["load_average"] for found in every]
    versions = sorted(
        {f"{k} {v}" for one in every for k, v in one["versions"].items()}
    )
    rates = sorted(
        found["machine_gmac_per_second"]
        for found in every
        if "machine_gmac_per_second" in found
    )
    rate = (
        f"A product of matrices runs at {rates[0]} to {rates[-1]} GMAC/s. "
        if rates
        else ""
    )
    return (
        f"Cores of the processes: {' and '.join(map(str, cores))}. {rate}"
        f"{', '.join(versions)}. Load average at the end of a figure: "
        f"{min(loads)} to {max(loads)}."
    )


def _measured() -> Iterator[dict[str, Any]]:
    yield from filter(None, map(result, figures.TABLE))


def _spread(times: dict[str, Any] | None, absent: str = _ABSENT) -> str:
    """The median, and in brackets the quartiles where samples were kept."""
    if times is None:
        return absent
    samples = times.get("samples", [times.get("median")])
    measure = comparison.Measure("", tuple(samples))
    if len(measure.samples) < 2:
        return _short(measure.median)
    low, high = map(_short, measure.quartiles)
    return f"{_short(measure.median)} ({low} to {high})"


def _short(value: float) -> str:
    """Three digits."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _table(titles: list[str], rows: Iterable[list[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_BLOCKS = {
    "answers": _answers,
    "rooflines": _rooflines,
    "steps": _steps,
    "peers": _peers,
    "kinds": _kinds,
    "reading": _reading,
    "inputs": _inputs,
    "imported": _import,
    "charts": _charts,
    "growth": _growth,
    "commands": _commands,
    "machine": _machine,
}


def main() -> None:
    """Rewrites the page and its charts."""
    written = {PAGE: page_text(), **charts()}
    for path, text in written.items():
        pathlib.Path(shared.REPOSITORY / path).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
