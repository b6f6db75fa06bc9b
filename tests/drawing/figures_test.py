"""Tests of nppnet_tf.drawing.figures."""

import io
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

from absl.testing import absltest
from PIL import Image

from nppnet_tf.drawing import figures

_SVG = "{http://www.w3.org/2000/svg}"

_DRAWING = """
import sys
from nppnet_tf.drawing import figures
assert "matplotlib" not in sys.modules
with figures.style():
    figure = figures.new(120, 60)
    figure.add_subplot().plot([1, 2], [3, 4], "o-", gid="a")
texts = {figures.to_svg(figure, "title") for _ in range(2)}
assert len(texts) == 1, "the second time another text"
sys.stdout.write(texts.pop())
sys.stdout.flush()
sys.stdout.buffer.write(figures.to_png(figure))
"""


def _figure(*values: float):
    with figures.style():
        figure = figures.new(120, 60)
        figure.add_subplot().plot(values, "o-", gid="line")
    return figure


class FiguresTest(absltest.TestCase):
    def test_equal_figures_are_equal_bytes_whatever_a_user_has_set(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        settings = folder / "matplotlibrc"
        settings.write_text("font.size: 33\nsvg.fonttype: path\nno such: 1\n")
        environment = {
            "PATH": os.environ["PATH"],
            "MPLCONFIGDIR": str(folder / "absent"),
        }

        outputs = [
            subprocess.run(
                [sys.executable, "-c", _DRAWING],
                env=environment | more,
                capture_output=True,
                check=True,
            )
            for more in ({}, {"MATPLOTLIBRC": str(settings)})
        ]

        self.assertEqual(outputs[0].stdout, outputs[1].stdout)
        self.assertEqual([output.stderr for output in outputs], [b"", b""])

    def test_svg_is_an_element_of_its_size_with_titles(self):
        text = figures.to_svg(_figure(1, 2), "a < b", {"line": "x & y"})

        root = xml.etree.ElementTree.fromstring(text)
        self.assertStartsWith(text, "<svg ")
        self.assertEqual((root.get("width"), root.get("height")), ("120", "60"))
        titles = [element.text for element in root.iter(f"{_SVG}title")]
        self.assertEqual(titles, ["a < b", "x & y"])

    def test_figures_of_one_page_do_not_take_the_names_of_each_other(self):
        texts = [figures.to_svg(_figure(*v), "t") for v in ((1, 2), (3, 5, 4))]

        names = [re.findall(r' id="([^"]+)"', text) for text in texts]
        for text, own in zip(texts, names, strict=True):
            used = re.findall(r'(?:url\(|href=")#([^")]+)', text)
            self.assertNotEmpty(used)
            self.assertCountEqual(set(used), own)
        self.assertNoCommonElements(*names)

    def test_letters_that_no_font_or_document_takes_are_no_fault(self):
        words = "\x1b[31m \udcff \u68c0 \x00"

        figure = _figure(1, 2)
        figure.text(0.1, 0.1, words)
        text = figures.to_svg(figure, words, {"line": words})

        root = xml.etree.ElementTree.fromstring(text)
        shown = "\\x1b[31m \\xff \u68c0 \\x00"
        titles = [element.text for element in root.iter(f"{_SVG}title")]
        self.assertEqual(titles, [shown, shown])
        self.assertIn(shown, [e.text for e in root.iter(f"{_SVG}text")])
        self.assertNotEmpty(figures.to_png(figure))
        self.assertGreater(figures.text_width(words, 12), 40)

    def test_png_has_the_scaled_size(self):
        content = figures.to_png(_figure(1, 2), scale=1.5)

        with Image.open(io.BytesIO(content)) as image:
            self.assertEqual((image.format, image.size), ("PNG", (180, 90)))

    def test_the_style_ends_where_it_is_left(self):
        import matplotlib

        before = matplotlib.rcParams["svg.fonttype"]
        with figures.style():
            self.assertEqual(matplotlib.rcParams["svg.fonttype"], "none")

        self.assertEqual(matplotlib.rcParams["svg.fonttype"], before)


if __name__ == "__main__":
    absltest.main()
