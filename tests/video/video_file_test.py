"""Tests of nppnet_tf.video.video_file."""

import pathlib
import sys
from unittest import mock

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.video import video_file
from nppnet_tf.video.video_file import VideoFile
from tests.video import drawn_video

# Of a track of MP4: no turn, and a quarter clockwise.
_PLAIN = bytes.fromhex("00010000" + "0" * 24 + "00010000" + "0" * 24)
_TURNED = bytes.fromhex(
    "00000000" + "00010000" + "00000000" + "ffff0000" + "0" * 32
)


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
        data = path.read_bytes()
        # The matrix of the movie comes first, that of the track second.
        place = data.index(_PLAIN, data.index(b"tkhd"))
        path.write_bytes(data[:place] + _TURNED + data[place + len(_TURNED) :])

        video = VideoFile(path)
        (turned, *_) = video.frames()

        self.assertEqual(video.size, (48, 64))
        np.testing.assert_array_equal(turned.image, np.rot90(plain.image, -1))

    def test_damaged_videos_end_where_they_are_damaged(self):
        path = self._write("a.mkv", 60)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])

        count = len(list(VideoFile(path).frames()))

        self.assertBetween(count, 5, 59)

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


if __name__ == "__main__":
    absltest.main()
