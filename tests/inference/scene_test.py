"""Tests of nppnet_tf.inference.scene."""

import xml.etree.ElementTree

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.inference import scene

_SVG = "{http://www.w3.org/2000/svg}"


def _page(*shapes: scene.Shape) -> scene.Scene:
    return scene.Scene(100, 60, "a < b & c", shapes)


class SceneTest(parameterized.TestCase):
    def test_picture_has_scaled_size_and_is_white_where_nothing_is(self):
        image = np.asarray(_page().to_image(scale=1.5))

        self.assertEqual(image.shape, (90, 150, 3))
        self.assertEqual(image.min(), 255)

    def test_box_fills_its_pixels_and_no_others(self):
        box = scene.Box(10, 20, 30, 15, "#ff0000", "#ff0000", radius=0)

        image = np.asarray(_page(box).to_image(scale=1.0))

        self.assertTrue((image[22:33, 12:38] == (255, 0, 0)).all())
        outside = image.copy()
        outside[19:37, 9:42] = 255
        self.assertEqual(outside.min(), 255)

    def test_dashed_line_draws_six_tenths(self):
        line = scene.Line(((0, 30), (100, 30)), "#000000", 4, dashed=True)

        image = np.asarray(_page(line).to_image(scale=1.0))

        # 6 pixels on, 4 off.
        self.assertAlmostEqual((image[30, :, 0] < 128).mean(), 0.6, delta=0.08)

    def test_dashes_go_on_around_a_corner(self):
        corner = ((0.0, 0.0), (8.0, 0.0), (8.0, 12.0))

        pieces = scene._dashes(corner)

        self.assertEqual(
            pieces,
            [((0, 0), (6, 0)), ((8, 2), (8, 8))],
        )

    def test_curve_passes_through_the_middle(self):
        curve = scene.Curve((0, 0), (40, 20))

        points = curve.sampled()

        self.assertEqual(points[0], (0, 0))
        self.assertEqual(points[-1], (40, 20))
        self.assertEqual(points[len(points) // 2], (20, 10))

    def test_arrow_head_ends_at_the_last_point(self):
        line = scene.Line(((5, 30), (60, 30)), "#000000", 1, arrow=True)

        image = np.asarray(_page(line).to_image(scale=1.0))[..., 0] < 128

        self.assertGreater(image[:, 54].sum(), image[:, 40].sum())
        self.assertFalse(image[:, 62:].any())

    def test_svg_is_well_formed_and_keeps_special_letters(self):
        page = _page(scene.Label(5, 5, "x <- y & z"))

        root = xml.etree.ElementTree.fromstring(page.to_svg())

        self.assertEqual(root.find(f"{_SVG}title").text, "a < b & c")
        self.assertEqual(root.find(f"{_SVG}text").text, "x <- y & z")

    def test_svg_has_one_element_per_shape_and_head(self):
        page = _page(
            scene.Line(((0, 0), (9, 9)), arrow=True),
            scene.Curve((0, 0), (9, 9), dashed=True),
            scene.Box(1, 1, 5, 5),
            scene.Circle(5, 5, 2),
            scene.Label(5, 5, "text"),
        )

        root = xml.etree.ElementTree.fromstring(page.to_svg())

        tags = sorted(child.tag.removeprefix(_SVG) for child in root)
        self.assertEqual(
            tags,
            sorted("title rect polyline polygon path rect circle text".split()),
        )

    def test_labels_stand_above_shapes_that_come_later(self):
        page = _page(scene.Label(5, 5, "text"), scene.Box(0, 0, 50, 50))

        root = xml.etree.ElementTree.fromstring(page.to_svg())

        self.assertEqual(root[-1].tag, f"{_SVG}text")

    @parameterized.named_parameters(
        ("apart", scene.Box(20, 0, 5, 5), False),
        ("touching", scene.Box(10, 0, 5, 5), False),
        ("inside", scene.Box(2, 2, 3, 3), True),
    )
    def test_overlap_means_a_shared_area(self, other, expected):
        self.assertEqual(scene.Box(0, 0, 10, 10).overlaps(other), expected)

    def test_text_width_grows_with_size_and_letters(self):
        width = scene.text_width("std_conv_3x3", 12)

        self.assertGreater(width, 40)
        self.assertAlmostEqual(
            scene.text_width("std_conv_3x3", 24), 2 * width, places=5
        )
        self.assertGreater(scene.text_width("std_conv_3x3_", 12), width)


if __name__ == "__main__":
    absltest.main()
