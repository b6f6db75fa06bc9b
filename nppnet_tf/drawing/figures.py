"""Figures by matplotlib: one style, and the same bytes for the same figure.

What is drawn inside `style()` looks as `figures.mplstyle` says, whatever the
user's own matplotlibrc says. Charts of the report, drawings of genotypes and
figures of a study begin here. matplotlib is imported when the first figure is
made: who draws nothing does not wait for it.
"""

import contextlib
import hashlib
import io
import logging
import pathlib
import re
import warnings
import xml.etree.ElementTree
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf import errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = pathlib.Path(__file__).with_name("figures.mplstyle")

PIXELS_PER_INCH = 72

_SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"
_REFERENCE = re.compile(r"(^#|url\(#)([^)\s]+)")
# No date, no version: equal figures are equal bytes.
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Lends the style to what is drawn and written inside."""
    # Of caches and fonts, of which nobody asked who ran a tool.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import matplotlib.style

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.style.use(STYLE)
        yield


def new(width: float, height: float) -> "Figure":
    """Returns an empty figure, to be called inside `style()`.

    Args:
        width: Width in pixels.
        height: Height in pixels.
    """
    from matplotlib.figure import Figure

    return Figure((width / PIXELS_PER_INCH, height / PIXELS_PER_INCH))


def to_svg(
    figure: "Figure", title: str, notes: Mapping[str, str] | None = None
) -> str:
    """Returns a figure as an SVG element, for a file or within a page.

    Names inside begin with a hash of the figure, so that several figures
    within one page do not take each other's.

    Args:
        figure: Made inside `style()`, which need not be open still.
        title: Read out by screen readers.
        notes: What is shown where the mouse rests, by `gid` of the artist.
    """
    # First: the hash is of a text that has these names, too.
    xml.etree.ElementTree.register_namespace("", _SVG)
    xml.etree.ElementTree.register_namespace("xlink", _LINK)
    root = xml.etree.ElementTree.fromstring(_svg(figure))
    for element in root.iter():
        note = (notes or {}).get(element.get("id", ""))
        if note is not None:
            _add_title(element, note)
    _keep_names_in_use(root)
    root.set("role", "img")
    _add_title(root, title)
    for name in ("width", "height"):
        root.set(name, root.get(name, "").removesuffix("pt"))
    return xml.etree.ElementTree.tostring(root, encoding="unicode") + "\n"


def to_png(figure: "Figure", scale: float = 1.0) -> bytes:
    """Returns a figure as a PNG file, `scale` pixels per pixel."""
    content = io.BytesIO()
    _save(
        figure,
        content,
        format="png",
        dpi=PIXELS_PER_INCH * scale,
        metadata={"Software": None},
    )
    return content.getvalue()


def text_width(text: str, size: float) -> float:
    """Returns the pixels that a line of text takes at this letter size."""
    from matplotlib.textpath import TextPath

    # A point at the end, since blanks have no outline.
    with style(), _missing_letters():
        ends = [
            TextPath((0, 0), f"{shown}.", size=100).get_extents().x1
            for shown in (errors.escaped(text), "")
        ]
    return (ends[0] - ends[1]) * size / 100


def _svg(figure: "Figure") -> str:
    content = io.StringIO()
    _save(figure, content, format="svg", metadata=_NO_METADATA)
    return content.getvalue()


def _save(figure: "Figure", content: io.IOBase, **settings: Any) -> None:
    from matplotlib.text import Text

    with style(), _missing_letters():
        for text in figure.findobj(Text):
            # Neither fonts nor XML take what steers a terminal, or bytes of
            # file names that are no text.
            text.set_text(errors.escaped(text.get_text()))
        figure.savefig(content, **settings)


@contextlib.contextmanager
def _missing_letters() -> Iterator[None]:
    """Lets boxes stand where the font lacks a letter; who reads sees them.

    In an SVG text is text, and the reader's fonts have it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def _add_title(element: xml.etree.ElementTree.Element, text: str) -> None:
    title = xml.etree.ElementTree.Element(f"{{{_SVG}}}title")
    title.text = errors.escaped(text)
    element.insert(0, title)


def _keep_names_in_use(root: xml.etree.ElementTree.Element) -> None:
    """Removes names that nothing refers to; puts a hash before the others."""
    text = xml.etree.ElementTree.tostring(root, encoding="unicode")
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    # Names of clip paths come from addresses in memory: counted instead.
    found = re.findall(r' id="([^"]+)"', text)
    kept = [name for name in found if name in used]
    numbers = {name: f"n{number}" for number, name in enumerate(kept)}
    _rename(root, numbers)
    content = hashlib.sha256(xml.etree.ElementTree.tostring(root)).hexdigest()
    _rename(root, {name: f"f{content[:8]}-{name}" for name in numbers.values()})


def _rename(
    root: xml.etree.ElementTree.Element, names: Mapping[str, str]
) -> None:
    """Renames elements and references to them; removes all other names."""
    for element in root.iter():
        name = element.attrib.pop("id", None)
        if name in names:
            element.set("id", names[name])
        for key, value in element.attrib.items():
            renamed = _REFERENCE.sub(
                lambda match: match[1] + names.get(match[2], match[2]), value
            )
            element.set(key, renamed)
