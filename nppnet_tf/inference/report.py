"""One HTML page that tells a whole run and needs no other file.

Pictures are embedded, charts and the genotype are inline SVG, and nothing is
fetched: the page reads the same on a machine without a network.
"""

import base64
import dataclasses
import html
import os
import pathlib
import xml.etree.ElementTree
from collections.abc import Mapping
from collections.abc import Sequence

from nppnet_tf import atomic
from nppnet_tf.errors import UserError
from nppnet_tf.inference import line_chart

_MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}

_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 5rem; max-width: 70rem;
  background: #fff; color: #222; font: 16px/1.55 system-ui, -apple-system,
  "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
h1 { font-size: 2rem; font-weight: 400; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.4rem; font-weight: 400; margin: 3rem 0 .6rem;
  padding-top: .9rem; border-top: 1px solid #ddd; }
h3 { font-size: 1.05rem; font-weight: 500; margin: 1.6rem 0 .4rem; }
p { max-width: 46rem; margin: .5rem 0; }
.note { color: #666; font-size: .875rem; }
nav { font-size: .9rem; margin: 1rem 0; }
nav a { margin-right: 1.1rem; color: #0a5c9e; text-decoration: none; }
table { border-collapse: collapse; font-size: .9rem; margin: .6rem 0;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 500; padding: .3rem 0; }
th, td { padding: .28rem .9rem .28rem 0; text-align: right;
  border-bottom: 1px solid #e8e8e8; vertical-align: top; }
th { font-weight: 500; color: #555; }
th:first-child, td:first-child { text-align: left; }
table.summary { font-size: 1.05rem; }
table.summary td, table.summary th { padding: .45rem 1.8rem .45rem 0; }
td.bar { min-width: 9rem; text-align: left; padding-right: 1.2rem; }
.track { display: block; position: relative; height: 1.25rem;
  background: #f3f3f3; }
.track > span { position: absolute; inset: 0 auto 0 0; background: #bcd7ee; }
.track > b { position: absolute; right: .3rem; font-weight: 400;
  line-height: 1.25rem; }
td.bar:nth-child(odd) .track > span { background: #f3d2b3; }
pre { background: #f6f6f6; padding: .6rem .8rem; overflow-x: auto;
  font-size: .8rem; line-height: 1.45; margin: .3rem 0 1rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.charts { display: grid; gap: 1rem 2rem;
  grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); }
.charts figure { margin: 0; }
.charts svg { width: 100%; height: auto; }
figcaption { font-size: .9rem; font-weight: 500; }
.tables { display: flex; flex-wrap: wrap; gap: 0 3rem; }
.gallery { display: grid; gap: 1.2rem 1.6rem;
  grid-template-columns: repeat(auto-fill, minmax(31rem, 1fr)); }
.gallery figure { margin: 0; }
.gallery .row { display: grid; grid-auto-flow: column;
  grid-auto-columns: 1fr; gap: .3rem; }
.gallery .row div { font-size: .72rem; color: #666; text-align: center; }
.gallery img { display: block; width: 100%; height: 12rem;
  object-fit: contain; background: #f3f3f3; }
.gallery figcaption { font-weight: 400; font-size: .8rem; color: #444; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .8rem;
  margin: .5rem 0 1rem; }
.legend i { display: inline-block; width: .85rem; height: .85rem;
  margin-right: .35rem; vertical-align: -.1rem; border: 1px solid #999; }
.genotype { overflow-x: auto; width: min(97vw, 105rem);
  margin-left: calc(50% - min(48.5vw, 52.5rem)); }
.genotype svg { display: block; width: 100%; min-width: 55rem; height: auto; }
@media (max-width: 36rem) { .gallery, .charts { grid-template-columns: 1fr; } }
@media print { .genotype svg { min-width: 0; } h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; } }
"""


@dataclasses.dataclass(frozen=True)
class Table:
    """Words and numbers in rows.

    Attributes:
        header: One title per column.
        rows: As many cells as the header has; first the name of the row.
        caption: Above the table.
        note: Below it.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuses rows that do not fit the header."""
        _check_rows(self.header, self.rows)


@dataclasses.dataclass(frozen=True)
class ScoreTable:
    """Scores from 0 to 1 with a bar behind each.

    Attributes:
        header: One title per column, first that of the names.
        rows: A name and its scores, None where nothing was measured.
        caption: Above the table.
        note: Below it.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    caption: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuses rows that do not fit the header."""
        _check_rows(self.header, [(n, *scores) for n, scores in self.rows])


@dataclasses.dataclass(frozen=True)
class Example:
    """One picture, its truth and its predictions side by side.

    Attributes:
        caption: Below the row.
        images: PNG or JPEG files, one per column of the gallery.
    """

    caption: str
    images: tuple[pathlib.Path, ...]


@dataclasses.dataclass(frozen=True)
class Gallery:
    """Examples with equal columns.

    Attributes:
        columns: What each picture of a row shows.
        examples: In the order of the page.
        rule: How the examples were picked.
        legend: Colour "#rrggbb" of every class by name.
    """

    columns: tuple[str, ...]
    examples: tuple[Example, ...]
    rule: str
    legend: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses examples that do not fit the columns."""
        _check_rows(self.columns, [e.images for e in self.examples])


@dataclasses.dataclass(frozen=True)
class ChartGroup:
    """Charts that belong together.

    Attributes:
        title: Above the group.
        charts: At least one.
        note: Below the title.
    """

    title: str
    charts: tuple[line_chart.Chart, ...]
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Phase:
    """One step of the road.

    Attributes:
        name: Of the phase.
        seconds: It took.
        commands: As a user types them.
    """

    name: str
    seconds: float
    commands: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class ReportData:
    """Everything the page shows; empty parts are left out.

    Attributes:
        title: Heading of the page.
        introduction: Paragraphs: what this is.
        summary: The result, systems side by side.
        protocol: How it was measured, by name of the choice.
        gallery: Pictures, or None.
        genotype_svg: An SVG document, or an empty string.
        genotype_note: What the drawing shows.
        charts: Curves.
        scores: Per class, per keypoint.
        phases: Commands and times.
        environment: Versions and machine, by name.
    """

    title: str
    introduction: tuple[str, ...]
    summary: Table
    protocol: Mapping[str, str]
    gallery: Gallery | None = None
    genotype_svg: str = ""
    genotype_note: str = ""
    charts: tuple[ChartGroup, ...] = ()
    scores: tuple[ScoreTable, ...] = ()
    phases: tuple[Phase, ...] = ()
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


def write(data: ReportData, path: str | os.PathLike) -> None:
    """Writes the page, whole or not at all.

    Args:
        data: What the page shows.
        path: HTML file.

    Raises:
        UserError: If a picture cannot be read.
    """
    atomic.write_text(path, to_html(data))


def to_html(data: ReportData) -> str:
    """Returns the page as text.

    Raises:
        UserError: If a picture cannot be read.
    """
    sections = [
        ("Result", "result", _summary(data)),
        ("Pictures", "pictures", _gallery(data.gallery)),
        ("What the search found", "genotype", _genotype(data)),
        ("Scores in detail", "scores", _scores(data.scores)),
        ("Curves", "curves", _charts(data.charts)),
        ("How it was made", "commands", _phases(data.phases)),
        ("Machine and versions", "environment", _facts(data.environment)),
    ]
    shown = [section for section in sections if section[2]]
    links = "".join(f'<a href="#{key}">{title}</a>' for title, key, _ in shown)
    body = "\n".join(
        f'<h2 id="{key}">{title}</h2>\n{text}' for title, key, text in shown
    )
    introduction = "\n".join(
        f"<p>{html.escape(paragraph)}</p>" for paragraph in data.introduction
    )
    title = html.escape(data.title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, '
        'initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n{introduction}\n<nav>{links}</nav>\n{body}\n"
        "</body>\n</html>\n"
    )


def _summary(data: ReportData) -> str:
    return (
        _table(data.summary, "summary")
        + "<h3>Protocol</h3>"
        + _facts(data.protocol)
    )


def _gallery(gallery: Gallery | None) -> str:
    if gallery is None or not gallery.examples:
        return ""
    legend = "".join(
        f'<span><i style="background:{html.escape(colour)}"></i>'
        f"{html.escape(name)}</span>"
        for name, colour in gallery.legend.items()
    )
    figures = "\n".join(
        _figure(example, gallery.columns) for example in gallery.examples
    )
    return (
        f"<p>{html.escape(gallery.rule)}</p>"
        f'<div class="legend">{legend}</div>'
        f'<div class="gallery">{figures}</div>'
    )


def _figure(example: Example, columns: Sequence[str]) -> str:
    cells = "".join(
        f'<div><img src="{_embedded(image)}" alt="{html.escape(column)} of '
        f'{html.escape(example.caption)}" loading="lazy">'
        f"{html.escape(column)}</div>"
        for image, column in zip(example.images, columns, strict=True)
    )
    return (
        f'<figure><div class="row">{cells}</div>'
        f"<figcaption>{html.escape(example.caption)}</figcaption></figure>"
    )


def _embedded(image: pathlib.Path) -> str:
    media_type = _MEDIA_TYPES.get(pathlib.Path(image).suffix.lower())
    if media_type is None:
        raise UserError(
            "picture cannot be embedded", image, ", ".join(_MEDIA_TYPES)
        )
    try:
        content = pathlib.Path(image).read_bytes()
    except OSError as error:
        raise UserError(
            "picture cannot be read", image, "a file", error.strerror
        ) from error
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _genotype(data: ReportData) -> str:
    if not data.genotype_svg:
        return ""
    # Parsed so that a broken drawing cannot break the page around it.
    xml.etree.ElementTree.fromstring(data.genotype_svg)
    note = f"<p>{html.escape(data.genotype_note)}</p>"
    return f'{note}<div class="genotype">{data.genotype_svg}</div>'


def _scores(tables: Sequence[ScoreTable]) -> str:
    if not tables:
        return ""
    return f'<div class="tables">{"".join(map(_score_table, tables))}</div>'


def _score_table(table: ScoreTable) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td>"
        + "".join(_bar(score) for score in scores)
        + "</tr>"
        for name, scores in table.rows
    )
    return _framed(table.caption, table.header, rows, table.note, "scores")


def _bar(score: float | None) -> str:
    if score is None:
        return '<td class="bar"><span class="track"><b>-</b></span></td>'
    width = 100 * min(max(score, 0.0), 1.0)
    return (
        f'<td class="bar"><span class="track"><span style="width:{width:.1f}%">'
        f"</span><b>{score:.3f}</b></span></td>"
    )


def _table(table: Table, name: str) -> str:
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>"
        for row in table.rows
    )
    return _framed(table.caption, table.header, rows, table.note, name)


def _framed(
    caption: str, header: Sequence[str], rows: str, note: str, name: str
) -> str:
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    heads = "".join(f'<th scope="col">{html.escape(h)}</th>' for h in header)
    below = f'<p class="note">{html.escape(note)}</p>' if note else ""
    return (
        f'<div><table class="{name}">{title}<thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>{below}</div>"
    )


def _charts(groups: Sequence[ChartGroup]) -> str:
    return "".join(_chart_group(group) for group in groups)


def _chart_group(group: ChartGroup) -> str:
    figures = "".join(
        f"<figure><figcaption>{html.escape(chart.title)}</figcaption>"
        f"{line_chart.to_svg(chart)}</figure>"
        for chart in group.charts
    )
    note = (
        f'<p class="note">{html.escape(group.note)}</p>' if group.note else ""
    )
    return (
        f"<h3>{html.escape(group.title)}</h3>{note}"
        f'<div class="charts">{figures}</div>'
    )


def _phases(phases: Sequence[Phase]) -> str:
    if not phases:
        return ""
    total = sum(phase.seconds for phase in phases)
    rows = (
        *((phase.name, _duration(phase.seconds)) for phase in phases),
        ("all together", _duration(total)),
    )
    commands = "".join(
        f"<h3>{html.escape(phase.name)}</h3>"
        f"<pre>{html.escape(chr(10).join(phase.commands))}</pre>"
        for phase in phases
        if phase.commands
    )
    return _table(Table(("Phase", "Time"), rows), "phases") + commands


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


def _facts(facts: Mapping[str, str]) -> str:
    if not facts:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td>"
        f'<td style="text-align:left">{html.escape(value)}</td></tr>'
        for name, value in facts.items()
    )
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


def _check_rows(
    header: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    for row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"A row does not fit its {len(header)} columns. "
                f"Received: row={row!r}"
            )
