"""Names of files and folders as people have them, and disks that are full."""

import json
import os
import pathlib
import shutil
import tempfile

import numpy as np
from absl.testing import absltest
from PIL import Image

from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests.inference import stand_in_models
from tests.user_paths import user_path

_GBK = b"\xb2\xe2\xca\xd4"
_LONG = "l" * 251
# What outputs of pictures of these names begin with.
_STARTS = {
    "a.jpg": "a_jpg",
    "a_overlay.jpg": "a_overlay_jpg",
    "a_openpose.jpg": "a_openpose_jpg",
    "x.jpg": "x_jpg",
    "x.png": "x_png",
    "B.jpg": "B_jpg",
    "b.jpg": "b_jpg_2",
    "\u00e9.jpg": "\u00e9_jpg_2",
    "e\u0301.jpg": "e\u0301_jpg",
    "[1] c*.jpg": "[1] c*",
    "-n.jfif": "-n",
    "two\nlines.jpg": "two\nlines",
    "space .JPG": "space ",
    os.fsdecode(_GBK + b".jpg"): os.fsdecode(_GBK),
    f"{_LONG}.jpg": None,
    "link.jpg": "link",
}
_ENDINGS = (".png", ".json", "_openpose.json", "_overlay.png")

# Of another program, in which nothing is as Keras or we want it.
_KERAS_JSON = {
    "floatx": "float16",
    "epsilon": "small",
    "backend": "torch",
    "image_data_format": "sideways",
}


class PredictTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.pictures = self.folder / "[in] put"
        self.pictures.mkdir()
        self.model = self.folder / "[lr=0.001] model*"
        shutil.copytree(stand_in_models.exported_model(), self.model)

    def test_pictures_of_every_name(self):
        elsewhere = self.folder / "elsewhere.jpg"
        _save_picture(elsewhere)
        for name in _STARTS:
            if name != "link.jpg":
                shutil.copy(elsewhere, self.pictures / name)
        (self.pictures / "link.jpg").symlink_to(elsewhere)
        (self.pictures / "lost.jpg").symlink_to("nothing")
        broken = os.fsdecode(_GBK + b"_.jpg")
        for name in ("._a.jpg", ".jpg", "Thumbs.db", "p.webp", broken):
            (self.pictures / name).write_bytes(b"no picture")
        target = self.folder / "target"
        target.mkdir()
        output = self.folder / "[a] b*"
        output.symlink_to(target)

        result = user_path.run(
            "predict",
            self.pictures,
            f"--model={self.model}",
            f"--output={output}",
            LC_ALL="C",
            PYTHONIOENCODING="ascii",
            HOME=_home_with_keras_json(self.folder),
        )

        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        count = len(_STARTS)
        self.assertIn(
            f"{count} of {count + 3} pictures predicted", result.stdout
        )
        self.assertRegex(
            result.stdout,
            r"not read: lost.jpg, p.webp, \\xb2\\xe2\\xca\\xd4_.jpg\n",
        )
        self.assertIn("a_overlay.jpg -> a_overlay_jpg", result.stdout)
        self._assert_outputs(target)

    def _assert_outputs(self, target):
        starts = {
            name: start for name, start in _STARTS.items() if start is not None
        }
        (long_start,) = {
            path.name.removesuffix("_openpose.json")
            for path in target.glob("ll*_openpose.json")
        }
        starts[f"{_LONG}.jpg"] = long_start
        self.assertCountEqual(
            [path.name for path in target.iterdir()],
            [
                start + ending
                for start in starts.values()
                for ending in _ENDINGS
            ],
        )
        for name, start in starts.items():
            document = json.loads((target / f"{start}.json").read_text())
            self.assertEqual(document["image"], file_names.as_text(name))

    def test_what_would_be_lost_is_refused_before_the_work(self):
        picture = self.pictures / "a.png"
        _save_picture(picture)
        (self.folder / "loop").symlink_to("loop")
        (self.folder / "lost").symlink_to("nothing")
        (self.folder / "same").symlink_to(self.pictures)
        other = self.folder / "other"
        other.mkdir()
        (other / "a.png").write_bytes(b"mine")
        empty = self.folder / "empty"
        empty.mkdir()
        _save_description(empty)

        for output, words in (
            ("[in] put", "among the pictures"),
            ("same", "among the pictures"),
            ("loop", "Too many levels"),
            ("lost", "link to nothing"),
            ("other", "replace what is there"),
        ):
            with self.subTest(output):
                result = user_path.run(
                    "predict",
                    picture,
                    # The model is looked at later.
                    f"--model={empty}",
                    f"--output={self.folder / output}",
                )

                self.assertEqual(result.exit_code, 2)
                self.assertRegex(
                    result.stderr, rf"\Anppnet-predict: .*{words}.*\n\Z"
                )
        self.assertEqual((other / "a.png").read_bytes(), b"mine")

    def test_a_full_disk_leaves_whole_predictions(self):
        _save_picture(self.pictures / "a.png", 8)
        _save_picture(self.pictures / "b.png", 128)
        output = self.folder / "output"

        with user_path.largest_file(16 << 10):
            result = user_path.run(
                "predict",
                self.pictures,
                f"--model={self.model}",
                f"--output={output}",
            )

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(
            result.stderr,
            r"\Anppnet-predict: File too large; where: \S+/b_overlay.png\n\Z",
        )
        self.assertCountEqual(
            [path.name for path in output.iterdir()],
            [f"a{ending}" for ending in _ENDINGS],
        )


class InputTest(absltest.TestCase):
    def test_no_tool_replaces_what_it_reads(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        run, images = folder / "[run]", folder / "images"
        for name in (
            "[run]/network.json",
            "[run]/checkpoints/last.npz",
            "detector/saved_model.pb",
            "predictions/a.png",
            "predictions/a.json",
            "images/a.jpg",
            "images/a.png",
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        _save_description(run)
        shutil.copytree(user_path.drawn().train, folder / "records")
        genotypes.save(published.released(), folder / "genotype.svg")
        (folder / "pose.csv").write_text("a\n")
        (folder / "loop").symlink_to("loop")
        (folder / "link.svg").symlink_to("genotype.svg")
        before = _contents(folder)

        for tool, *arguments in (
            (
                "evaluate",
                f"--model={run}",
                f"--records={folder / 'records'}",
                f"--output={run / 'network.json'}",
            ),
            (
                "evaluate",
                f"--truth_csv={folder / 'pose.csv'}",
                f"--prediction_csv={folder / 'pose.csv'}",
                f"--output={folder / 'pose.csv'}",
            ),
            (
                "derive",
                f"--workdir={run}",
                f"--output={run / 'checkpoints' / 'last.npz'}",
            ),
            ("export_npp", f"--run={run}", f"--output={run / 'network.json'}"),
            (
                "draw_genotype",
                f"--genotype={folder / 'genotype.svg'}",
                f"--output={folder / 'link.svg'}",
            ),
            (
                "write_submission",
                f"--predictions={folder / 'predictions'}",
                f"--ids={folder / 'pose.csv'}",
                f"--output={folder}",
            ),
            (
                "detect_people",
                f"--model={folder / 'detector'}",
                f"--images={images}",
                f"--output={images}",
            ),
            (
                "predict",
                images / "a.jpg",
                f"--model={run}",
                f"--coco={run / 'network.json'}",
                f"--output={folder / 'predicted'}",
            ),
            (
                "draw_people",
                f"--contact_sheet={folder / 'sheet.png'}",
                f"--label_sheet={folder / 'Sheet.png'}",
            ),
            (
                "import_npp",
                f"--checkpoint={folder / 'pose.csv'}",
                f"--output={folder / 'loop'}",
            ),
        ):
            with self.subTest(tool, arguments=arguments):
                result = user_path.run(tool, *arguments)

                self.assertEqual(result.exit_code, 2)
                self.assertRegex(
                    result.stderr,
                    rf"\Anppnet-{tool}: (output would replace an input"
                    "|two pictures of one name|two sheets write one file"
                    "|cannot be used; where: --output=).*\n\\Z",
                )
                self.assertEqual(_contents(folder), before)


class FullDiskTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )

    def test_drawing_goes_on_where_a_full_disk_stopped_it(self):
        arguments = (f"--root={self.folder}", "--train=0", "--val=2")

        with user_path.largest_file(2 << 10):
            result = user_path.run("draw_people", *arguments)

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(
            result.stderr,
            r"\Anppnet-draw_people: File too large; where: \S+\.(jpg|png)\n\Z",
        )
        self.assertEmpty(list(self.folder.rglob("*.jpg")))
        self.assertEmpty(list(self.folder.rglob("*.tmp-*")))
        user_path.run_well("draw_people", *arguments)
        self.assertLen(list(self.folder.rglob("*.jpg")), 2)

    def test_a_check_is_whole_or_not_there(self):
        with user_path.largest_file(16 << 10):
            result = user_path.run(
                "check_dataset",
                f"--records={user_path.drawn().validation}",
                f"--output={self.folder}",
            )

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(
            result.stderr,
            r"\Anppnet-check_dataset: File too large; "
            r"where: \S+/contact_sheet.png\n\Z",
        )
        self.assertEmpty(list(self.folder.iterdir()))


def _contents(folder):
    return {
        path: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _home_with_keras_json(folder):
    home = folder / "home"
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(json.dumps(_KERAS_JSON))
    return str(home)


def _save_description(folder):
    """Writes what is looked at of a model before the work."""
    json_documents.write_document(
        folder / "network.json",
        "nppnet_tf.network",
        1,
        {
            "config": {},
            "genotype": {},
            "primitives": [],
            "weights_sha256": "",
            "extra": {},
        },
    )


def _save_picture(path, side=24):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(path)


if __name__ == "__main__":
    absltest.main()
