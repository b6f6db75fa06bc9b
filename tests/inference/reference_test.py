"""Decoding and submissions, held against the reference implementations."""

import csv
import io
import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data import heatmap_codec
from nppnet_tf.inference import prediction_files
from tests import reference_arrays

# The joints of the release, in which its arrays are, in LIP's order: the
# first row says where each of LIP's stands there, the second is its inverse.
_TO_LIP = [10, 9, 8, 11, 12, 13, 15, 14, 1, 0, 4, 3, 2, 5, 6, 7]
_MIRRORED = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 14, 15]


class DecodingTest(absltest.TestCase):
    def test_joints_lie_where_the_release_finds_them(self):
        arrays = reference_arrays.load("ref_inference.npz")
        maps = arrays["val_maps"].transpose(0, 2, 3, 1)
        mirrored = arrays["val_maps_flip"].transpose(0, 2, 3, 1)
        averaged = (maps + mirrored[:, :, ::-1][..., _MIRRORED]) / 2

        # Its filter's 3 pixels are of an input of `val_size`.
        input_xy, _ = heatmap_codec.decode_heatmaps(averaged, 4, 3.0)

        for xy, crop, scale, expected in zip(
            np.asarray(input_xy),
            arrays["val_crop"][:, 0],
            arrays["val_scale"],
            arrays["val_pose"],
            strict=True,
        ):
            picture_xy = (xy - crop[2:4] + crop[:2]) / scale
            # It takes whole pixels of the input.
            difference = np.abs(picture_xy - expected[:, :2]) * scale
            self.assertLess(np.quantile(difference, 0.95), 1.0)
            self.assertLess(np.median(difference), 0.6)


class SubmissionTest(absltest.TestCase):
    def test_rows_equal_those_of_the_reference(self):
        arrays = reference_arrays.load("ref_inference.npz")
        # It cuts fractions off, ours rounds.
        poses = np.trunc(arrays["csv_pose"][:, _TO_LIP, :2])
        names = [str(name) for name in arrays["csv_names"]]
        path = pathlib.Path(self.create_tempdir().full_path) / "pose.csv"

        prediction_files.write_pose_rows(
            path, dict(zip(names, poses, strict=True))
        )

        expected = list(csv.reader(io.StringIO(str(arrays["csv_text"]))))
        written = list(csv.reader(io.StringIO(path.read_text())))
        self.assertEqual(
            [row[1:] for row in written], [r[1:] for r in expected]
        )
        self.assertEqual(
            [row[0] for row in written], [f"{row[0]}.jpg" for row in expected]
        )


if __name__ == "__main__":
    absltest.main()
