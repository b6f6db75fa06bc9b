"""Tests of inference.result_file."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.evaluation import result_file
from nppnet_tf.metrics import mean_iou
from nppnet_tf.metrics import pck


def _result():
    confusion = np.zeros((20, 20), np.int64)
    confusion[0, 0] = 30
    confusion[5, 0] = 10
    confusion[5, 5] = 10
    truth = np.zeros((2, 16, 2))
    truth[0, 9] = (0, 10)
    return {
        "protocol": {
            "kind": "files",
            "split": None,
            "scales": [0.5, 1.0],
            "is_whole_published_split": False,
            "poses": {"truth": "a.csv"},
        },
        "parsing": mean_iou.summarize(confusion, LIP.classes),
        "pose": pck.pckh(truth, truth, LIP),
        "consistency": {"consistency": 0.25, "num_keypoints": 8},
    }


class ResultFileTest(absltest.TestCase):
    def test_file_holds_null_for_what_was_not_measured(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "result.json"

        result_file.write(path, _result())

        read = json.loads(path.read_text())
        self.assertIsNone(read["parsing"]["iou"]["Hat"])
        self.assertAlmostEqual(read["parsing"]["iou"]["Upper-clothes"], 0.5)
        self.assertEqual(read["pose"]["pckh"], 1.0)

    def test_text_names_numbers_and_protocol(self):
        text = result_file.to_text(_result())

        self.assertRegex(text, r"(?m)^Upper-clothes +50\.00 +50\.00$")
        self.assertRegex(text, r"(?m)^Hat +- +-$")
        # (30 / 40 + 10 / 20) / 2
        self.assertRegex(text, r"(?m)^mIoU 62\.50 +\(2 of 20 classes occur")
        self.assertRegex(text, r"(?m)^PCKh@0\.5 100\.00 .*1 of 2 poses")
        self.assertRegex(text, r"(?m)^  scales: 0\.5, 1\.0$")
        self.assertRegex(text, r"(?m)^    truth: a\.csv$")
        self.assertIn("Not the whole published split", text)

    def test_text_without_poses_has_no_table_of_them(self):
        text = result_file.to_text({**_result(), "pose": None})

        self.assertNotIn("PCKh", text)


if __name__ == "__main__":
    absltest.main()
