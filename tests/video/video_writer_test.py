"""Tests of nppnet_tf.video.video_writer."""

import fractions
import pathlib

import av
import numpy as np
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.video import video_writer
from nppnet_tf.video.video_file import VideoFile
from tests.video import drawn_video


def _sound(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0)]


class VideoWriterTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_times_stay_sides_may_be_odd_and_sound_is_copied(self):
        source = drawn_video.write(self.folder / "a.mp4", 20, sound=True)
        ending = video_writer.ending_for(source)
        path = self.folder / f"out{ending}"
        times = [0.0, 0.04, 0.1, 0.5]

        with video_writer.VideoWriter(
            path, ending, (33, 47), 25, source
        ) as writer:
            for number, seconds in enumerate(times):
                image = np.full((33, 47, 3), 60 * number, np.uint8)
                writer.write(image, seconds)

        self.assertEqual(ending, ".mp4")
        video = VideoFile(path)
        self.assertEqual(video.size, (34, 48))
        frames = list(video.frames())
        np.testing.assert_allclose(
            [frame.seconds for frame in frames], times, atol=1e-3
        )
        for number, frame in enumerate(frames):
            self.assertAlmostEqual(frame.image.mean(), 60 * number, delta=4)
        self.assertEqual(_sound(path), _sound(source))

    def test_pixels_keep_their_shape_and_turn_with_the_picture(self):
        source = drawn_video.write(self.folder / "a.mp4", 3)
        for name, shape, is_turned in (
            ("wide.mp4", fractions.Fraction(16, 15), False),
            ("turned.mp4", fractions.Fraction(15, 16), True),
        ):
            path = self.folder / name
            with video_writer.VideoWriter(
                path, ".mp4", (64, 48), 25, source, fractions.Fraction(16, 15)
            ) as writer:
                for number in range(3):
                    image = np.zeros((64, 48, 3), np.uint8)
                    writer.write(image, number / 25)
            if is_turned:
                drawn_video.turn(path)

            video = VideoFile(path)

            self.assertEqual(video.pixel_shape, shape)

    def test_frames_that_the_codec_does_not_take_are_told(self):
        video_writer.require_size((16384, 16384), "a.mkv")
        with self.assertRaisesRegex(UserError, "a.mkv.*16384.*2 x 16385"):
            video_writer.require_size((2, 16385), "a.mkv")

    def test_sound_begins_with_the_frames_whatever_the_clock_says(self):
        # Such streams begin after a while.
        source = drawn_video.write(self.folder / "a.mts", 20, sound=True)
        path = self.folder / "%03d.mp4"

        with video_writer.VideoWriter(
            path, ".mp4", (64, 48), 25, source
        ) as writer:
            for frame in VideoFile(source).frames():
                writer.write(frame.image, frame.seconds)

        (first, *_) = VideoFile(path).frames()
        # Its sound begins a little before.
        self.assertLess(first.seconds, 0.2)
        with path.open("rb") as stream, av.open(stream) as container:
            sound = next(container.decode(audio=0))
        self.assertLess(abs(sound.time - first.seconds), 0.2)

    def test_sound_that_mp4_does_not_hold_goes_into_matroska(self):
        path = self.folder / "a.mkv"
        with av.open(str(path), "w") as container:
            audio = container.add_stream("pcm_s16le", rate=8000)
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 800), np.int16), format="s16", layout="mono"
            )
            frame.sample_rate = 8000
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))

        self.assertEqual(video_writer.ending_for(path), ".mkv")
        path.write_bytes(b"")
        with self.assertRaisesRegex(UserError, "cannot be read"):
            video_writer.ending_for(path)


if __name__ == "__main__":
    absltest.main()
