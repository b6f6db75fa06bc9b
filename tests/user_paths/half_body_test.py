"""Pictures cut below the hips: what is not there is absent in every file."""

import json
import pathlib
import tempfile

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.drawing import rendering
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published
from tests.user_paths import user_path

_LEGS = tuple(
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("knee", "ankle")
)
# Of OpenPose's 25: right knee and ankle, left knee and ankle.
_OPENPOSE_LEGS = (10, 11, 13, 14)
_OPENPOSE_ARMS = (2, 3, 4, 5, 6, 7)


class HalfBodyTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.picture = self.folder / "half.png"
        random = np.random.default_rng(0)
        pixels = random.integers(0, 256, (160, 131, 3), np.uint8)
        Image.fromarray(pixels).save(self.picture)

    def test_joints_outside_of_the_picture_are_absent_everywhere(self):
        _save_network(self.folder / "run")
        output = self.folder / "predicted"

        user_path.run_well(
            "predict",
            self.picture,
            f"--model={self.folder / 'run'}",
            f"--output={output}",
            f"--coco={self.folder / 'coco.json'}",
        )

        joints = json.loads((output / "half.json").read_text())["keypoints"]
        absent = [p["name"] for p in joints if not p["visible"]]
        self.assertCountEqual(absent, _LEGS)
        self.assertTrue(
            all(p["visible"] == (p["score"] >= 0.1) for p in joints)
        )
        openpose = json.loads((output / "half_openpose.json").read_text())
        points = np.reshape(openpose["people"][0]["pose_keypoints_2d"], (25, 3))
        self.assertFalse(points[list(_OPENPOSE_LEGS)].any())
        self.assertTrue((points[list(_OPENPOSE_ARMS), 2] > 0).all())
        (person,) = json.loads((self.folder / "coco.json").read_text())[
            "annotations"
        ]
        triples = np.reshape(person["keypoints"], (-1, 3))
        for name, triple in zip(LIP.keypoints, triples, strict=True):
            expected = 0 if name in _LEGS else 2
            self.assertEqual(triple[2], expected, name)
            self.assertEqual(triple.any(), name not in _LEGS, name)
        self._assert_drawn_as_written(output, joints)

    def _assert_drawn_as_written(self, output, joints):
        """The skeleton is that of the visible joints of the file."""
        expected = rendering.overlay(
            np.asarray(Image.open(self.picture)),
            np.asarray(Image.open(output / "half.png")),
            np.array([(point["x"], point["y"]) for point in joints]),
            np.array([2 * point["visible"] for point in joints]),
            LIP,
        )
        drawn = np.asarray(Image.open(output / "half_overlay.png"))
        # Places in the file are rounded to a thousandth of a pixel.
        self.assertGreater((drawn == expected).all(-1).mean(), 0.98)


def _save_network(folder):
    """A network that is sure of all joints but knees and ankles."""
    network = NPPNet(
        published.unet(),
        NetworkConfig(channels=8, cells=4, num_fusion_cells=1),
    )
    head = network.heads[0].prediction
    found = np.array([0.0 if n in _LEGS else 0.8 for n in LIP.keypoints])
    random = np.random.default_rng(1)
    head.kernel.assign(random.normal(scale=1e-3, size=head.kernel.shape))
    head.bias.assign(found)
    saved_network.save_network(
        network,
        folder,
        {"descriptor": json.loads(LIP.to_json()), "image_size": [64, 64]},
    )


if __name__ == "__main__":
    absltest.main()
