"""Tests of tools.write_submission."""

import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.evaluation import prediction_files
from tests import shared


class WriteSubmissionTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.predictions = self.folder / "predictions"
        self.predictions.mkdir()
        self.ids = self.folder / "test_id.txt"

    def _predict(self, name):
        """Writes what tools.predict writes for one picture."""
        label_map = np.zeros((12, 9), np.uint8)
        prediction_files.write_label_map(
            self.predictions / f"{name}.png", label_map, LIP
        )
        prediction_files.write_json(
            self.predictions / f"{name}.json",
            prediction_files.prediction_document(
                label_map, np.ones((16, 2)), np.ones(16), f"{name}.jpg", LIP
            ),
        )

    def _write(self, ids):
        self.ids.write_text(ids)
        return shared.run_tool(
            "write_submission",
            f"--predictions={self.predictions}",
            f"--ids={self.ids}",
            f"--output={self.folder / 'submission'}",
        )

    def test_every_id_has_its_row_in_the_order_of_the_list(self):
        for name in ("10_1", "10_2", "other"):
            self._predict(name)

        result = self._write("10_2\n10_1.jpg\n")

        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        rows = (self.folder / "submission/pose.csv").read_text().splitlines()
        names = [row.partition(",")[0] for row in rows]
        self.assertEqual(names, ["10_2.jpg", "10_1.jpg"])
        self.assertTrue((self.folder / "submission/parsing.zip").is_file())

    @parameterized.named_parameters(
        ("twice", "10_1\n10_1", "id occurs twice.*10_1"),
        ("empty", "", "id list is empty"),
        ("absent", "10_1\n10_7", r"missing.*10_7\.png, 10_7\.json"),
        ("path", "../..", r"not an id.*\.\."),
        ("many", "1\n2\n3\n4\n5\n6", r"1\.png.* and 7 more"),
    )
    def test_ids_are_checked(self, ids, message):
        self._predict("10_1")

        result = self._write(ids)

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, message)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertFalse((self.folder / "submission/pose.csv").exists())


if __name__ == "__main__":
    absltest.main()
