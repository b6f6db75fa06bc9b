"""A mirrored picture has the mirrored answer, whatever its size."""

import json
import pathlib
import tempfile

import keras
import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import published
from tests.user_paths import user_path

# Odd and even, smaller and more than twice as large as the network's input.
_SIZES = ((64, 77), (41, 40), (201, 97))


class MirroredPictureTest(absltest.TestCase):
    def test_flip_averaging_answers_for_both_alike(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        _write_pictures(folder / "pictures")
        _save_network(folder / "run")

        user_path.run_well(
            "predict",
            folder / "pictures",
            f"--model={folder / 'run'}",
            f"--output={folder / 'predicted'}",
            "--flip",
        )

        partners = np.array(LIP.mirrored_classes)
        for number, (_, width) in enumerate(_SIZES):
            labels, mirrored = (
                np.asarray(Image.open(folder / f"predicted/{name}{number}.png"))
                for name in ("plain", "mirrored")
            )
            self.assertGreater(len(np.unique(labels)), 1)
            np.testing.assert_array_equal(partners[labels[:, ::-1]], mirrored)
            joints, others = (
                _joints(folder / f"predicted/{name}{number}.json")
                for name in ("plain", "mirrored")
            )
            expected = joints[list(LIP.mirrored_keypoints)]
            expected[:, 0] = width - 1 - expected[:, 0]
            # The file has thousandths of a pixel.
            np.testing.assert_allclose(others, expected, atol=1.01e-3)


def _write_pictures(folder):
    folder.mkdir()
    random = np.random.default_rng(0)
    for number, size in enumerate(_SIZES):
        pixels = random.integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"plain{number}.png")
        Image.fromarray(pixels[:, ::-1]).save(folder / f"mirrored{number}.png")


def _save_network(folder):
    """A network of random weights, that is symmetric in nothing."""
    keras.utils.set_random_seed(0)
    network = NPPNet(
        published.unet(),
        NetworkConfig(channels=8, cells=4, num_fusion_cells=1),
    )
    saved_network.save_network(
        network,
        folder,
        {"descriptor": json.loads(LIP.to_json()), "image_size": [64, 96]},
    )


def _joints(path):
    joints = json.loads(path.read_text())["keypoints"]
    return np.array([(joint["x"], joint["y"]) for joint in joints])


if __name__ == "__main__":
    absltest.main()
