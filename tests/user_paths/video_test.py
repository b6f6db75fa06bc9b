"""A video is predicted, killed, and gone on with."""

import os
import pathlib
import time

from absl.testing import absltest

from nppnet_tf.files import file_digests
from tests.inference import stand_in_models
from tests.user_paths import user_path
from tests.video import drawn_video


class VideoTest(absltest.TestCase):
    def test_a_killed_run_goes_on_to_what_a_whole_one_writes(self):
        base = pathlib.Path(self.create_tempdir().full_path)
        video = drawn_video.write(base / "walk.mp4", 80, sound=True)
        model = stand_in_models.exported_model()

        def arguments(name):
            return (video, f"--model={model}", f"--output={base / name}")

        process = user_path.start("predict", *arguments("killed"))
        self.addCleanup(user_path.end, process)
        first = base / "killed" / "walk.frames" / "000000.npz"
        deadline = time.monotonic() + user_path.PATIENCE_SECONDS
        while not first.exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        process.kill()
        process.communicate()
        self.assertCountEqual(os.listdir(base / "killed"), ["walk.frames"])

        again = user_path.run_well("predict", *arguments("killed"))
        user_path.run_well("predict", *arguments("whole"))

        self.assertRegex(
            again.stdout, r"walk.mp4: [1-9]\d* frames were there already"
        )
        self.assertIn("80 frames of walk.mp4 predicted", again.stdout)
        self.assertRegex(again.stdout, r"predicting walk.mp4: 80/80")
        names = ["walk.jsonl", "walk_overlay.mp4"]
        for folder in ("killed", "whole"):
            self.assertCountEqual(os.listdir(base / folder), names)
        for name in names:
            self.assertEqual(
                file_digests.sha256(base / "killed" / name),
                file_digests.sha256(base / "whole" / name),
            )


if __name__ == "__main__":
    absltest.main()
