"""A run in bfloat16: it goes on, is evaluated and is exported."""

import json
import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.models import saved_network
from tests.user_paths import user_path

_FLAGS = (
    *user_path.TINY,
    "--genotype=unet",
    "--interaction=omit",
    "--fusion=omit",
    "--steps_per_epoch=2",
    "--precision=bfloat16",
)


class PrecisionTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _train(self, name, epochs):
        workdir = self.folder / name
        user_path.run_well(
            "train",
            f"--records={user_path.drawn().train}",
            f"--workdir={workdir}",
            f"--epochs={epochs}",
            *_FLAGS,
        )
        return workdir

    def test_a_run_goes_on_and_answers_in_float32(self):
        whole = self._train("whole", 2)
        self._train("stopped", 1)
        stopped = self._train("stopped", 2)

        settings = json.loads((whole / "run.json").read_text())["settings"]
        self.assertEqual(settings["precision"], "bfloat16")
        for name in ("checkpoints/last.npz", "weights.npz"):
            self.assertEqual(_arrays(whole / name), _arrays(stopped / name))
        network, _ = saved_network.load_network(whole)
        self.assertEqual(network.compute_dtype, "float32")

        scores = self.folder / "scores.json"
        evaluated = user_path.run(
            "evaluate",
            f"--model={whole}",
            f"--records={user_path.drawn().validation}",
            f"--output={scores}",
        )
        exported = user_path.run(
            "export",
            f"--model={whole}",
            f"--output={self.folder / 'models'}",
            "--name=narrow",
        )
        self.assertEqual(evaluated.exit_code, 0, evaluated.stderr)
        self.assertEqual(exported.exit_code, 0, exported.stderr)
        self.assertIn("mean_iou", scores.read_text())
        self.assertNotEmpty(
            list((self.folder / "models").rglob("saved_model.pb"))
        )


def _arrays(path):
    with np.load(path, allow_pickle=False) as file:
        # What is told of the run holds seconds.
        return {n: file[n].tobytes() for n in file.files if n != "metadata"}


if __name__ == "__main__":
    absltest.main()
