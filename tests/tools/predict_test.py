"""Tests of tools.predict."""

import json
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import pose_files
from nppnet_tf.inference import predictor
from tests import schemas
from tests import shared
from tests.data.people import stand_in_detector
from tests.inference import stand_in
from tests.inference import stand_in_models
from tests.video import drawn_video


class PredictTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(stand_in_models.loaded_once())
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.pictures = self.folder / "pictures"
        self.pictures.mkdir()
        self.output = self.folder / "output"

    def _save(self, name: str, height: int = 40, width: int = 30, **options):
        path = self.pictures / name
        image = Image.fromarray(stand_in.picture(height, width))
        image.save(path, **options)
        return path

    def _predict(self, source, *arguments, model=None):
        return shared.run_tool(
            "predict",
            source,
            f"--model={model or stand_in_models.exported_model()}",
            f"--output={self.output}",
            *arguments,
        )

    def test_every_picture_gets_its_four_files(self):
        path = self._save("a.png")

        result = self._predict(path)

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertCountEqual(
            [file.name for file in self.output.iterdir()],
            ["a.png", "a.json", "a_openpose.json", "a_overlay.png"],
        )
        loaded = predictor.Predictor.from_directory(
            stand_in_models.exported_model()
        )
        expected = loaded.predict_file(path)
        with Image.open(self.output / "a.png") as label_map:
            self.assertEqual(label_map.mode, "P")
            np.testing.assert_array_equal(
                np.asarray(label_map), expected.label_map
            )
        pose = json.loads((self.output / "a.json").read_text())["keypoints"]
        self.assertEqual([p["name"] for p in pose], list(LIP.keypoints))
        np.testing.assert_allclose(
            [(p["x"], p["y"]) for p in pose], expected.keypoints_xy, atol=1e-3
        )
        with Image.open(self.output / "a_overlay.png") as overlay:
            self.assertEqual(overlay.size, (30, 40))

    def test_orientation_is_honored_in_all_outputs(self):
        exif = Image.Exif()
        exif[0x0112] = 6
        path = self._save("turned.jpg", exif=exif)

        result = self._predict(path)

        self.assertEqual(result.exit_code, 0, result.stderr)
        for name in ("turned.png", "turned_overlay.png"):
            with Image.open(self.output / name) as image:
                self.assertEqual(image.size, (40, 30))
        document = json.loads((self.output / "turned.json").read_text())
        self.assertEqual((document["height"], document["width"]), (30, 40))

    def test_unreadable_pictures_are_named_and_the_others_go_on(self):
        self._save("a.jpg")
        (self.pictures / "broken.png").write_bytes(b"text")
        self._save("moving.gif")
        (self.pictures / "notes.txt").write_text("no picture")

        result = self._predict(self.pictures)

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("1 of 3 pictures predicted", result.stdout)
        self.assertIn("not read: broken.png, moving.gif", result.stdout)
        self.assertTrue((self.output / "a.json").exists())
        self.assertLen(list(self.output.iterdir()), 4)

    def test_pictures_of_one_stem_do_not_meet(self):
        self._save("a.png")
        self._save("a.jpg", 20, 20)

        result = self._predict(self.pictures, "--openpose=coco_18")

        self.assertEqual(result.exit_code, 0, result.stderr)
        for name in ("a_png.json", "a_jpg.json"):
            self.assertTrue((self.output / name).exists(), name)
        text = (self.output / "a_jpg_openpose.json").read_text()
        values = json.loads(text)["people"][0]["pose_keypoints_2d"]
        self.assertLen(values, 54)

    def test_every_output_of_names_that_meet_is_there(self):
        for name in ("a.jpg", "a_overlay.jpg", "a_openpose.jpg", "A.jpg"):
            self._save(name)

        result = self._predict(self.pictures)

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("a.jpg -> a_jpg_2", result.stdout)
        self.assertLen(list(self.output.iterdir()), 16)
        for name in ("a_jpg_2", "a_overlay_jpg", "a_openpose_jpg", "A_jpg"):
            document = json.loads((self.output / f"{name}.json").read_text())
            self.assertIn(document["image"].removesuffix(".jpg"), name)

    def test_only_own_files_of_the_same_picture_are_replaced(self):
        path = self._save("a.png")
        self.assertEqual(self._predict(path).exit_code, 0)
        before = (self.output / "a.png").read_bytes()
        (self.output / "a.png").unlink()

        again = self._predict(path)

        self.assertEqual(again.exit_code, 0, again.stderr)
        self.assertEqual((self.output / "a.png").read_bytes(), before)
        other = self._predict(self._save("a.jpg"))
        self.assertEqual(other.exit_code, 2)
        self.assertRegex(other.stderr, "replace what is .*a.png.*a.jpg.*a.png")
        (self.output / "a.json").unlink()
        self.assertEqual(self._predict(path).exit_code, 2)
        self.assertEqual((self.output / "a.png").read_bytes(), before)

    def test_links_to_nothing_and_hidden_files(self):
        (self.pictures / "a.jpg").symlink_to(self.pictures / "nothing")
        (self.pictures / "._b.png").write_bytes(b"of a Mac")
        self._save("b.png")

        result = self._predict(self.pictures)

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("1 of 2 pictures predicted", result.stdout)
        self.assertIn("skipped: not a file; where: ", result.stdout)
        self.assertIn("not read: a.jpg", result.stdout)

    def test_no_readable_picture_is_an_error(self):
        path = self.pictures / "broken.png"
        path.write_bytes(b"text")

        result = self._predict(path)

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(
            result.stderr, r"\A\S+: no picture could be read.*\n\Z"
        )

    def test_output_among_the_pictures_is_refused(self):
        path = self._save("a.png")
        self.output = self.pictures
        before = path.read_bytes()

        result = self._predict(self.pictures)

        self.assertEqual(result.exit_code, 2)
        self.assertIn("among the pictures", result.stderr)
        self.assertEqual(path.read_bytes(), before)

    @parameterized.named_parameters(
        ("missing_picture", "absent.jpg", [], "absent.jpg"),
        ("empty_folder", "", [], "no pictures"),
        ("scales", "a.png", ["--scales=x"], "--scales"),
        ("opacity", "a.png", ["--opacity=2"], "opacity"),
        ("score", "a.png", ["--score_threshold=2"], "score_threshold"),
        ("no_score", "a.png", ["--score_threshold=nan"], "score_threshold"),
        ("second_picture", "a.png", ["b.png"], "not found; where: b.png"),
    )
    def test_wrong_input_is_one_line(self, name, arguments, message):
        if name == "a.png":
            self._save(name)

        result = self._predict(self.pictures / name, *arguments)

        self.assertEqual(result.exit_code, 2)
        self.assertIn(message, result.stderr)
        self.assertLen(result.stderr.splitlines(), 1)
        self.assertFalse(self.output.exists() and list(self.output.iterdir()))

    def test_missing_model_is_one_line(self):
        result = self._predict(self._save("a.png"), model=self.folder / "none")

        self.assertEqual(result.exit_code, 2)
        self.assertRegex(
            result.stderr, r"\A\S+: not found; where: --model=.*none.*\n\Z"
        )

    def test_coco_file_is_none_of_the_other_outputs(self):
        path = self._save("a.png")

        for coco in (self.output / "a.json", self.output / "A_OVERLAY.png"):
            result = self._predict(path, f"--coco={coco}")

            self.assertEqual(result.exit_code, 2)
            self.assertRegex(result.stderr, r"\A\S+: two outputs of one name")
        result = self._predict(path, f"--coco={path}")
        self.assertRegex(result.stderr, r"\A\S+: output would replace an input")

    def test_coco_file_is_read_as_annotations(self):
        self._save("a.png")
        self._save("b.png")
        coco = self.folder / "of_all" / "coco.json"

        result = self._predict(
            self.pictures, f"--coco={coco}", "--score_threshold=0"
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        poses = pose_files.read(coco, LIP).poses
        self.assertEqual(sorted(poses), ["a", "b"])
        joints = json.loads((self.output / "b.json").read_text())["keypoints"]
        np.testing.assert_allclose(
            poses["b"][0].keypoints_xy, [(j["x"], j["y"]) for j in joints]
        )

    def test_people_of_boxes_and_of_a_detector_are_laid_together(self):
        image = stand_in_detector.picture((40, 60), (4, 6, 23, 35))
        Image.fromarray(image).save(self.pictures / "a.png")
        Image.new("RGB", (60, 40)).save(self.pictures / "b.png")
        (self.pictures / "c.png").write_bytes(b"text")
        boxes = self.folder / "boxes.json"
        results = [
            {"image_id": "a", "bbox": box, "score": score}
            for box, score in (
                ([4, 6, 19, 29], 0.75),
                ([30, 2, 28, 37], 0.625),
                ([90, 2, 28, 37], 0.875),
                ([0, 0, 9, 9], 0.25),
            )
        ]
        boxes.write_text(json.dumps(results))
        pattern = f"{self.pictures}/*.png"
        coco = self.folder / "coco.json"

        result = self._predict(
            pattern, f"--boxes={boxes}", f"--coco={coco}", "--padding=0"
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        for line in (
            "a.png: box 90, 2, 118, 39 lies outside of the picture",
            "1 of 3 pictures predicted, 2 people",
            "not read: b.png, c.png",
            "2 poses as COCO's",
        ):
            self.assertIn(line, result.stdout)
        document = json.loads((self.output / "a.json").read_text())
        self.assertEmpty(schemas.faults(document, "people"))
        self.assertEqual(
            [person["box"] for person in document["people"]],
            [[4, 6, 23, 35], [30, 2, 58, 39]],
        )
        loaded = predictor.Predictor.from_directory(
            stand_in_models.exported_model()
        )
        alone = loaded.predict([image[6:35, 4:23]])[0]
        np.testing.assert_allclose(
            [(p["x"], p["y"]) for p in document["people"][0]["keypoints"]],
            alone.keypoints_xy + (4, 6),
            atol=1e-3,
        )
        with Image.open(self.output / "a.png") as label_map:
            np.testing.assert_array_equal(
                np.asarray(label_map)[6:35, 4:23], alone.label_map
            )
        with Image.open(self.output / "a_instances.png") as instances:
            found = np.asarray(instances)
        self.assertEqual(sorted(np.unique(found[:, :23])), [0, 1])
        self.assertFalse(found[:, 23:30].any())
        self.assertLen(json.loads(coco.read_text())["annotations"], 2)
        self.output = self.folder / "detected"

        result = self._predict(
            self.pictures / "a.png",
            self.pictures / "b.png",
            f"--detector={stand_in_detector.exported()}",
            "--padding=0",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("b.png: no person found", result.stdout)
        self.assertIn("2 of 2 pictures predicted, 1 people", result.stdout)
        detected = json.loads((self.output / "a.json").read_text())
        self.assertEqual(
            detected["people"][0]["keypoints"],
            document["people"][0]["keypoints"],
        )
        empty = json.loads((self.output / "b.json").read_text())
        self.assertEqual(empty["people"], [])

    def test_videos_that_are_none_are_named_and_others_go_on(self):
        broken = self.pictures / "broken.mp4"
        broken.write_bytes(b"no video")

        alone = self._predict(broken)

        self.assertEqual(alone.exit_code, 2)
        self.assertRegex(alone.stderr, r"\A\S+: video cannot be read.*\n\Z")
        whole = drawn_video.write(self.pictures / "walk.mp4", 3)
        self._save("a.png")
        result = self._predict(self.pictures)
        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("skipped: video cannot be read", result.stdout)
        self.assertIn("3 frames of walk.mp4 predicted", result.stdout)
        self.assertIn("1 of 1 pictures predicted", result.stdout)
        self.assertTrue((self.output / "walk_overlay.mp4").exists())
        for flag in ("--nosmooth", "--vote=1"):
            idle = self._predict(self.pictures / "a.png", flag)
            self.assertEqual(idle.exit_code, 2)
            self.assertRegex(idle.stderr, f"{flag}; expected: with it a video")
        for flag, message in (
            ("--format=coco", "format is of pictures"),
            (f"--boxes={self.pictures}", "no boxes of the video"),
            (f"--coco={self.folder}/coco.json", "no pictures; where: --coco"),
            ("--quality", "where: --quality; expected: with it a picture"),
            ("--openpose=coco_18", "not in use; where: --openpose=coco_18"),
        ):
            result = self._predict(whole, flag)
            self.assertEqual(result.exit_code, 2)
            self.assertIn(message, result.stderr)

    def test_people_of_videos_are_found_in_every_frame(self):
        path = self.pictures / "a.mkv"
        images = [
            stand_in_detector.picture((40, 60), (left, 6, left + 20, 36))
            for left in (4, 6, 8)
        ]
        drawn_video.write_images(path, [*images, np.zeros_like(images[0])])

        result = self._predict(
            path,
            f"--detector={stand_in_detector.exported()}",
            "--min_score=0.1",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        lines = (self.output / "a.jsonl").read_text().splitlines()
        frames = [json.loads(line) for line in lines]
        self.assertEqual(
            [[p["id"] for p in frame["people"]] for frame in frames],
            [[1], [1], [1], []],
        )
        for frame, left in zip(frames, (4, 6, 8), strict=False):
            self.assertEmpty(schemas.faults(frame, "frame"))
            self.assertAlmostEqual(frame["people"][0]["box"][0], left, delta=2)
        boxes = self.folder / "boxes.json"
        boxes.write_text(json.dumps(_boxes_of("a", frames)))
        self.output = self.folder / "listed"

        result = self._predict(path, f"--boxes={boxes}", "--min_score=0.1")

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn(
            "a.mkv, frame 3: box 900, 0, 910, 10 lies outside", result.stdout
        )
        lines = (self.output / "a.jsonl").read_text().splitlines()
        for line, frame in zip(lines, frames, strict=True):
            listed = json.loads(line)["people"]
            self.assertEqual(
                [person["id"] for person in listed],
                [person["id"] for person in frame["people"]],
            )
            for person, found in zip(listed, frame["people"], strict=True):
                # Written to thousandths of a pixel.
                np.testing.assert_allclose(
                    person["box"], found["box"], atol=2e-3
                )

    def test_people_are_found_in_one_way(self):
        boxes = self.folder / "boxes.json"
        boxes.write_text("[]")

        result = self._predict(
            self._save("a.png"),
            f"--boxes={boxes}",
            f"--detector={stand_in_detector.exported()}",
        )

        self.assertEqual(result.exit_code, 2)
        self.assertIn("found in two ways", result.stderr)

    def test_flags_are_required(self):
        result = shared.run_tool("predict", self._save("a.png"))

        self.assertEqual(result.exit_code, 2)
        self.assertIn("--model", result.stderr)

    def test_real_pictures_are_predicted_at_their_own_size(self):
        source = shared.shared_path("samples/lip_mmseg")

        result = self._predict(source / "86_185913.jpg", "--flip")

        self.assertEqual(result.exit_code, 0, result.stderr)
        with (
            Image.open(source / "86_185913.png") as truth,
            Image.open(self.output / "86_185913.png") as label_map,
        ):
            self.assertEqual(label_map.size, truth.size)


def _boxes_of(video, frames):
    """Boxes as results of COCO; the last frame has one outside of it."""
    found = [
        {
            "image_id": f"{video}_{frame['frame']}",
            "bbox": [left, top, right - left, bottom - top],
            "score": person["score"],
        }
        for frame in frames
        for person in frame["people"]
        for left, top, right, bottom in [person["box"]]
    ]
    outside = {"image_id": f"{video}_000003", "bbox": [900, 0, 10, 10]}
    return [*found, outside]


if __name__ == "__main__":
    absltest.main()
