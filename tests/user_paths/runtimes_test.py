"""A run leaves for another runtime, and its file predicts as the run does."""

import dataclasses
import json
import pathlib

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.config import NetworkConfig
from nppnet_tf.inference.predictor import Predictor
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests.user_paths import user_path


class RuntimesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _run(self):
        """Returns a run as `train` leaves it, but for the training."""
        genotype = dataclasses.replace(
            published.unet(),
            interaction=genotypes.OMIT,
            fusion=genotypes.OMIT,
        )
        config = NetworkConfig(channels=8, cells=4, num_fusion_cells=1)
        run = self.folder / "run"
        extra = {"descriptor": "lip", "image_size": [64, 64]}
        saved_network.save_network(NPPNet(genotype, config), run, extra)
        return run

    def test_a_file_predicts_as_its_run_does(self):
        run = self._run()
        models = self.folder / "models"
        pictures = user_path.drawn().lip / "TrainVal_images" / "val_images"

        exported = user_path.run_well(
            "export", f"--model={run}", f"--output={models}", "--format=onnx"
        )
        file = models / "nppnet-onnx-float32" / "model.onnx"
        user_path.run_well(
            "predict",
            f"--model={file}",
            f"--output={self.folder / 'answers'}",
            pictures,
        )

        report = json.loads(file.with_name("parity.json").read_text())
        self.assertIn("labels equal", exported.stdout)
        self.assertLess(max(report["largest_difference"].values()), 1e-4)
        predictor = Predictor.from_directory(run)
        for path in pictures.iterdir():
            expected = predictor.predict_file(path)
            found = Image.open(self.folder / "answers" / f"{path.stem}.png")
            agreement = np.mean(np.array(found) == expected.label_map)
            self.assertGreater(agreement, 0.999)


if __name__ == "__main__":
    absltest.main()
