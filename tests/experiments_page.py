"""Writes the tables and figures of docs/experiments.md from its JSON files.

python -m tests.experiments_page

What stands on the page between `<!-- written: STUDY NAME -->` and
`<!-- end -->` is made here of docs/experiments/STUDY.json, which tools.study
makes; budgets.json is the pareto.json of tools.search_budgets. A test compares.
"""

import functools
import pathlib
import re
from typing import Any

from nppnet_tf.drawing import line_chart
from nppnet_tf.files import json_documents
from nppnet_tf.reports.page import Table
from nppnet_tf.study import figures
from nppnet_tf.study import plan
from nppnet_tf.study import report
from nppnet_tf.study import summary
from tests import shared
from tools.roads import budgets

PAGE = "docs/experiments.md"
FOLDER = "docs/experiments"

_WRITTEN = re.compile(
    r"(<!-- written: (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL
)
_ABSENT = "Not measured yet."
_BUDGETS = "budgets"

# Figures by the name in their files.
_FIGURES = {
    "scores_steps": lambda found: figures.scores(found, plan.STEPS),
    "scores_time": lambda found: figures.scores(found, plan.TIME),
    "differences_steps": lambda found: figures.differences(found, plan.STEPS),
    "differences_time": lambda found: figures.differences(found, plan.TIME),
    "cost": lambda found: figures.cost_and_score(found, plan.STEPS),
    "curves": lambda found: figures.curves(found, plan.TIME),
    "supernet": figures.supernet,
    "rows": figures.table_5,
    "miou": lambda rows: line_chart.to_svg(budgets.charts_of(rows)[0]),
    "pckh": lambda rows: line_chart.to_svg(budgets.charts_of(rows)[1]),
}


@functools.cache
def result(study: str) -> Any:
    """Returns the figures of a study, None where there are none."""
    path = shared.REPOSITORY / FOLDER / f"{study}.json"
    if not path.exists():
        return None
    if study == _BUDGETS:
        return json_documents.read(path)
    return json_documents.read_document(
        path, summary.FORMAT, summary.FORMAT_VERSION
    )


def page_text() -> str:
    """Returns what docs/experiments.md should be."""
    page = (shared.REPOSITORY / PAGE).read_text(encoding="utf-8")
    return _WRITTEN.sub(
        lambda found: f"{found[1]}{_block(found[2], found[3])}\n{found[4]}",
        page,
    )


def drawings() -> dict[str, str]:
    """Returns the figures that the page shows, by their paths."""
    page = (shared.REPOSITORY / PAGE).read_text(encoding="utf-8")
    found = {}
    for _, study, name, _ in _WRITTEN.findall(page):
        svg = _figure(study, name)
        if svg:
            found[_path(study, name)] = svg
    return found


def _block(study: str, name: str) -> str:
    found = result(study)
    if found is None:
        return _ABSENT
    if name in _FIGURES:
        path = pathlib.Path(_path(study, name)).relative_to("docs")
        has_figure = _figure(study, name) is not None
        return f"![{name}]({path})" if has_figure else _ABSENT
    return _TEXTS[name](found)


def _figure(study: str, name: str) -> str | None:
    found = result(study)
    return _FIGURES[name](found) if found and name in _FIGURES else None


def _path(study: str, name: str) -> str:
    return f"{FOLDER}/{study}_{name}.svg"


def _tables(found: dict[str, Any]) -> str:
    return "\n\n".join(map(_markdown, report.tables_of(found)))


def _markdown(table: Table) -> str:
    lines = [table.header, ["---"] * len(table.header), *table.rows]
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    caption = f"**{table.caption}.**\n\n" if table.caption else ""
    note = f"\n\n{table.note}" if table.note else ""
    return f"{caption}{rows}{note}"


def _protocol(found: dict[str, Any]) -> str:
    lines = [
        f"* **{name}**: {text}."
        for name, text in report.data(found).protocol.items()
    ]
    versions = ", ".join(
        f"{name} {version}" for name, version in found["versions"].items()
    )
    return "\n".join(
        [*lines, f"* **machine**: cores: {found['processors']}; {versions}."]
    )


def _supernet(found: dict[str, Any]) -> str:
    if not found["supernet"]:
        return _ABSENT
    return "\n".join(
        f"* {figures.TITLES[measure]}: Spearman {told['spearman']:.2f} "
        f"(p = {told['p_value']:.2g}) of {told['count']} genotypes."
        for measure, of_measure in found["supernet"].items()
        if (told := of_measure["correlation"])
    )


_TEXTS = {
    "tables": _tables,
    "protocol": _protocol,
    "correlation": _supernet,
    "networks": lambda rows: _markdown(budgets.table_of(rows)),
}


def main() -> None:
    """Rewrites the page and its figures."""
    written = {PAGE: page_text(), **drawings()}
    for path, text in written.items():
        pathlib.Path(shared.REPOSITORY / path).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
