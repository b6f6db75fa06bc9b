"""Tests of nppnet_tf.evaluation.submission."""

import io
import json
import pathlib
import zipfile

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.evaluation import submission


def _changed(document, how):
    """Returns a document in which something is wrong."""
    joint = document["keypoints"][2]
    values = {"as text": "5", "no float": 10**400}
    if how in values:
        joint["x"] = values[how]
    elif how == "no place":
        del joint["y"]
    elif how == "mixed":
        document["height"] = 99
    elif how == "list":
        document = [document]
    return "[" * 100_000 if how == "deep" else json.dumps(document)


class WriteTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.predictions = self.folder / "predictions"
        self.label_maps, self.poses = {}, {}
        for number, name in enumerate(("10_2", "10_1")):
            self._predict(name, number)

    def _predict(self, name, seed):
        """Writes what tools.predict writes for one picture."""
        random = np.random.default_rng(seed)
        label_map = random.integers(0, 20, (12, 9), np.uint8)
        keypoints_xy = random.uniform(0, 8, (16, 2)).round(3)
        self.predictions.mkdir(exist_ok=True)
        prediction_files.write_label_map(
            self.predictions / f"{name}.png", label_map, LIP
        )
        prediction_files.write_json(
            self.predictions / f"{name}.json",
            prediction_files.prediction_document(
                label_map, keypoints_xy, np.ones(16), f"{name}.jpg", LIP
            ),
        )
        self.label_maps[name], self.poses[name] = label_map, keypoints_xy

    def _write(self, output="submission"):
        folder = self.folder / output
        folder.mkdir(exist_ok=True)
        submission.write(self.predictions, ("10_2", "10_1"), folder, LIP)

    def test_poses_and_label_maps_stand_in_the_order_of_the_ids(self):
        self._write()

        rows = (self.folder / "submission/pose.csv").read_text().splitlines()
        self.assertLen(rows[0].split(","), 33)
        for row, name in zip(rows, ("10_2", "10_1"), strict=True):
            cells = row.split(",")
            self.assertEqual(cells[0], f"{name}.jpg")
            np.testing.assert_allclose(
                np.array(cells[1:], int).reshape(16, 2),
                self.poses[name],
                atol=0.5,
            )
        with zipfile.ZipFile(self.folder / "submission/parsing.zip") as packed:
            self.assertEqual(packed.namelist(), ["10_2.png", "10_1.png"])
            for name, label_map in self.label_maps.items():
                with Image.open(io.BytesIO(packed.read(f"{name}.png"))) as png:
                    self.assertEqual(png.mode, "L")
                    np.testing.assert_array_equal(np.asarray(png), label_map)

    def test_joints_of_low_scores_keep_their_places(self):
        path = self.predictions / "10_1.json"
        document = json.loads(path.read_text())
        document["keypoints"][3].update(visible=False, x=5.0, y=6.0)
        document["keypoints"][4].update(visible=False, x=None, y=None)
        path.write_text(json.dumps(document))

        self._write()

        rows = (self.folder / "submission/pose.csv").read_text().splitlines()
        self.assertEqual(rows[1].split(",")[7:11], ["5", "6", "nan", "nan"])

    def test_the_same_predictions_make_the_same_bytes(self):
        self._write("first")
        self._write("second")

        for name in ("pose.csv", "parsing.zip"):
            first, second = (
                (self.folder / output / name).read_bytes()
                for output in ("first", "second")
            )
            self.assertEqual(first, second)

    @parameterized.named_parameters(
        ("absent", "absent", r"cannot be read.*10_1\.json"),
        ("damaged", "damaged", r"not JSON.*10_1\.json"),
        ("without_a_place", "no place", r"right_hip\.y is not a number"),
        ("as_text", "as text", r"x is not a number.*10_1\.json.*'5'"),
        ("no_float", "no float", r"x is not a number.*10_1\.json.*1000"),
        ("deep", "deep", r"nested too deeply.*10_1\.json"),
        ("another_document", "list", r"prediction is not an object"),
        ("of_another_picture", "mixed", "do not belong together.*12 x 9"),
        ("of_other_classes", "classes", r"other classes.*10_1\.png.*below 20"),
    )
    def test_one_bad_prediction_stops_it_and_nothing_is_written(
        self, damage, message
    ):
        path = self.predictions / "10_1.json"
        if damage == "absent":
            path.unlink()
        elif damage == "damaged":
            path.write_text(path.read_text()[:100])
        elif damage != "classes":
            path.write_text(_changed(json.loads(path.read_text()), damage))
        else:
            odd = np.full((12, 9), 20, np.uint8)
            Image.fromarray(odd).save(path.with_suffix(".png"))

        with self.assertRaisesRegex(UserError, message):
            self._write()

        self.assertEmpty(list((self.folder / "submission").iterdir()))


if __name__ == "__main__":
    absltest.main()
