"""Tests of nppnet_tf.drawing.scene."""

import io
import xml.etree.ElementTree

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.drawing import figures
from nppnet_tf.drawing import scene

_BLACK = scene.Style("none", "#000000")
_RED = scene.Style("#ff0000", "#ff0000")
_WHITE = scene.Style("#ffffff", "#ffffff")

_SVG = "{http://www.w3.org/2000/svg}"


class SceneTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.page = scene.Scene(100, "a < b & c")

    def _image(self, scale: float = 1.0) -> np.ndarray:
        self.page.end(60)
        with Image.open(io.BytesIO(self.page.to_png(scale))) as image:
            return np.asarray(image.convert("RGB"))

    def _root(self) -> xml.etree.ElementTree.Element:
        self.page.end(60)
        return xml.etree.ElementTree.fromstring(self.page.to_svg())

    def test_picture_has_scaled_size_and_is_white_where_nothing_is(self):
        image = self._image(scale=1.5)

        self.assertEqual(image.shape, (90, 150, 3))
        self.assertEqual(image.min(), 255)

    def test_box_fills_its_pixels_and_no_others(self):
        self.page.box((10, 20), 30, 15, _RED)

        image = self._image()

        self.assertTrue((image[22:33, 14:36] == (255, 0, 0)).all())
        outside = image.copy()
        outside[18:37, 8:42] = 255
        self.assertEqual(outside.min(), 255)

    def test_dashed_line_draws_six_tenths(self):
        self.page.line(((0, 30), (100, 30)), _BLACK._replace(is_dashed=True), 4)

        image = self._image()

        # 6 pixels on, 4 off.
        self.assertAlmostEqual((image[30, :, 0] < 128).mean(), 0.6, delta=0.08)

    def test_curve_passes_through_the_middle_and_leaves_horizontally(self):
        self.page.curve((0, 10), (80, 50), _BLACK, 2)

        is_black = self._image()[..., 0] < 128

        self.assertTrue(is_black[29:31, 40].any())
        self.assertTrue(is_black[9:12, 4].any())
        self.assertFalse(is_black[:28, 40].any())

    def test_arrow_head_ends_at_the_last_point(self):
        self.page.line(((5, 30), (60, 30)), _BLACK, 1, arrow=True)

        is_black = self._image()[..., 0] < 128

        self.assertGreater(is_black[:, 54].sum(), is_black[:, 40].sum())
        self.assertFalse(is_black[:, 62:].any())

    def test_circle_is_filled_to_its_radius(self):
        self.page.circle((50, 30), 10, "#333333")

        is_dark = self._image()[..., 0] < 128

        self.assertAlmostEqual(is_dark[30].sum(), 21, delta=2)
        self.assertAlmostEqual(is_dark[:, 50].sum(), 21, delta=2)
        self.assertFalse(is_dark[22, 42])

    def test_svg_keeps_words_as_they_are(self):
        self.page.label((5, 5), "x <- y & z $1$", 12)

        root = self._root()

        self.assertEqual(root.find(f"{_SVG}title").text, "a < b & c")
        texts = [element.text for element in root.iter(f"{_SVG}text")]
        self.assertEqual(texts, ["x <- y & z $1$"])

    def test_words_stand_above_shapes_that_come_later(self):
        self.page.label((5, 5), "text", 12)
        self.page.box((0, 0), 50, 50, _WHITE)

        tags = [element.tag for element in self._root().iter()]

        last_path = max(i for i, t in enumerate(tags) if t == f"{_SVG}path")
        self.assertGreater(tags.index(f"{_SVG}text"), last_path)

    def test_words_of_a_box_stand_in_its_middle(self):
        self.page.box((10, 20), 60, 30, _WHITE, "a")

        (text,) = self.page.axes.texts

        self.assertEqual(text.get_position(), (40, 35))
        self.assertEqual(text.get_horizontalalignment(), "center")

    def test_text_width_is_that_of_the_picture(self):
        self.page.label((0, 30), "std_conv", 20)

        columns = (self._image()[..., 0] < 128).any(axis=0).nonzero()[0]

        width = figures.text_width("std_conv", 20)
        self.assertAlmostEqual(columns.max(), width, delta=2.5)
        self.assertAlmostEqual(
            figures.text_width("std_conv", 10), width / 2, places=5
        )


if __name__ == "__main__":
    absltest.main()
