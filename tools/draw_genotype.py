r"""Draws a genotype, or the difference of two, as SVG or PNG.

    python -m tools.draw_genotype --genotype=released --output=released.svg
    python -m tools.draw_genotype --genotype=released \
        --other=runs/search/genotype.json --output=difference.png

Cells are drawn as circuits, the interaction as wires between the two pyramids.
With --other, operations of both genotypes are gray, those only in the first red
and dashed, those only in the second green.
"""

import pathlib

from nppnet_tf import errors
from nppnet_tf.drawing import genotype_drawing
from nppnet_tf.search_space import published

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

_NAMES = ", ".join(published.NAMES)

GENOTYPE = FLAGS.define_path(
    "genotype",
    None,
    f"Genotype to draw: a JSON file, or one of {_NAMES}.",
    paths.require_genotype,
)
OTHER = FLAGS.define_path(
    "other",
    None,
    "Second genotype, to draw the difference of the two.",
    paths.require_genotype,
)
OUTPUT = FLAGS.define_output(
    "output",
    None,
    "Picture to write; the ending .svg or .png says the kind.",
    paths.new_file,
)
TITLE = FLAGS.define_text("title", None, "Heading of the picture.")
SCALE = FLAGS.define_number(
    "scale", 1.5, "Pixels of a PNG per pixel of the drawing.", 0.2, 4
)


def _run(argv: list[str]) -> None:
    del argv
    genotype_drawing.check_suffix(OUTPUT.value)
    if OUTPUT.value.lower().endswith(".svg"):
        FLAGS.refuse_idle("an --output of .png", "scale")
    output = paths.new_file(
        OUTPUT.value, "--output", (GENOTYPE.value, OTHER.value)
    )
    first = published.resolve(GENOTYPE.value)
    if OTHER.value:
        second = published.resolve(OTHER.value)
        names = _names(GENOTYPE.value, OTHER.value)
        drawing = genotype_drawing.draw_difference(
            first, second, *names, title=TITLE.value
        )
        counts = genotype_drawing.difference_counts(first, second)
        note = (
            f" ({counts[0]} operations in both, {counts[1]} only in "
            f"{names[0]}, {counts[2]} only in {names[1]})"
        )
    else:
        title = TITLE.value or f"Genotype {_name(GENOTYPE.value)}"
        drawing = genotype_drawing.draw(first, title)
        note = ""
    genotype_drawing.save(drawing, output, SCALE.value)
    console.say(f"wrote {output}{note}")


def _name(genotype: str) -> str:
    """Short name for headings: a published name, or run folder and file."""
    if genotype in published.NAMES:
        return genotype
    return errors.printable("/".join(pathlib.Path(genotype).parts[-2:]))


def _names(first: str, second: str) -> tuple[str, str]:
    """Two names that differ: the whole paths where short names are equal."""
    short = (_name(first), _name(second))
    if short[0] != short[1]:
        return short
    if first != second:
        return first, second
    return f"first {short[0]}", f"second {short[1]}"


def main() -> None:
    """Runs the tool."""
    app.run(_run, FLAGS, required=("genotype", "output"))


if __name__ == "__main__":
    main()
