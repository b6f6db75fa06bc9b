"""Tests of nppnet_tf.video.video_file."""

import pathlib
import sys
from unittest import mock

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.video import video_file
from nppnet_tf.video import video_writer
from nppnet_tf.video.video_file import VideoFile
from tests.video import drawn_video


class VideoFileTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _write(self, name="a.mp4", count=6, **options):
        return drawn_video.write(self.folder / name, count, **options)

    @parameterized.parameters("a.mp4", "a.mkv", "a.mov")
    def test_frames_are_those_that_were_drawn(self, name):
        video = VideoFile(self._write(name))

        frames = list(video.frames())

        self.assertLen(frames, 6)
        self.assertEqual(video.size, (64, 48))
        self.assertIn(video.num_frames, (6, 7))
        np.testing.assert_allclose(
            [frame.seconds for frame in frames], np.arange(6) / 25, atol=2e-3
        )
        for frame, drawn in zip(
            frames, drawn_video.walk(6, (64, 48)), strict=True
        ):
            # The encoder loses some.
            error = np.abs(frame.image.astype(int) - drawn.image).mean()
            self.assertLess(error, 6)

    def test_turned_videos_are_upright(self):
        path = self._write()
        (plain, *_) = VideoFile(path).frames()
        drawn_video.turn(path)

        video = VideoFile(path)
        (turned, *_) = video.frames()

        self.assertEqual(video.size, (48, 64))
        np.testing.assert_array_equal(turned.image, np.rot90(plain.image, -1))

    def test_damaged_videos_end_where_they_are_damaged(self):
        path = self._write("a.mkv", 60)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])

        video = VideoFile(path)
        count = len(list(video.frames()))

        self.assertBetween(count, 5, 59)
        (line, *_) = video.notes()
        self.assertRegex(line, rf"after {count} frames, at 1\.\d\d s.*2\.40 s")

    @parameterized.parameters("a.mp4", "a.mkv", "a.avi", "a.mpg", "a.mts")
    def test_nothing_is_noted_of_whole_videos(self, name):
        for sound in (False, True):
            # MPEG and AVI take no sound of this kind.
            if sound and name not in ("a.mp4", "a.mkv"):
                continue
            video = VideoFile(self._write(name, 60, sound=sound))

            self.assertLen(list(video.frames()), 60)
            self.assertEqual(video.notes(), [])

    def test_frames_that_the_decoder_calls_damaged_are_counted(self):
        path = self._write("a.mkv", 100)
        data = path.read_bytes()
        start, length = len(data) // 3, len(data) // 3
        path.write_bytes(data[:start] + bytes(length) + data[start + length :])

        video = VideoFile(path)
        list(video.frames())

        self.assertGreater(video.num_damaged, 0)
        self.assertIn(f"damaged frames: {video.num_damaged}", video.notes())

    def test_the_longest_time_without_a_frame_is_noted(self):
        source = self._write()
        path = self.folder / "gap.mp4"
        times = [*np.arange(9) / 25, 2.0, *(2.0 + np.arange(1, 9) / 25), 2.6]
        with video_writer.VideoWriter(
            path, ".mp4", (64, 48), 25, source
        ) as writer:
            for seconds in times:
                writer.write(np.zeros((64, 48, 3), np.uint8), seconds)

        video = VideoFile(path)
        self.assertLen(list(video.frames()), len(times))

        self.assertEqual(video.notes(), ["no frame between 0.32 s and 2.00 s"])

    @parameterized.named_parameters(
        ("empty", b"", "cannot be read"),
        ("text", b"no video at all " * 99, "cannot be read"),
    )
    def test_what_is_no_video_is_told(self, data, message):
        path = self.folder / "a.mp4"
        path.write_bytes(data)

        with self.assertRaisesRegex(UserError, f"{message}.*a.mp4"):
            VideoFile(path)

    def test_heads_without_frames_are_told(self):
        path = self._write("a.mkv")
        path.write_bytes(path.read_bytes()[:500])

        with self.assertRaisesRegex(UserError, "a.mkv"):
            VideoFile(path)

    def test_names_are_no_addresses_and_playlists_lead_nowhere(self):
        odd = self._write(count=3).rename(self.folder / "%d concat:a|b.mp4")
        self.assertLen(list(VideoFile(odd).frames()), 3)
        playlist = self.folder / "list.mp4"
        playlist.write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{odd}\n"
            "#EXT-X-ENDLIST\n"
        )

        with self.assertRaisesRegex(UserError, "cannot be read.*list.mp4"):
            VideoFile(playlist)

    def test_missing_files_are_told(self):
        with self.assertRaisesRegex(UserError, "not a file.*absent.mp4"):
            VideoFile(self.folder / "absent.mp4")

    def test_missing_library_is_one_line(self):
        with (
            mock.patch.dict(sys.modules, {"av": None}),
            self.assertRaisesRegex(UserError, r"nppnet_tf\[video\]"),
        ):
            video_file.require_av()


class UprightTest(absltest.TestCase):
    def test_pixels_are_where_the_matrix_says(self):
        image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
        signs = (1, -1)
        matrices = [
            *((a, 0, 0, d) for a in signs for d in signs),
            *((0, b, c, 0) for b in signs for c in signs),
        ]
        for matrix in matrices:
            a, b, c, d = matrix
            places = {
                (a * x + c * y, b * x + d * y): image[y, x]
                for y in range(2)
                for x in range(3)
            }
            left = min(x for x, _ in places)
            top = min(y for _, y in places)

            found = video_file.upright(image, matrix)

            self.assertEqual(found.size, image.size)
            for (x, y), pixel in places.items():
                np.testing.assert_array_equal(
                    found[y - top, x - left], pixel, str(matrix)
                )

    def test_other_matrices_turn_by_the_nearest_quarter(self):
        image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)

        for matrix in ((0, 0, 0, 0), (9, 5, -5, 9)):
            np.testing.assert_array_equal(
                video_file.upright(image, matrix), image
            )
        np.testing.assert_array_equal(
            video_file.upright(image, (5, 9, -9, 5)), np.rot90(image, -1)
        )


if __name__ == "__main__":
    absltest.main()
