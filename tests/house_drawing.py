"""Draws docs/house.svg, the rooms of the package, from BUILD.

    python -m tests.house_drawing

A box is a library of BUILD with the first sentence of its package and the
libraries that it may import. It stands one floor above the highest of these.
"""

import ast
import html
import pathlib
import textwrap

from tests import build_file
from tests import shared

PICTURE = "docs/house.svg"

# Libraries that are a part of a package, or stand beside the packages.
_PURPOSES = {
    "base": "Keys, settings and errors that all share.",
    "data": "One annotated person, before any layout or batch.",
    "descriptors": "What a data set annotates: classes, joints, colors.",
    "import_paths": "Records by paths that stay, for notebooks.",
    "records": "Folders of records, written once and read by number.",
    "replicas": "What one replica knows of the others.",
    "resampling": "One resizing of features, logits and pictures.",
}

# In pixels.
_WIDTH = 860
_GAP = 14
_LINE = 15
_PADDING = 10
_COLORS = ("#e0f2f1", "#e8eaf6", "#fff8e1", "#fce4ec", "#e8f5e9", "#ede7f6")


def rooms() -> dict[str, build_file.Target]:
    """Returns the libraries of BUILD but for those of the tests, by name."""
    return {
        name: target
        for name, target in build_file.read_targets().items()
        if target.kind == "py_library" and name != "testing"
    }


def floors() -> list[list[str]]:
    """Returns the names of the libraries, floor by floor from the ground."""
    targets = rooms()
    heights: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in heights:
            below = [height(d) for d in targets[name].dependencies]
            heights[name] = 1 + max(below, default=-1)
        return heights[name]

    for name in targets:
        height(name)
    return [
        sorted(name for name in targets if heights[name] == floor)
        for floor in range(max(heights.values()) + 1)
    ]


def drawing() -> str:
    """Returns what docs/house.svg should be."""
    boxes = []
    top = _GAP
    levels = floors()
    for floor in range(len(levels) - 1, -1, -1):
        names = levels[floor]
        width = (_WIDTH - _GAP * (len(names) + 1)) / len(names)
        texts = [_lines(name, width) for name in names]
        height = 2 * _PADDING + _LINE * (1 + max(map(len, texts)))
        for number, (name, lines) in enumerate(zip(names, texts, strict=True)):
            left = _GAP + number * (width + _GAP)
            color = _COLORS[floor % len(_COLORS)]
            boxes.append(_box(name, lines, (left, top, width, height), color))
        top += height + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>\n'
        + "".join(boxes)
        + "</svg>\n"
    )


def _box(
    name: str,
    lines: list[tuple[str, bool]],
    place: tuple[float, float, float, float],
    color: str,
) -> str:
    left, top, width, height = place
    baseline = top + _PADDING + 12
    parts = [
        f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" '
        f'height="{height}" rx="6" fill="{color}" stroke="#90a4ae"/>',
        _text(left, baseline, name, 'font-weight="bold" font-size="14"'),
    ]
    for number, (line, is_import) in enumerate(lines, 1):
        style = 'fill="#546e7a"' if is_import else 'fill="#263238"'
        parts.append(_text(left, baseline + number * _LINE, line, style))
    return "\n".join(parts) + "\n"


def _text(left: float, baseline: float, line: str, style: str) -> str:
    place = f'x="{left + _PADDING:.0f}" y="{baseline}"'
    return f"<text {place} {style}>{html.escape(line)}</text>"


def _lines(name: str, width: float) -> list[tuple[str, bool]]:
    """Lines of a box, and whether each tells of imports."""
    letters = int((width - 2 * _PADDING) / 6.4)
    imports = ", ".join(sorted(rooms()[name].dependencies))
    purpose = textwrap.wrap(_purpose(name), letters)
    return [(line, False) for line in purpose] + [
        (line, True)
        for line in textwrap.wrap(f"imports {imports}", letters)
        if imports
    ]


def _purpose(name: str) -> str:
    """The first sentence of what the package says of itself."""
    if name in _PURPOSES:
        return _PURPOSES[name]
    package = min(
        source
        for source in rooms()[name].sources
        if source.endswith("/__init__.py")
    )
    tree = ast.parse((shared.REPOSITORY / package).read_text())
    first = (ast.get_docstring(tree) or "").partition("\n\n")[0]
    return " ".join(first.replace("`", "").split())


def main() -> None:
    """Rewrites the picture."""
    pathlib.Path(shared.REPOSITORY / PICTURE).write_text(drawing())


if __name__ == "__main__":
    main()
