"""Tests of the command line that draws people."""

import contextlib
import io
import pathlib
import sys

from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.drawn_people import lip_folder
from tools import draw_people


class DrawPeopleTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.root = self.folder / "people"

    def _run(self, *arguments):
        """Returns exit status, stdout and stderr of the tool."""
        out, err = io.StringIO(), io.StringIO()
        status = 0
        before = sys.argv
        sys.argv = ["draw_people", *map(str, arguments)]
        try:
            with (
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                draw_people.main()
        except SystemExit as end:
            status = end.code or 0
        finally:
            sys.argv = before
        return status, out.getvalue(), err.getvalue()

    def test_it_draws_the_counts_it_was_given(self):
        status, out, err = self._run(
            f"--root={self.root}", "--train=2", "--val=1", "--seed=3",
            "--height=64", "--width=48",
        )  # fmt: skip
        self.assertEqual((status, err), (0, ""))
        self.assertIn("2 train and 1 val pictures", out)
        for split, count in (("train", 2), ("val", 1)):
            folder = self.root / "TrainVal_images" / f"{split}_images"
            self.assertLen(list(folder.glob("*.jpg")), count)

    def test_a_contact_sheet_needs_no_root(self):
        path = self.folder / "sheet.png"
        status, _, err = self._run(
            f"--contact_sheet={path}", "--height=32", "--width=24"
        )
        self.assertEqual((status, err), (0, ""))
        with Image.open(path) as sheet:
            self.assertEqual(sheet.size, (8 * 234 + 10, 8 * 372 + 36))

    @parameterized.named_parameters(
        ("nothing", []),
        ("one_of_two_sizes", ["--root={root}", "--height=64"]),
        ("negative_count", ["--root={root}", "--train=-1"]),
        ("tiny", ["--root={root}", "--height=4", "--width=4"]),
        ("kind_of_sheet", ["--contact_sheet={root}.txt"]),
        ("no_number", ["--root={root}", "--train=many"]),
        ("unknown_flag", ["--root={root}", "--trian=3"]),
    )
    def test_a_wrong_flag_is_one_line_and_status_2(self, arguments):
        status, _, err = self._run(
            *(a.format(root=self.root) for a in arguments)
        )
        self.assertEqual(status, 2)
        self.assertLen(err.splitlines(), 1)
        self.assertNotIn("Traceback", err)
        self.assertFalse(self.root.exists())

    def test_a_size_that_is_not_drawn_is_told_by_its_flags(self):
        _, _, err = self._run(f"--root={self.root}", "--height=4", "--width=9")

        self.assertIn("where: --height, --width; expected: ", err)

    def test_a_folder_of_another_seed_is_one_line_and_status_2(self):
        lip_folder.write_lip(self.root, {"train": 1}, 5, (32, 24))
        status, _, err = self._run(f"--root={self.root}", "--seed=6")
        self.assertEqual(status, 2)
        self.assertLen(err.splitlines(), 1)
        self.assertIn("drawn.json", err)

    def test_a_file_as_the_root_is_one_line_and_status_2(self):
        self.root.write_text("")
        status, _, err = self._run(f"--root={self.root}")
        self.assertEqual(status, 2)
        self.assertLen(err.splitlines(), 1)


if __name__ == "__main__":
    absltest.main()
