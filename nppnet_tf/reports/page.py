"""One HTML page that tells a whole run and needs no other file.

Pictures are embedded, charts and the genotype are inline SVG, and nothing is
fetched: the page reads the same on a machine without a network.
"""

import base64
import dataclasses
import functools
import os
import pathlib
import xml.etree.ElementTree
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nppnet_tf import errors
from nppnet_tf.drawing import line_chart
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.pictures import picture_files

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = pathlib.Path(__file__).with_name("templates")

_MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


@dataclasses.dataclass(frozen=True)
class Table:
    """Words and numbers in rows.

    Attributes:
        header: One title per column.
        rows: Rows of as many cells as the header has; first the name of the
            row.
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
        examples: Examples in the order of the page.
        rule: How the examples were picked.
        legend: Color "#rrggbb" of every class by name.
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
        charts: Charts, at least one.
        note: Below the title.
    """

    title: str
    charts: tuple[line_chart.Chart, ...]
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A figure that is no line chart.

    Attributes:
        title: Above it.
        svg: An SVG element, of `drawing.figures.to_svg`.
        note: What it shows.
    """

    title: str
    svg: str
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Phase:
    """One step of the road.

    Attributes:
        name: Name of the phase.
        seconds: Seconds that it took.
        commands: Commands as a user types them.
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
        tables: Further ones below it.
        gallery: Pictures, or None.
        genotype_svg: An SVG document, or an empty string.
        genotype_note: What the drawing shows.
        figures: Figures of the result.
        drawings: What a search did over its epochs.
        charts: Curves.
        scores: Per class, per keypoint.
        phases: Commands and times.
        environment: Versions and machine, by name.
    """

    title: str
    introduction: tuple[str, ...]
    summary: Table
    protocol: Mapping[str, str]
    tables: tuple[Table, ...] = ()
    gallery: Gallery | None = None
    genotype_svg: str = ""
    genotype_note: str = ""
    figures: tuple[Drawing, ...] = ()
    drawings: tuple[Drawing, ...] = ()
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
    # Parsed so that a broken drawing cannot break the page around it.
    drawn = (*data.figures, *data.drawings)
    for svg in (data.genotype_svg, *(each.svg for each in drawn)):
        if svg:
            xml.etree.ElementTree.fromstring(svg)
    return _templates().get_template("report.html").render(data=data)


@functools.cache
def _templates() -> "jinja2.Environment":
    """The pages of this package; every value in them is text, not HTML."""
    import jinja2

    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(
        chart=line_chart.to_svg,
        duration=_duration,
        embedded=_embedded,
        percent=lambda score: f"{100 * min(max(score, 0.0), 1.0):.1f}%",
    )
    return templates


def _shown(value: object) -> object:
    """A value without characters that a file cannot hold."""
    # What is HTML already is of a type of its own.
    return errors.escaped(value) if type(value) is str else value


def _embedded(image: pathlib.Path) -> str:
    """Returns a picture as an address that holds the picture."""
    media_type = _MEDIA_TYPES.get(pathlib.Path(image).suffix.lower())
    if media_type is None:
        raise UserError(
            "picture cannot be embedded", image, ", ".join(_MEDIA_TYPES)
        )
    content = picture_files.read_bytes(image)
    # A browser would show a broken one as a small gap.
    picture_files.picture_size(content, image)
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


def _check_rows(
    header: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    for row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"A row does not fit its {len(header)} columns. "
                f"Received: row={row!r}"
            )
