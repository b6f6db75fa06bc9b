"""Tests of nppnet_tf.data.readers.pose_tables."""

import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import pose_tables
from nppnet_tf.errors import UserError
from tests.shared import shared_path

_JOINTS = ",".join(["1,2,0"] * 16)
# Every joint has a place of its own; the second is absent.
_CELLS = [
    cell
    for k in range(16)
    for cell in (("nan",) * 3 if k == 1 else (str(k + 1), str(k + 31), "0"))
]
_HEADER = [f"{name}_{axis}" for name in LIP.keypoints for axis in "xyv"]


def _rows(cells=_CELLS):
    return [["a_0.jpg", *cells], ["b.c.jpg", *cells]]


def _text(rows, delimiter=","):
    return "".join(f"{delimiter.join(row)}\n" for row in rows)


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "poses.csv"

    def _read(self, text):
        self.path.write_text(text)
        return pose_tables.read(self.path, LIP)

    def _assert_read(self, text):
        found = self._read(text)
        self.assertEqual(list(found), ["a_0", "b.c"])
        for pose in found.values():
            self.assertIsNone(pose.fault)
            self.assertEqual(pose.visibility.tolist(), [2, 0] + [2] * 14)
            expected = [[k + 1, k + 31] for k in range(16)]
            expected[1] = [0, 0]
            np.testing.assert_array_equal(pose.keypoints_xy, expected)

    def test_columns_by_hand(self):
        cells = ["7,9,0", "nan,nan,nan", "3,4,1"] + ["1,2,0"] * 13

        pose = self._read("a_1.jpg," + ",".join(cells) + "\n")["a_1"]

        self.assertIsNone(pose.fault)
        np.testing.assert_array_equal(pose.visibility[:4], [2, 0, 1, 2])
        np.testing.assert_array_equal(
            pose.keypoints_xy[:4], [[7, 9], [0, 0], [3, 4], [1, 2]]
        )

    @parameterized.parameters("", "NaN", "NA", "#N/A", "null", "None", "-")
    def test_absent_cells_of_any_program(self, word):
        cells = [word if cell == "nan" else cell for cell in _CELLS]

        self._assert_read(_text(_rows(cells)))

    @parameterized.parameters(";", "\t", ", ", " ; ")
    def test_other_delimiters(self, delimiter):
        self._assert_read(_text(_rows(), delimiter))

    def test_fractions_quotes_and_marks(self):
        cells = [c if c == "nan" else f"{c}.0" for c in _CELLS]
        comma = [c if c == "nan" else f"{c},0" for c in _CELLS]
        quoted = [[f'"{cell}"' for cell in row] for row in _rows()]

        self._assert_read(_text(_rows(cells)))
        self._assert_read(_text(_rows(comma), ";"))
        self._assert_read(_text(quoted))
        self._assert_read("\ufeff" + _text(_rows()).replace("\n", "\r\n\r\n"))

    @parameterized.named_parameters(
        ("names", ["image", *_HEADER]),
        ("spaces", ["file name", *(n.replace("_", " ") for n in _HEADER)]),
        ("axes_first", ["id", *(f"{n[-1]}_{n[:-2]}".title() for n in _HEADER)]),
        ("numbers", ["id", *(f"{a}{k}" for k in range(16) for a in "xyv")]),
        ("no_names", ["", *("x", "y", "visible") * 16]),
        ("counted", [str(place) for place in range(49)]),
        ("counted_cells", ["image", *(str(place) for place in range(48))]),
    )
    def test_header_is_followed(self, header):
        self._assert_read(_text([header, *_rows()]))

    def test_header_says_the_order_of_the_joints(self):
        def turned(cells):
            return [c for k in range(45, -1, -3) for c in cells[k : k + 3]]

        self._assert_read(
            _text([["image", *turned(_HEADER)], *_rows(turned(_CELLS))])
        )

    @parameterized.named_parameters(
        ("from_0", 0, None),
        ("from_1", 1, None),
        ("below_a_header", 0, ["", "image", *_HEADER]),
        ("below_numbers", 0, ["", *(str(place) for place in range(49))]),
    )
    def test_column_that_counts_the_rows(self, first, header):
        rows = [[str(first + place), *row] for place, row in enumerate(_rows())]

        self._assert_read(_text([header, *rows] if header else rows))

    def test_empty_last_column(self):
        self._assert_read(_text([[*row, ""] for row in _rows()]))

    @parameterized.named_parameters(
        ("short", "a.jpg,1,2,0", "48 cells.*and 3 cells"),
        ("text", "a.jpg,x,2,0" + ",1,2,0" * 15, "right_ankle.*found: x,2,0"),
        (
            "half",
            "a.jpg,nan,2,0" + ",1,2,0" * 15,
            "joint is malformed.*nan,2,0",
        ),
        ("visibility", "a.jpg,1,2,5" + ",1,2,0" * 15, "found: 1,2,5"),
        ("unseen", "a.jpg,1,2,nan" + ",1,2,0" * 15, "found: 1,2,nan"),
        ("infinite", "a.jpg,1e400,2,0" + ",1,2,0" * 15, "found: 1e400,2,0"),
    )
    def test_bad_row_becomes_a_fault_of_its_record(self, row, message):
        poses = self._read(f"{row}\nb.jpg,{_JOINTS}\n")

        self.assertRegex(poses["a"].fault, message)
        self.assertRegex(poses["a"].fault, "poses.csv line 1")
        self.assertIsNone(poses["b"].fault)

    @parameterized.named_parameters(
        ("twice", f"a.jpg,{_JOINTS}\nx/a.jpg,{_JOINTS}\n", "line 2; found"),
        ("no_name", f",{_JOINTS}\n", "without a name.*line 1"),
        ("empty", "\n\n", "no poses"),
        (
            "joints",
            f"a.jpg,{_JOINTS},1,2,0\n",
            "line 1.*48 cells, 16 joints.*51 cells",
        ),
        ("no_columns", "abc\ndef\n", "48 cells.*and 0 cells"),
        (
            "header_of_others",
            _text([["id", *_HEADER[3:], "tail_x", "tail_y", "tail_v"]]),
            "other names.*right_ankle.*tail",
        ),
        (
            "header_in_columns",
            _text([["id", *_HEADER[::3], *_HEADER[1::3], *_HEADER[2::3]]]),
            "another order",
        ),
        ("header_of_words", "a,b,c\n", "header of another form"),
        ("long_cell", "a" * 200_000, "cannot be read.*line 1.*field"),
        ("quote", '"a.jpg,1', "cannot be read.*line 1"),
    )
    def test_table_that_cannot_be_meant_is_told(self, text, message):
        with self.assertRaisesRegex(UserError, message):
            self._read(text)

    def test_other_encoding_is_told(self):
        self.path.write_text(_text(_rows()), "utf-16")

        with self.assertRaisesRegex(UserError, "not UTF-8.*UTF-16"):
            pose_tables.read(self.path, LIP)

    def test_all_real_rows_are_read(self):
        poses = pose_tables.read(
            shared_path("samples/lip_annotations/lip_val_pose_gt.csv"), LIP
        )

        visibility = np.stack([pose.visibility for pose in poses.values()])
        self.assertLen(poses, 10000)
        self.assertEmpty([p for p in poses.values() if p.fault])
        # Published statistics: 9.7 % absent, 8.3 % of the others occluded.
        self.assertAlmostEqual(np.mean(visibility == 0), 0.097, places=3)
        self.assertAlmostEqual(
            np.sum(visibility == 1) / np.sum(visibility > 0), 0.083, places=3
        )


if __name__ == "__main__":
    absltest.main()
