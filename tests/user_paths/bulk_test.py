"""A job that is killed goes on, and ends with what predict answers."""

import json
import pathlib
import signal
import time

from absl.testing import absltest
from PIL import Image

from tests.runtimes import toy_form
from tests.user_paths import user_path

_PICTURES, _SHARDS = 48, 12


class BulkTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.output = self.folder / "job"

    def test_a_killed_job_goes_on_and_ends_with_what_predict_answers(self):
        model = toy_form.write(self.folder / "model", "onnx")
        pictures = self._many_pictures()
        arguments = (
            f"--model={model}",
            f"--output={self.output}",
            f"--pictures_per_shard={_PICTURES // _SHARDS}",
            "--format=png",
            pictures,
        )
        process = user_path.start("bulk_predict", *arguments)
        self.addCleanup(user_path.end, process)
        while not self._done() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        before = self._done()
        files = {path: path.stat().st_mtime_ns for path in before}

        result = user_path.run_well("bulk_predict", *arguments)

        self.assertNotEmpty(before)
        self.assertLess(len(before), _SHARDS)
        self.assertIn(f"{len(before)} of {_SHARDS} shards done", result.stdout)
        self.assertIn(f"{_PICTURES} pictures predicted", result.stdout)
        for path, written in files.items():
            self.assertEqual(path.stat().st_mtime_ns, written)
        answers = self.folder / "answers"
        user_path.run_well(
            "predict", f"--model={model}", f"--output={answers}", pictures
        )
        found = sorted(self.output.glob("predictions-*/*.json"))
        self.assertLen(found, _PICTURES)
        for path in found:
            stem = path.stem.partition("-")[2]
            for name, expected in (
                (path, answers / f"{stem}.json"),
                (path.with_suffix(".png"), answers / f"{stem}.png"),
            ):
                self.assertEqual(name.read_bytes(), expected.read_bytes())
        self.assertEqual(json.loads(found[0].read_text())["image"], "000.png")

    def test_a_full_disk_leaves_whole_files_and_the_job_goes_on(self):
        model = toy_form.write(self.folder / "model", "onnx")
        pictures = user_path.drawn().lip / "TrainVal_images" / "val_images"
        for size, results in ((50, "json"), (500, "json"), (500, "tfrecord")):
            output = self.folder / f"{results}_{size}"
            arguments = (
                f"--model={model}",
                f"--output={output}",
                f"--format={results}",
                pictures,
            )

            with user_path.largest_file(size):
                result = user_path.run("bulk_predict", *arguments)

            self.assertEqual(result.exit_code, 2, result.stderr)
            self.assertRegex(
                result.stderr,
                rf"\A\S+: File too large; where: {output}.*\n\Z",
            )
            self.assertEmpty(list(output.rglob("*tmp-*")))
            self.assertEmpty(list(output.glob("predictions-*")))
            user_path.run_well("bulk_predict", *arguments)
            self.assertLen(list(output.glob("predictions-*")), 1)

    def _done(self):
        return sorted(self.output.glob("done/*.json"))

    def _many_pictures(self):
        folder = self.folder / "pictures"
        folder.mkdir()
        images = user_path.drawn().lip / "TrainVal_images" / "val_images"
        image = Image.open(min(images.iterdir()))
        for number in range(_PICTURES):
            image.rotate(5 * number).save(folder / f"{number:03d}.png")
        return folder


if __name__ == "__main__":
    absltest.main()
