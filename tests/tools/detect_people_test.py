"""Tests of tools.detect_people."""

import atexit
import functools
import importlib.util
import os
import pathlib
import shutil
import tempfile
import warnings

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.people import detections
from nppnet_tf.data.people import person_detector
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.pictures import picture_files
from tests.data import person_trees
from tests.data.people import pasting_by_pixel
from tests.data.people import stand_in_detector
from tests.shared import run_tool

SIZE = person_trees.SIZE
RED = (4, 6, 23, 35)
NAMES = ["p1", "p2"]

GARDEN_SIDE = 64
GARDEN_MODEL = {
    # Background and person: about one half each, untrained.
    "num_classes": 2,
    "min_level": 3,
    "max_level": 4,
    "backbone": {"resnet": {"model_id": 18}},
    "decoder": {"fpn": {"num_filters": 8}},
    "rpn_head": {"num_filters": 8},
    "detection_head": {"num_convs": 1, "num_filters": 8, "fc_dims": 8},
    "mask_head": {"num_convs": 1, "num_filters": 8},
    "roi_generator": {"test_pre_nms_top_k": 60, "test_num_proposals": 30},
    "detection_generator": {"pre_nms_top_k": 40, "max_num_detections": 8},
    "norm_activation": {"use_sync_bn": False},
}
MIN_SCORE = 0.3


class _Case(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.base = pathlib.Path(self.create_tempdir().full_path)
        self.pictures = self.base / "pictures"
        self.pictures.mkdir()
        self.output = self.base / "found"

    def _save(self, name, image=None, folder=None, **options):
        if image is None:
            image = stand_in_detector.picture(SIZE, RED)
        path = (folder or self.pictures) / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(path, "PNG", **options)
        return path

    def _detect(self, *arguments, model=None, pictures=None):
        return run_tool(
            "detect_people",
            f"--model={model or stand_in_detector.exported()}",
            f"--images={pictures or self.pictures}",
            f"--output={self.output}",
            *arguments,
        )

    def _read(self, name):
        return detections.read(self.output / f"{name}.npz")

    def _files(self):
        return sorted(path.name for path in self.output.iterdir())

    def assert_one_line(self, result, pattern):
        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, pattern)
        self.assertLen(result.stderr.splitlines(), 1)


class DetectPeopleTest(_Case):
    def test_every_picture_gets_its_file(self):
        boxes = {"a": RED, "b": (10, 3, 50, 33), "c": (0, 0, 9, 30)}
        for name, box in boxes.items():
            self._save(f"{name}.png", stand_in_detector.picture(SIZE, box))

        result = self._detect("--batch=2")

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertRegex(
            result.stdout, "3 of 3 pictures, 0 .* before; 3 people in the 3"
        )
        self.assertEqual(
            self._files(), ["a.npz", "b.npz", "c.npz", "detector.json"]
        )
        for name, box in boxes.items():
            found = self._read(name)
            np.testing.assert_allclose(found.boxes, [box], atol=1e-4)
            np.testing.assert_allclose(found.scores, [0.8], atol=1e-6)
            np.testing.assert_array_equal(
                found.masks[0],
                pasting_by_pixel.paste_one(
                    stand_in_detector.BOX_MASKS[0], box, SIZE
                ),
            )

    def test_files_are_the_same_whatever_the_input_and_batch(self):
        for number in range(3):
            box = (number, 6, 23 + number, 35)
            self._save(f"{number}.png", stand_in_detector.picture(SIZE, box))
        contents = []

        for kind, batch in (
            ("image_tensor", 1),
            ("image_bytes", 3),
            ("tf_example", 2),
        ):
            self.output = self.base / kind
            result = self._detect(
                f"--batch={batch}", model=stand_in_detector.exported(kind=kind)
            )
            self.assertEqual(result.exit_code, 0, result.stderr)
            contents.append(
                [path.read_bytes() for path in self.output.glob("*.npz")]
            )

        self.assertLen(contents[0], 3)
        self.assertCountEqual(contents[0], contents[1])
        self.assertCountEqual(contents[0], contents[2])

    def test_boxes_and_masks_belong_to_the_upright_picture(self):
        upright = stand_in_detector.picture(SIZE, RED)
        exif = Image.Exif()
        exif[0x0112] = 6  # Turn it clockwise by a right angle.
        self._save("turned.png", np.rot90(upright).copy(), exif=exif)

        result = self._detect()

        self.assertEqual(result.exit_code, 0, result.stderr)
        found = self._read("turned")
        np.testing.assert_allclose(found.boxes, [RED], atol=1e-4)
        self.assertEqual(found.masks.shape, (1, *SIZE))

    def test_picture_without_people_and_a_gray_one_have_files(self):
        # White is pure red as well, and certain.
        Image.new("L", (50, 30), 255).save(self.pictures / "gray.png")
        Image.new("RGB", (20, 30), (9, 9, 9)).save(self.pictures / "empty.jpg")

        result = self._detect("--min_score=0.9")

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertEqual(self._read("empty").masks.shape, (0, 30, 20))
        np.testing.assert_allclose(
            self._read("gray").boxes, [(0, 0, 50, 30)], atol=1e-4
        )

    def test_lists_say_which_pictures_of_which_folder(self):
        other = self.base / "other"
        for name in "abc":
            self._save(f"{name}.png")
        self._save("d.png", folder=other)
        (self.base / "train.txt").write_text("c\na.jpg\n")
        (self.base / "val.txt").write_text("d\n")

        result = self._detect(
            f"--ids={self.base}/train.txt,{self.base}/val.txt",
            pictures=f"{self.pictures},{other}",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertEqual(
            self._files(), ["a.npz", "c.npz", "d.npz", "detector.json"]
        )

    def test_unreadable_pictures_are_named_and_the_rest_goes_on(self):
        self._save("a.png")
        (self.pictures / "torn.jpg").write_bytes(b"torn")
        (self.base / "ids.txt").write_text("torn\nmissing\na\n")

        result = self._detect(f"--ids={self.base}/ids.txt")

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertRegex(result.stdout, "skipped: record torn: .*torn.jpg")
        self.assertRegex(result.stdout, "skipped: record missing: cannot be")
        self.assertIn("1 of 3 pictures", result.stdout)
        self.assertIn("2 skipped: skipped.txt", result.stdout)
        lines = (self.output / "skipped.txt").read_text().splitlines()
        self.assertEqual(
            [line.split("\t")[0] for line in lines], ["torn", "missing"]
        )
        self._save("torn.jpg")
        self._save("missing.png")
        self._detect(f"--ids={self.base}/ids.txt")
        self.assertNotIn("skipped.txt", self._files())

    def test_no_readable_picture_is_an_error(self):
        (self.pictures / "torn.jpg").write_bytes(b"torn")

        self.assert_one_line(
            self._detect(), "no picture could be read .* 1 failures"
        )

    def test_whole_files_are_kept_and_others_made_again(self):
        for name in ("kept", "torn", "resized", "maskless"):
            self._save(f"{name}.png")
        self._detect()
        expected = self._read("torn")
        ours = detections.Detections(
            np.array([(1.0, 2, 3, 4)]), np.ones(1), np.ones((1, *SIZE), bool)
        )
        detections.write(self.output / "kept.npz", ours)
        before = (self.output / "torn.npz").read_bytes()
        (self.output / "torn.npz").write_bytes(before[: len(before) // 2])
        detections.write(
            self.output / "resized.npz",
            detections.Detections(
                np.zeros((0, 4)), np.zeros(0), np.zeros((0, 9, 9), bool)
            ),
        )
        detections.write(
            self.output / "maskless.npz",
            detections.Detections(np.zeros((0, 4)), np.zeros(0), None),
        )

        result = self._detect()

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("1 of them done before", result.stdout)
        np.testing.assert_array_equal(self._read("kept").boxes, ours.boxes)
        self.assertEqual((self.output / "torn.npz").read_bytes(), before)
        for name in ("resized", "maskless"):
            np.testing.assert_array_equal(
                self._read(name).masks, expected.masks
            )

    def test_files_of_others_are_not_replaced(self):
        self._save("a.png")
        self.output.mkdir()
        (self.output / "a.npz").write_bytes(b"mine")

        self.assert_one_line(
            self._detect(), "replace what is there.*a.npz.*/a.png"
        )
        self.assertEqual((self.output / "a.npz").read_bytes(), b"mine")

    def test_what_is_no_picture_is_named_or_hidden(self):
        self._save("a.png")
        (self.pictures / "._a.png").write_bytes(b"of a Mac")
        (self.pictures / "b.heic").write_bytes(b"of a phone")
        (self.pictures / "lost.jpg").symlink_to("nothing")

        result = self._detect()

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("not read: b.heic", result.stdout)
        self.assertIn("1 of 2 pictures", result.stdout)
        self.assertLen(list(self.output.glob("*.npz")), 1)

    @parameterized.parameters(
        ("--min_score=0.6", "min_score; expected: 0.6.*found: 0.5"),
        ("--person_class=18", "person_class; expected: 18"),
    )
    def test_output_made_in_another_way_is_told(self, flag, pattern):
        self._save("a.png")
        self._detect()

        self.assert_one_line(self._detect(flag), pattern)

    def test_output_of_another_model_is_told(self):
        self._save("a.png")
        self._detect()
        other = stand_in_detector.exported(boxes="normalized")

        self.assert_one_line(
            self._detect(model=other), "in another way.*model_sha256"
        )
        (self.output / "detector.json").write_text("[")
        self.assert_one_line(self._detect(), "not JSON.*detector.json")

    def test_detector_without_masks_makes_files_of_boxes(self):
        self._save("a.png")
        model = stand_in_detector.exported(masks=None)

        result = self._detect(model=model)

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("makes no masks; files of boxes alone", result.stdout)
        self.assertFalse(self._read("a").has_masks)
        again = self._detect(model=model)
        self.assertIn("1 of them done before", again.stdout)

    def test_batch_of_the_model_is_taken_and_another_refused(self):
        for name in "abcd":
            self._save(f"{name}.png")
        model = stand_in_detector.exported(batch_size=3)

        self.assert_one_line(
            self._detect("--batch=2", model=model),
            "another batch; where: --batch; expected: 3; found: 2",
        )
        result = self._detect(model=model)

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertLen(list(self.output.glob("*.npz")), 4)

    def test_name_in_two_folders_is_told(self):
        other = self.base / "other"
        self._save("a.png")
        self._save("a.jpg", folder=other)

        self.assert_one_line(
            self._detect(pictures=f"{self.pictures},{other}"),
            "two pictures of one name.*/a.png and .*/a.jpg",
        )

    @parameterized.named_parameters(
        ("no_pictures", {}, "no pictures.*found: none"),
        ("no_folder", {"images": "/none"}, "not found.*--images=/none"),
        ("no_images", {"images": ""}, "--images=: expected paths"),
        ("no_list", {"ids": "/none"}, "not found.*--ids=/none"),
        ("no_model", {"model": "/none"}, "not found.*--model=/none"),
        ("no_output", {"output": ""}, "--output=: expected a text"),
        ("no_such_class", {"person_class": "-1"}, "person_class"),
    )
    def test_wrong_flags_are_told(self, changes, pattern):
        name = "note.txt" if "no pictures" in pattern else "a.png"
        self._save(name)
        flags = {
            "model": stand_in_detector.exported(),
            "images": self.pictures,
            "output": self.output,
            **changes,
        }

        result = run_tool(
            "detect_people",
            *(f"--{name}={value}" for name, value in flags.items()),
        )

        self.assert_one_line(result, pattern)

    def test_other_saved_model_is_told(self):
        self._save("a.png")
        model = stand_in_detector.exported(without=("detection_classes",))

        self.assert_one_line(
            self._detect(model=model),
            "not the signature of a detector.*no detection_classes",
        )


class _RecordsCase(_Case):
    """From pictures by way of detections to records."""

    def setUp(self):
        super().setUp()
        person_trees.write(self.base, NAMES)
        self.pictures = self.base / "JPEGImages"
        self.output = self.base / "Mask"
        for path in self.output.iterdir():
            path.unlink()  # What somebody else detected.

    def _picture(self, name):
        return picture_files.decode(
            (self.pictures / f"{name}.jpg").read_bytes()
        )

    def _build(self, way):
        folder = self.base / way
        result = run_tool(
            "build_records",
            "--dataset=pascal_person_part",
            f"--root={self.base}",
            f"--people={way}",
            f"--output={folder}",
        )
        self.assertEqual(result.exit_code, 0, result.stderr)
        return {record.record_id: record for record in RecordSet.open(folder)}

    def assert_cut_out(self, record, box, name, mask):
        """The record is the part of the picture, without other people."""
        left, top, right, bottom = box
        part = np.s_[top:bottom, left:right]
        self.assertEqual(record.crop.box, box)
        np.testing.assert_array_equal(
            picture_files.decode(record.image_bytes), self._picture(name)[part]
        )
        labels = person_trees.label_map(NAMES.index(name))
        np.testing.assert_array_equal(record.label_map, (labels * mask)[part])

    def assert_all_are_records(self):
        """Everyone who was detected is a record; returns how many."""
        records = self._build("detections")
        count = 0
        for name in NAMES:
            found = self._read(name)
            count += len(found.boxes)
            for number, (box, mask) in enumerate(
                zip(found.boxes, found.masks, strict=True)
            ):
                sides = (*np.floor(box[:2]), *np.ceil(box[2:]))
                record = records[f"{name}_{number}"]
                self.assert_cut_out(record, tuple(map(int, sides)), name, mask)
                self.assertAlmostEqual(record.crop.score, found.scores[number])
        self.assertLen(records, count)
        return count


class RecordsTest(_RecordsCase):
    def setUp(self):
        super().setUp()
        self.boxes = [tuple(map(int, box)) for box in person_trees.BOXES]
        for name in NAMES:
            image = stand_in_detector.picture(SIZE, *self.boxes)
            self._save(f"{name}.jpg", image)
        result = self._detect(
            "--min_score=0.3", f"--ids={self.base}/train_id.txt"
        )
        self.assertEqual(result.exit_code, 0, result.stderr)

    def test_people_who_were_detected_become_records(self):
        self.assertEqual(self.assert_all_are_records(), 4)

    def test_annotated_people_get_the_masks_of_those_they_match(self):
        records = self._build("matched")

        self.assertCountEqual(records, ["p1_0", "p1_1", "p2_0", "p2_1"])
        for name in NAMES:
            for number, (box, cells) in enumerate(
                zip(self.boxes, (0, 2), strict=True)
            ):
                record = records[f"{name}_{number}"]
                mask = pasting_by_pixel.paste_one(
                    stand_in_detector.BOX_MASKS[cells], box, SIZE
                )
                self.assert_cut_out(record, box, name, mask)
                self.assertIsNotNone(record.keypoints_xy)


class ModelGardenTest(_RecordsCase):
    """The real Mask R-CNN of tf-models-official, small, of random weights."""

    def setUp(self):
        if importlib.util.find_spec("official") is None:
            self.skipTest("tf-models-official is not installed")
        super().setUp()
        self.model = _model_garden()

    def test_people_are_those_of_the_model_and_become_records(self):
        result = self._detect(f"--min_score={MIN_SCORE}", model=self.model)

        self.assertEqual(result.exit_code, 0, result.stderr)
        loaded = tf.saved_model.load(os.fspath(self.model / "saved_model"))
        for name in NAMES:
            raw = loaded.signatures["serving_default"](
                inputs=tf.constant(self._picture(name)[np.newaxis])
            )
            self._check(name, {key: raw[key][0].numpy() for key in raw})
        self._check_other_inputs(loaded)
        self.assertGreater(self.assert_all_are_records(), 0)

    def _check(self, name, raw):
        """Compares a file with the raw outputs, computed another way."""
        from official.vision.ops import mask_ops

        found = self._read(name)
        is_person = (raw["detection_classes"] == 1) & (
            raw["detection_scores"] >= MIN_SCORE
        )
        is_person[raw["num_detections"] :] = False
        self.assertTrue(is_person.any())
        # The picture fits into the square of the network, by whole pixels.
        factor = GARDEN_SIDE / max(SIZE)
        down, across = (round(side * factor) / side for side in SIZE)
        top, left, bottom, right = raw["detection_boxes"][is_person].T.astype(
            np.float64
        )
        boxes = np.stack(
            [left / across, top / down, right / across, bottom / down], -1
        )
        np.testing.assert_allclose(
            found.boxes, boxes.clip(0, [*SIZE[::-1], *SIZE[::-1]]), atol=1e-4
        )
        np.testing.assert_array_equal(
            found.scores, raw["detection_scores"][is_person]
        )
        cells = raw["detection_masks"][is_person]
        for mask, small, box in zip(found.masks, cells, boxes, strict=True):
            expected = pasting_by_pixel.paste_one(small, box, SIZE)
            self.assertLessEqual((mask != expected).sum(), 1)
        # As the Model Garden evaluates, OpenCV's fixed point aside.
        boxes[:, 2:] -= boxes[:, :2]
        pasted = mask_ops.paste_instance_masks_v2(cells, boxes, *SIZE)
        self.assertLess((pasted != found.masks).mean(), 0.01)
        self.assertTrue(found.masks.any())

    def _check_other_inputs(self, loaded):
        pictures = [self._picture(name) for name in NAMES]
        for kind in (
            person_detector.IMAGE_BYTES,
            person_detector.TF_EXAMPLE,
        ):
            detector = person_detector.PersonDetector(
                loaded.signatures[kind], kind
            )
            self.assertEqual(detector.input_kind, kind)
            everyone = detector.detect(pictures, MIN_SCORE)
            for name, found in zip(NAMES, everyone, strict=True):
                expected = self._read(name)
                np.testing.assert_allclose(
                    found.boxes, expected.boxes, atol=1e-3
                )
                np.testing.assert_allclose(
                    found.masks.mean(), expected.masks.mean(), atol=0.01
                )


@functools.cache
def _model_garden():
    """Exports a small Mask R-CNN; returns the folder."""
    folder = pathlib.Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tf_keras
        from official.core import exp_factory
        from official.vision import registry_imports  # noqa: F401
        from official.vision.serving import export_saved_model_lib

        tf_keras.utils.set_random_seed(1)
        experiment = exp_factory.get_exp_config("maskrcnn_resnetfpn_coco")
        experiment.override({"task": {"model": GARDEN_MODEL}})
        export_saved_model_lib.export_inference_graph(
            input_type="image_tensor",
            batch_size=None,
            input_image_size=[GARDEN_SIDE, GARDEN_SIDE],
            params=experiment,
            checkpoint_path=None,
            export_dir=os.fspath(folder),
            export_saved_model_subdir="saved_model",
            function_keys={
                person_detector.IMAGE_TENSOR: person_detector.SIGNATURE,
                person_detector.IMAGE_BYTES: person_detector.IMAGE_BYTES,
                person_detector.TF_EXAMPLE: person_detector.TF_EXAMPLE,
            },
        )
    return folder


if __name__ == "__main__":
    absltest.main()
