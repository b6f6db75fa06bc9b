"""Colors of label maps: decoration, or what the ids really are."""

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.pictures import label_colors

_WHITE = (255, 255, 255)


def _gray(level):
    return (level, level, level)


class ContradictionTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("own_colors", {i: LIP.palette[i] for i in (0, 5, 13)}),
        ("voc", {i: label_colors.voc_color(i) for i in (0, 2, 12)}),
        ("own_gray_levels", {i: _gray(i) for i in (0, 5, 13, 255)}),
        ("colors_of_nothing", {0: (9, 1, 2), 1: (7, 7, 1)}),
        ("black_and_WHITE", {0: _gray(0), 1: _WHITE}),
        ("one_by_chance", {0: (9, 1, 2), 1: LIP.palette[7]}),
        ("nothing", {}),
    )
    def test_decoration_says_nothing(self, colors):
        self.assertIsNone(label_colors.contradiction(colors, LIP.palette))

    @parameterized.named_parameters(
        ("two_exchanged", {1: LIP.palette[2], 2: LIP.palette[1]}),
        ("without_gaps", dict(enumerate(LIP.palette[i] for i in (0, 4, 5)))),
        ("one_of_all", {0: LIP.palette[0], 1: LIP.palette[14]}),
        (
            "ignored_pixels_beside",
            dict(enumerate([LIP.palette[5], LIP.palette[0], _WHITE])),
        ),
        ("gray_levels", dict(enumerate(map(_gray, (0, 2, 13))))),
        ("gray_levels_and_ignored", dict(enumerate(map(_gray, (5, 2, 255))))),
    )
    def test_moved_colors_contradict(self, colors):
        found = label_colors.contradiction(colors, LIP.palette)
        self.assertRegex(found, r"index \d+ with the (color|gray level) of")

    def test_first_moved_color_is_named(self):
        found = label_colors.contradiction(
            {0: LIP.palette[0], 3: LIP.palette[14]}, LIP.palette
        )
        self.assertEqual(found, "index 3 with the color of class 14")

    def test_equal_colors_of_classes_are_each_in_place(self):
        palette = [(0, 0, 0), (1, 2, 3), (1, 2, 3)]
        colors = dict(enumerate(palette))
        self.assertIsNone(label_colors.contradiction(colors, palette))


class VocColorTest(absltest.TestCase):
    def test_first_colors_are_those_of_pascal_person_part(self):
        # Its masks are published with this palette.
        found = tuple(map(label_colors.voc_color, range(7)))
        self.assertEqual(found, PASCAL_PERSON_PART.palette)

    def test_last_color_is_that_of_the_border(self):
        self.assertEqual(label_colors.voc_color(255), (224, 224, 192))


if __name__ == "__main__":
    absltest.main()
