"""Tests of nppnet_tf.video.video_run."""

import json
import os
import pathlib
from unittest import mock

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_digests
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs.writer import Names
from nppnet_tf.video import journal
from nppnet_tf.video import video_run
from nppnet_tf.video.following import Smoothing
from nppnet_tf.video.video_file import VideoFile
from tests import schemas
from tests.video import drawn_video
from tools.command_line.progress import Progress

_COUNT = 40


class _Model:
    """Sees a square that gets brighter; stops where it is told to."""

    def __init__(self, stop=None):
        self.count = 0
        self._stop = stop

    def answer(self, path, data, image, frame):
        del path, data, frame
        if self.count == self._stop:
            raise KeyboardInterrupt
        self.count += 1
        labels = (image[..., 0] > 100).astype(np.uint8) * 5
        points = np.full((16, 2), float(image.mean()))
        return PictureAnswer(labels, (PersonAnswer(points, np.ones(16)),)), ()


class VideoRunTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        base = pathlib.Path(self.create_tempdir().full_path)
        self.output = base / "out"
        (base / "in").mkdir()
        self.path = drawn_video.write(base / "in" / "walk.mp4", _COUNT)

    def _run(self, model, output=None, lines=None):
        output = output or self.output
        run = video_run.VideoRun(
            model,
            Names(LIP),
            video_run.VideoSettings(
                output, 0.5, Smoothing(vote=1), {"flip": False}
            ),
            Progress,
            (lines if lines is not None else []).append,
        )
        (start,) = video_run.plan([self.path], output).values()
        return run.run(self.path, start)

    def _files(self, folder):
        return {
            path.name: file_digests.sha256(path) for path in folder.iterdir()
        }

    def test_every_frame_has_a_line_and_is_drawn(self):
        self.assertEqual(self._run(_Model()), _COUNT)

        self.assertCountEqual(
            self._files(self.output), ["walk.jsonl", "walk_overlay.mp4"]
        )
        lines = (self.output / "walk.jsonl").read_text().splitlines()
        self.assertLen(lines, _COUNT)
        for number, line in enumerate(lines):
            document = json.loads(line)
            self.assertEmpty(schemas.faults(document, "frame"))
            self.assertEqual(document["frame"], number)
            self.assertEqual(document["people"][0]["id"], 1)
        overlay = VideoFile(self.output / "walk_overlay.mp4")
        self.assertLen(list(overlay.frames()), _COUNT)

    def test_what_is_lost_of_a_video_is_said_once(self):
        path = drawn_video.write(self.path.with_suffix(".mkv"), 60)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        self.path, lines = path, []

        count = self._run(_Model(), lines=lines)

        self.assertLess(count, 60)
        about = [line for line in lines if "ends after" in line]
        self.assertLen(about, 1)
        self.assertRegex(about[0], f"^walk.mkv: ends after {count} frames, at ")

    def test_frames_that_cannot_be_written_are_refused_before_the_work(self):
        self.path = drawn_video.write_images(
            self.path.with_suffix(".mkv"), [np.zeros((2, 16386, 3), np.uint8)]
        )
        model = _Model()

        with self.assertRaisesRegex(UserError, "too large.*walk.mkv"):
            self._run(model)

        self.assertEqual(model.count, 0)
        self.assertFalse(self.output.exists())

    def test_two_processes_do_not_predict_one_video_into_one_folder(self):
        folder = self.output / "walk.frames"
        model = _Model()
        with (
            journal.held(folder),
            self.assertRaisesRegex(
                UserError, f"being predicted.*walk.frames.*{os.getpid()}"
            ),
        ):
            self._run(model)

        self.assertEqual(model.count, 0)
        # What was held by a process that is gone holds nobody up.
        self.assertEqual(self._run(_Model()), _COUNT)
        self.assertFalse(folder.exists())

    def test_interrupted_run_goes_on_to_the_same_files(self):
        whole = self.output.with_name("whole")
        self._run(_Model(), whole)

        with self.assertRaises(KeyboardInterrupt):
            self._run(_Model(stop=35))
        self.assertCountEqual(self._files_below(), ["walk.frames"])
        model, lines = _Model(), []
        self._run(model, lines=lines)

        # Files of 16 frames each: of 35 frames 32 were written.
        self.assertEqual(model.count, _COUNT - 32)
        self.assertIn("walk.mp4: 32 frames were there already", lines)
        self.assertEqual(self._files(self.output), self._files(whole))

    def test_run_that_was_stopped_while_writing_asks_no_network_again(self):
        whole = self.output.with_name("whole")
        self._run(_Model(), whole)

        with mock.patch.object(
            video_run, "frame_document", side_effect=KeyboardInterrupt
        ):
            with self.assertRaises(KeyboardInterrupt):
                self._run(_Model())
        self.assertCountEqual(self._files_below(), ["walk.frames"])
        model = _Model()
        self._run(model)

        self.assertEqual(model.count, 0)
        self.assertEqual(self._files(self.output), self._files(whole))

    def _files_below(self):
        return [path.name for path in self.output.iterdir()]

    def test_earlier_outputs_of_the_video_alone_are_replaced(self):
        self._run(_Model())
        before = self._files(self.output)

        self._run(_Model())

        self.assertEqual(self._files(self.output), before)
        other = self.path.with_name("walk.mkv")
        with self.assertRaisesRegex(UserError, "output of walk.mkv.*walk.mp4"):
            video_run.plan([other], self.output)
        with self.assertRaisesRegex(UserError, "among the pictures"):
            video_run.plan([self.path], self.path.parent)
        for text in ("", "[]", "[" * 100_000, '{"video": 3}', "\0"):
            (self.output / "walk.jsonl").write_text(text)
            with (
                self.subTest(text[:9]),
                self.assertRaisesRegex(UserError, "replace what is there"),
            ):
                video_run.plan([self.path], self.output)


if __name__ == "__main__":
    absltest.main()
