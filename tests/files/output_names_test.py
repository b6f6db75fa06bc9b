"""Tests of nppnet_tf.files.output_names."""

import os

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.files import file_names
from nppnet_tf.files import output_names

_ENDINGS = (".png", ".json", "_openpose.json", "_overlay.png")


class PlanTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"a.jpg": "a", "b.png": "b", "a b.JPG": "a b", "a.b.jpg": "a.b"},),
        ({"a.jpg": "a_jpg", "a.png": "a_png", "b.png": "b"},),
        (
            {
                "a.jpg": "a_jpg",
                "a_overlay.jpg": "a_overlay_jpg",
                "a_openpose.png": "a_openpose_png",
                "b_overlay.png": "b_overlay",
            },
        ),
        ({"A.jpg": "A_jpg", "a.jpg": "a_jpg_2"},),
        ({"e\u0301.jpg": "e\u0301_jpg", "\u00e9.jpg": "\u00e9_jpg_2"},),
        ({"a.jpg": "a_jpg", "a.png": "a_png", "a_jpg.png": "a_jpg_png"},),
        ({".jpg": "jpg", "..a.jpg": "a", "...": "_"},),
        ({"-a.jpg": "-a", "a .jpg": "a ", "a..jpg": "a.", "a\n.png": "a\n"},),
    )
    def test_names_are_short_where_they_do_not_meet(self, expected):
        self.assertEqual(output_names.plan(expected, _ENDINGS), expected)

    def test_no_two_outputs_meet_whatever_the_names(self):
        stems = ("a", "A", "a_jpg", "a_jpg_2", "a_overlay", "a_png", "a.jpg")
        stems += ("a" * 251, "A" * 251, "a" * 250, "é" * 125)
        names = [f"{stem}.{end}" for stem in stems for end in ("jpg", "png")]

        starts = output_names.plan(names, _ENDINGS)

        outputs = [
            start + ending for start in starts.values() for ending in _ENDINGS
        ]
        self.assertLen(starts, len(names))
        self.assertLen(
            {file_names.meeting_key(name) for name in outputs}, len(outputs)
        )
        self.assertLessEqual(max(len(os.fsencode(n)) for n in outputs), 255)
        self.assertEqual(output_names.plan(reversed(names), _ENDINGS), starts)

    def test_bytes_that_are_no_text_stay(self):
        name = os.fsdecode(b"\xb2\xe2.jpg")

        starts = output_names.plan([name], _ENDINGS)

        self.assertEqual(os.fsencode(starts[name]), b"\xb2\xe2")


class ChangedLineTest(absltest.TestCase):
    def test_usual_names_are_not_told(self):
        self.assertIsNone(output_names.changed_line({"a.jpg": "a"}))

    def test_others_are_told_some_by_name(self):
        starts = {f"{n}.jpg": f"{n}_jpg" for n in "abcdefg"} | {"h.jpg": "h"}

        self.assertEndsWith(
            output_names.changed_line(starts),
            "a.jpg -> a_jpg, b.jpg -> b_jpg, c.jpg -> c_jpg, d.jpg -> d_jpg, "
            "e.jpg -> e_jpg and 2 more",
        )


if __name__ == "__main__":
    absltest.main()
