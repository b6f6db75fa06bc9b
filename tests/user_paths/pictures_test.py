"""Pictures of every kind: `predict`, the served model, and what they cost."""

import json
import pathlib
import tempfile
import unittest

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.inference import export
from nppnet_tf.pictures import picture_structure
from tests.inference import stand_in
from tests.pictures import picture_corpus
from tests.user_paths import user_path

_INPUT_SIZE = (384, 384)
_MAX_MEGABYTES = 1500

_CORPUS = picture_corpus.corpus()

# File names and what they hold; status as docs/pictures.md says.
_COMPARED = {
    "cmyk_adobe.jpg": ("jpeg_cmyk_adobe", 0),
    "cmyk_plain.jpe": ("jpeg_cmyk_without_adobe", 0),
    "ycck.JPEG": ("jpeg_ycck", 0),
    "progressive.jfif": ("jpeg_progressive_420", 0),
    "xmp.Jpg": ("jpeg_RGB_xmp_6", 0),
    "exif_big.jpg": ("jpeg_RGB_long_big_8", 0),
    "exif_late.jpg": ("jpeg_RGB_behind_profile_6", 0),
    "exif_in_comment.jpg": ("jpeg_RGB_in_comment_6", 0),
    "behind_pixels.png": ("png_2_behind_pixels_5", 0),
    "raw_profile.png": ("png_3_raw_deflated_7", 0),
    "palette.png": ("png_3_2_1", 0),
    "wide_samples.png": ("png_6_16_0", 0),
    "large_text.png": ("png_2_8_0.large_text", 0),
    "strip_tall.png": (picture_corpus.flat_png(2000, 1), 0),
    "png_named.jpg": ("png_0_8_0", 0),
    "gif_named.jpg": ("named_jpg_but_GIF", 1),
    "cut.jpg": ("jpeg_420.cut_in_half", 1),
    "no_end.jpg": ("jpeg_420.no_end", 1),
    "no_end.png": ("png_2_8_0.no_end", 1),
    "checksum.png": ("png_2_8_0.wrong_checksum_of_pixels", 1),
    "unknown_first.png": ("png_2_8_0.unknown_first", 1),
    "twelve_bits.jpg": ("jpeg_12_bits", 1),
    "empty.png": ("empty", 1),
    "huge.jpg": ("jpeg_huge", 2),
    "huge.png": ("png_largest", 2),
    "scans.jpg": ("jpeg_many_scans", 2),
}


def _bytes_of(source):
    return source if isinstance(source, bytes) else _CORPUS[source]


def _large_jpeg():
    """A progressive CMYK JPEG of some bytes that says it is of the largest.

    Its decoder holds every coefficient of four channels; the picture is turned.
    """
    data = picture_corpus.jpeg("CMYK", progressive=True)
    at = data.index(b"\xff\xc2") + 5
    side = int(picture_structure.MAX_PIXELS**0.5).to_bytes(2, "big")
    data = data[:at] + side + side + data[at + 4 :]
    return picture_corpus.behind_start(data, picture_corpus.exif(6))


def _worst_requests():
    """Returns requests of eight pictures that cost the most of their kinds."""
    small = picture_corpus.jpeg()
    flat = picture_corpus.flat_png
    markers = b"\xff\xd8" + b"\xff\xe0" * (picture_structure.MAX_BYTES // 2 - 1)
    bomb = picture_corpus.text(
        b"zTXt", b"Raw profile type exif", bytes(60_000_000)
    )
    bomb = picture_corpus.png(before=bomb)
    parts = picture_corpus.png(before=picture_corpus.chunk(b"teSt", b"") * 8000)
    return {
        "strips_of_a_pair": [flat(20000, 1), flat(1, 20000)] + [small] * 6,
        "largest_label_maps": [flat(16384, 1), flat(1, 2048)] + [small] * 6,
        "largest_picture": [_large_jpeg()] + [small] * 7,
        "markers": [markers] + [small] * 7,
        "notes": [bomb] * 2 + [parts] + [small] * 5,
    }


class PicturesTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not pathlib.Path("/proc/self/status").exists():
            raise unittest.SkipTest("memory is watched by Linux's /proc")
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.folder = pathlib.Path(folder)
        model = export.export_saved_model(
            stand_in.StandIn(),
            LIP,
            _INPUT_SIZE,
            cls.folder / "models",
            "people",
        )
        requests = cls.folder / "requests"
        cls._write(
            requests / "compared",
            {
                name: _bytes_of(source)
                for name, (source, _) in _COMPARED.items()
            },
        )
        for name, files in _worst_requests().items():
            cls._write(
                requests / name,
                {f"{i}.bin": data for i, data in enumerate(files)},
            )
        (cls.folder / "answers").mkdir()
        pictures = requests / "compared"
        predicting = user_path.start(
            "predict",
            pictures,
            f"--model={model}",
            f"--output={cls.folder / 'predicted'}",
        )
        serving = user_path.start_python(
            ["-m", "tests.user_paths.picture_server"]
            + [str(model), str(requests), str(cls.folder / "answers")]
        )
        cls.served = user_path.finish(serving)
        cls.predicted = user_path.finish(predicting)

    @staticmethod
    def _write(folder, files):
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)

    def _answer(self, request):
        self.assertEqual(self.served.exit_code, 0, self.served.stderr)
        return np.load(self.folder / "answers" / f"{request}.npz")

    def test_served_statuses_are_those_of_the_documented_rule(self):
        answer = self._answer("compared")
        expected = [_COMPARED[name][1] for name in sorted(_COMPARED)]

        for signature in ("serving_default", "predict_png"):
            self.assertEqual(answer[f"{signature}/status"].tolist(), expected)

    def test_predict_answers_as_the_served_model(self):
        answer = self._answer("compared")
        sizes = answer["serving_default/image_size"]
        unread = []

        self.assertEqual(self.predicted.exit_code, 0, self.predicted.stderr)
        for index, name in enumerate(sorted(_COMPARED)):
            path = self._output_of(name)
            if not path.exists():
                unread.append(name)
                continue
            height, width = sizes[index]
            with Image.open(path) as found:
                np.testing.assert_array_equal(
                    np.asarray(found),
                    answer["label_map"][index, :height, :width],
                    name,
                )
            document = json.loads(path.with_suffix(".json").read_text())
            points = [
                (joint["x"], joint["y"]) for joint in document["keypoints"]
            ]
            np.testing.assert_allclose(
                points,
                answer["serving_default/keypoints_xy"][index],
                atol=2e-3,
            )
        refused = [name for name, (_, status) in _COMPARED.items() if status]
        self.assertCountEqual(unread, refused)

    def test_predict_says_one_line_of_every_refused_picture(self):
        lines = self.predicted.stdout.splitlines()
        lines += self.predicted.stderr.splitlines()

        for name, (_, status) in _COMPARED.items():
            naming = [
                line
                for line in lines
                if line.startswith("skipped: ") and f"/{name};" in line
            ]
            self.assertLen(naming, bool(status), name)
        self.assertEmpty(
            [
                line
                for line in lines
                if "JPEG data" in line and "skipped" not in line
            ]
        )

    def test_worst_requests_cost_little_memory(self):
        self.assertEqual(self.served.exit_code, 0, self.served.stderr)
        memory = json.loads(
            (self.folder / "answers" / "memory.json").read_text()
        )

        self.assertLess(max(memory.values()), _MAX_MEGABYTES, memory)

    def test_a_costly_picture_costs_itself_alone(self):
        for request, statuses in (
            ("strips_of_a_pair", [0, 3]),
            ("largest_label_maps", [0, 0]),
            ("largest_picture", [3]),
            ("markers", [1]),
        ):
            answer = self._answer(request)
            expected = statuses + [0] * (8 - len(statuses))
            self.assertEqual(
                answer["serving_default/status"].tolist(), expected, request
            )
        # The signature that pads nothing takes them all.
        for request in ("strips_of_a_pair", "largest_picture"):
            answer = self._answer(request)
            self.assertEqual(answer["predict_png/status"].tolist(), [0] * 8)

    def _output_of(self, name):
        stem = pathlib.PurePath(name).stem
        stems = [pathlib.PurePath(other).stem for other in _COMPARED]
        if stems.count(stem) > 1:
            stem = name.replace(".", "_")
        return self.folder / "predicted" / f"{stem}.png"


if __name__ == "__main__":
    absltest.main()
