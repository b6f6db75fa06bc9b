"""A run in bfloat16 is evaluated and exported."""

import json
import pathlib

from absl.testing import absltest

from nppnet_tf.models import saved_network
from tests.user_paths import user_path

_FLAGS = (
    *user_path.TINY,
    "--genotype=unet",
    "--interaction=omit",
    "--fusion=omit",
    "--epochs=1",
    "--steps_per_epoch=2",
    "--precision=bfloat16",
)


class PrecisionTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_a_run_answers_in_float32(self):
        """That it goes on to the bit is tested in tests/training/run_test."""
        run = self.folder / "run"
        user_path.run_well(
            "train",
            f"--records={user_path.drawn().train}",
            f"--workdir={run}",
            *_FLAGS,
        )

        settings = json.loads((run / "run.json").read_text())["settings"]
        self.assertEqual(settings["precision"], "bfloat16")
        network, _ = saved_network.load_network(run)
        self.assertEqual(network.compute_dtype, "float32")
        scores = self.folder / "scores.json"
        evaluated = user_path.run(
            "evaluate",
            f"--model={run}",
            f"--records={user_path.drawn().validation}",
            f"--output={scores}",
        )
        exported = user_path.run(
            "export",
            f"--model={run}",
            f"--output={self.folder / 'models'}",
            "--name=narrow",
        )
        self.assertEqual(evaluated.exit_code, 0, evaluated.stderr)
        self.assertEqual(exported.exit_code, 0, exported.stderr)
        self.assertIn("mean_iou", scores.read_text())
        self.assertNotEmpty(
            list((self.folder / "models").rglob("saved_model.pb"))
        )


if __name__ == "__main__":
    absltest.main()
