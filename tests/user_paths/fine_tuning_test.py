"""A network goes on to one's own classes and joints, by the tools alone."""

import json
import pathlib
import shutil
import tempfile

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data import descriptors
from nppnet_tf.models import saved_network
from nppnet_tf.models import weights_file
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests.user_paths import user_path

# Which of LIP's classes make one of mine: background, head, body.
_HEAD = (1, 2, 4, 13)

_TRAIN = (
    *user_path.TINY,
    "--genotype=unet",
    "--steps_per_epoch=1",
    "--learning_rate=0",
    "--task_weight_learning_rate=0",
)


class FineTuningTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(
            cls.enterClassContext(tempfile.TemporaryDirectory())
        )
        cls.records = _records_of_mine(cls.folder / "mine")
        cls.known = cls.folder / "known"
        _save_known_network(cls.known)

    def _train(self, *arguments):
        return user_path.run(
            "train",
            *_TRAIN,
            f"--initial={self.known}",
            f"--records={self.records}",
            f"--workdir={self.folder / 'run'}",
            *arguments,
        )

    def test_other_classes_on_known_weights(self):
        refused = self._train("--epochs=1")

        self.assertEqual(refused.exit_code, 2)
        self.assertRegex(
            refused.stderr,
            r"\Anppnet-train: .*3 classes.*--new_heads.*20 classes\n\Z",
        )

        first = self._train("--epochs=1", "--new_heads")
        resumed = self._train("--epochs=2", "--new_heads")

        for result in (first, resumed):
            self.assertEqual((result.exit_code, result.stderr), (0, ""))
        self.assertRegex(first.stdout, r"initial weights: \d+ of \d+ arrays")
        self.assertRegex(
            first.stdout,
            "new: 3 classes instead of 20: parsing_head_0/prediction",
        )
        # What the run has learned since counts, not where it started.
        self.assertNotIn("initial weights", resumed.stdout)
        self.assertIn("resuming after 1 epochs", resumed.stdout)
        self._assert_kept_but_for("parsing_head_0/prediction")

    def _assert_kept_but_for(self, new):
        before, after = (
            weights_file.read_arrays(folder / saved_network.WEIGHTS_FILE)
            for folder in (self.known, self.folder / "run")
        )
        self.assertEqual(set(before), set(after))
        for name, array in before.items():
            if name.startswith(new):
                self.assertEqual(after[name].shape[-1], 3)
            elif not name.endswith(("moving_mean", "moving_variance")):
                np.testing.assert_array_equal(after[name], array, name)

    def test_figures_of_other_classes_are_refused(self):
        result = user_path.run(
            "evaluate", f"--model={self.known}", f"--records={self.records}"
        )

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(
            result.stderr,
            r"\Anppnet-evaluate: .*20 classes of lip.*3 classes of mine\n\Z",
        )


def _save_known_network(folder):
    """A run of 20 classes, as import_npp or a training leaves it."""
    network = NPPNet(
        published.unet(),
        NetworkConfig(channels=16, cells=4, num_fusion_cells=1),
    )
    saved_network.save_network(
        network,
        folder,
        {
            "descriptor": json.loads(descriptors.LIP.to_json()),
            "image_size": [64, 64],
            "log_variances": {"pose": [-2.0, -1.5], "parsing": [1.0, 0.5]},
        },
    )
    genotypes.save(network.genotype, folder / "genotype.json")


def _records_of_mine(folder):
    """Drawn people with three classes of mine, and their records."""
    lip = user_path.drawn().lip
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    table = np.full(256, 2, np.uint8)
    table[0], table[list(_HEAD)], table[255] = 0, 1, 255
    names = []
    for picture in sorted((lip / "TrainVal_images/train_images").iterdir()):
        names.append(picture.stem)
        shutil.copy(picture, folder / "images")
        _write_label_map(
            folder / "labels" / f"{picture.stem}.png",
            table[_read(lip, picture.stem)],
        )
    rows = next(lip.rglob("*train*.csv")).read_text()
    (folder / "pose.csv").write_text(rows)
    document = json.loads(descriptors.LIP.to_json())
    document.update(
        name="mine",
        classes=["Background", "Head", "Body"],
        palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]],
        class_mirrors={},
        class_weights=[],
        keypoint_classes={},
        split_sizes={},
    )
    path = folder / "descriptor.json"
    path.write_text(json.dumps(document))
    user_path.run_well(
        "build_records",
        "--dataset=folder",
        f"--root={folder}",
        f"--descriptor={path}",
        f"--output={folder / 'records'}",
    )
    return folder / "records"


def _read(lip, stem):
    path = next(lip.rglob(f"{stem}.png"))
    return np.asarray(Image.open(path))


def _write_label_map(path, labels):
    Image.fromarray(labels).save(path)


if __name__ == "__main__":
    absltest.main()
