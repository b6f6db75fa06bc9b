"""Tests of tools.check_dataset: every kind of damage, done and found."""

import io
import json
import os
import pathlib
import shutil

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.dataset_check import findings
from nppnet_tf.drawn_people import lip_folder
from nppnet_tf.pictures import picture_files
from tests.data import sample_records
from tests.shared import run_tool
from tests.shared import shared_path

# Drawn once for all tests, then copied and damaged.
_COUNTS = {"train": 10, "val": 3}
_SIZE = (120, 80)


class _Folder:
    """A folder of LIP's layout whose files can be damaged."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.train_ids = self.ids("train")
        self.val_ids = self.ids("val")

    def ids(self, split):
        return self.id_list(split).read_text().split()

    def id_list(self, split):
        return self.root / "TrainVal_images" / f"{split}_id.txt"

    def image(self, number, split="train"):
        name = f"{self.ids(split)[number]}.jpg"
        return self.root / "TrainVal_images" / f"{split}_images" / name

    def label(self, number, split="train"):
        labels = self.root / "TrainVal_parsing_annotations"
        name = f"{self.ids(split)[number]}.png"
        return labels / f"{split}_segmentations" / name

    def labels_of(self, number):
        return picture_files.decode_label_map(self.label(number).read_bytes())

    def write_labels(self, number, label_map):
        self.label(number).write_bytes(picture_files.encode_png(label_map))

    def poses(self, split="train"):
        return self.root / "TrainVal_pose_annotations" / f"lip_{split}_set.csv"

    def row(self, number):
        name = f"{self.train_ids[number]}.jpg,"
        for row in self.poses().read_text().splitlines():
            if row.startswith(name):
                return row
        raise KeyError(name)

    def replace_row(self, number, row):
        text = self.poses().read_text()
        new = f"{row}\n" if row else ""
        self.poses().write_text(text.replace(f"{self.row(number)}\n", new))

    def add(self, record_id, image, number, split):
        """Adds a sample with the annotation of a sample of train."""
        label = self.label(number).read_bytes()
        cells = self.row(number).partition(",")[2]
        with self.id_list(split).open("a") as stream:
            stream.write(f"{record_id}\n")
        self.image(-1, split).write_bytes(image)
        self.label(-1, split).write_bytes(label)
        with self.poses(split).open("a") as stream:
            stream.write(f"{record_id}.jpg,{cells}\n")


def _swap(label_map):
    return np.array(LIP.mirrored_classes, np.uint8)[label_map]


def _jpeg(picture, quality):
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _similar(folder):
    """The first picture a little smaller, and saved anew."""
    with Image.open(folder.image(0)) as picture:
        smaller = picture.resize((picture.width - 1, picture.height - 1))
        return _jpeg(smaller.resize(picture.size), 70)


def _miss_file(folder):
    folder.image(2).unlink()


def _cut_picture(folder):
    path = folder.image(2)
    path.write_bytes(path.read_bytes()[:400])


def _fill_picture(folder):
    os.truncate(folder.image(2), picture_files.MAX_BYTES + 1)


def _fill_labels(folder):
    os.truncate(folder.label(2), picture_files.MAX_BYTES + 1)


def _color_labels(folder):
    colors = np.array(LIP.palette, np.uint8)[folder.labels_of(2)]
    folder.label(2).write_bytes(picture_files.encode_png(colors))


def _widen_labels(folder):
    # Ids that no byte holds.
    wide = folder.labels_of(2).astype(np.uint16) * 257
    Image.fromarray(wide).save(folder.label(2), "PNG")


def _compress_labels(folder):
    picture = Image.fromarray(folder.labels_of(2))
    folder.label(2).write_bytes(_jpeg(picture, 90))


def _palette_labels(folder):
    picture = Image.fromarray(folder.labels_of(2)).convert("P")
    picture.putpalette(np.array(LIP.palette, np.uint8).ravel().tolist())
    # Converting may sort the colors: the indices are what counts.
    picture.putdata(folder.labels_of(2).ravel().tolist())
    picture.save(folder.label(2), "PNG")


def _sort_palette(folder):
    colors = np.array(LIP.palette, np.uint8)[folder.labels_of(2)]
    picture = Image.fromarray(colors).quantize(20)
    picture.save(folder.label(2), "PNG")


def _crop_labels(folder):
    folder.write_labels(2, folder.labels_of(2)[1:])


def _exceed_labels(folder):
    label_map = folder.labels_of(2)
    label_map[0, :2] = 20, 254
    folder.write_labels(2, label_map)


def _empty_labels(folder):
    folder.write_labels(2, np.zeros_like(folder.labels_of(2)))
    # Otherwise every joint lies beside the person as well.
    _empty_pose(folder)


def _break_row(folder):
    row = folder.row(2).split(",")
    folder.replace_row(2, ",".join([row[0], "x", *row[2:]]))


def _repeat_id(folder):
    folder.id_list("train").unlink()
    folder.train_ids = None
    image_folder = folder.root / "TrainVal_images" / "train_images"
    path = sorted(image_folder.iterdir())[2]
    shutil.copy(path, path.with_suffix(".png"))


def _share_id(folder):
    folder.add(folder.train_ids[2], folder.image(3, "train").read_bytes(), 3,
               "val")  # fmt: skip


def _share_picture(folder):
    folder.add("copy", folder.image(2).read_bytes(), 2, "val")


def _repeat_picture(folder):
    folder.add("copy", folder.image(2).read_bytes(), 2, "train")


def _resemble_other_split(folder):
    folder.add("copy", _similar(folder), 0, "val")


def _resemble(folder):
    folder.add("copy", _similar(folder), 0, "train")


def _swap_all(folder):
    for number in range(len(folder.train_ids)):
        folder.write_labels(number, _swap(folder.labels_of(number)))


def _swap_one(folder):
    folder.write_labels(2, _swap(folder.labels_of(2)))


def _move_pose_away(folder):
    name = folder.row(2).split(",")[0]
    folder.replace_row(2, ",".join([name] + ["1", "1", "0"] * 16))


def _send_joint_out(folder):
    row = folder.row(2).split(",")
    # The thorax, which is annotated in nearly every picture.
    row[1 + 3 * 7 : 4 + 3 * 7] = "5000", "10", "0"
    folder.replace_row(2, ",".join(row))


def _empty_pose(folder):
    name = folder.row(2).split(",")[0]
    folder.replace_row(2, ",".join([name] + ["nan"] * 48))


def _add_row(folder):
    cells = folder.row(2).partition(",")[2]
    with folder.poses().open("a") as stream:
        stream.write(f"nobody.jpg,{cells}\n")


def _miss_labels(folder):
    folder.label(2).unlink()


def _miss_pose(folder):
    folder.replace_row(2, "")


def _replace_by_size(folder, height, width):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (height, width, 3), np.uint8)
    folder.image(2).write_bytes(_jpeg(Image.fromarray(pixels), 90))
    folder.write_labels(2, np.full((height, width), 5, np.uint8))
    _empty_pose(folder)


def _shrink(folder):
    _replace_by_size(folder, 31, 40)


def _grow(folder):
    _replace_by_size(folder, 40, 4097)


def _empty_list(folder):
    folder.id_list("val").write_text("")


class CheckDatasetTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.drawn = pathlib.Path(absltest.TEST_TMPDIR.value) / "drawn_people"
        shutil.rmtree(cls.drawn, ignore_errors=True)
        lip_folder.write_lip(cls.drawn, _COUNTS, 3, _SIZE)

    def setUp(self):
        super().setUp()
        base = pathlib.Path(self.create_tempdir().full_path)
        self.output = base / "checked"
        shutil.copytree(self.drawn, base / "lip")
        self.folder = _Folder(base / "lip")
        self.suspect = self.folder.train_ids[2]

    def check(self, *arguments):
        """With a sheet of two; that of all takes longer than the checks."""
        return self.check_and_draw("--suspects=1", "--drawn=1", *arguments)

    def check_and_draw(self, *arguments):
        return run_tool(
            "check_dataset",
            f"--root={self.folder.root}",
            f"--output={self.output}",
            *arguments,
        )

    def report(self):
        return json.loads((self.output / "report.json").read_text())

    def found(self):
        return {
            (each["split"], each["id"], each["kind"])
            for each in self.report()["findings"]
            if each["kind"] != findings.SPLIT_ABSENT
        }

    def test_whole_data_set_is_clean(self):
        result = self.check_and_draw()

        self.assertEqual(result.exit_code, 0, result.stdout)
        self.assertEmpty(self.found())
        self.assertIn("note split_absent: 1: test/*", result.stdout)
        self.assertRegex(
            result.stdout, r"13 samples, \d+ in a second; .* the 30462 of"
        )
        splits = self.report()["splits"]
        self.assertEqual(splits["train"]["num_samples"], 10)
        self.assertEqual(splits["val"]["num_label_maps"], 3)
        self.assertGreater(splits["train"]["sides"]["joints_on_own_side"], 10)
        self.assertEqual(splits["train"]["sides"]["joints_on_other_side"], 0)

    @parameterized.named_parameters(
        ("missing_file", _miss_file, findings.MISSING_FILE),
        ("torn_picture", _cut_picture, findings.UNREADABLE),
        ("picture_beyond_the_limit", _fill_picture, findings.TOO_LARGE),
        ("labels_beyond_the_limit", _fill_labels, findings.TOO_LARGE),
        ("labels_of_colors", _color_labels, findings.LABEL_MODE),
        ("labels_of_16_bits", _widen_labels, findings.LABEL_MODE),
        ("labels_as_jpeg", _compress_labels, findings.LABEL_MODE),
        ("labels_of_a_palette", _palette_labels, findings.PALETTE_LABEL),
        ("labels_of_a_sorted_palette", _sort_palette, findings.LABEL_MODE),
        ("labels_of_another_size", _crop_labels, findings.SIZE_MISMATCH),
        ("labels_beyond_the_classes", _exceed_labels, findings.UNKNOWN_LABEL),
        ("malformed_row", _break_row, findings.MALFORMED_ANNOTATION),
        ("sides_of_one_swapped", _swap_one, findings.SIDES_SWAPPED),
        ("pose_of_nobody", _move_pose_away, findings.JOINTS_OFF_PERSON),
        ("joint_outside", _send_joint_out, findings.JOINT_OUTSIDE),
        ("empty_pose", _empty_pose, findings.EMPTY_POSE),
        ("missing_labels", _miss_labels, findings.MISSING_LABEL_MAP),
        ("missing_pose", _miss_pose, findings.MISSING_POSE),
    )
    def test_damage_is_the_one_thing_that_is_found(self, damage, kind):
        damage(self.folder)

        result = self.check()

        self.assertEqual(self.found(), {("train", self.suspect, kind)})
        severity = findings.KINDS[kind].severity
        self.assertEqual(result.exit_code, int(severity == findings.ERROR))
        self.assertIn(
            f"{severity} {kind}: 1: train/{self.suspect} (", result.stdout
        )
        self.assertIn(f"repair: {findings.KINDS[kind].repair}", result.stdout)

    @parameterized.named_parameters(
        ("in_both_splits", _share_id, "val", findings.ID_IN_SPLITS, None),
        ("copied", _share_picture, "val", findings.PICTURE_IN_SPLITS, "copy"),
        ("twice", _repeat_picture, "train", findings.DUPLICATED_PICTURE,
         "copy"),
        ("similar", _resemble, "train", findings.SIMILAR_PICTURE, "copy"),
        ("similar_in_both_splits", _resemble_other_split, "val",
         findings.SIMILAR_IN_SPLITS, "copy"),
        ("empty_labels", _empty_labels, "train", findings.EMPTY_LABEL_MAP,
         None),
        ("tiny", _shrink, "train", findings.TINY_PICTURE, None),
        ("huge", _grow, "train", findings.HUGE_PICTURE, None),
        ("row_without_picture", _add_row, "train",
         findings.POSE_WITHOUT_PICTURE, "nobody"),
        ("empty_list", _empty_list, "val", findings.SPLIT_UNREADABLE, "*"),
    )  # fmt: skip
    def test_damage_is_found(self, damage, split, kind, name):
        damage(self.folder)

        result = self.check()

        self.assertIn((split, name or self.suspect, kind), self.found())
        # Others that the same damage brings about are no more than warnings.
        worst = findings.KINDS[kind].severity
        if worst != findings.ERROR and result.exit_code:
            self.fail(result.stdout)
        if worst == findings.ERROR:
            self.assertEqual(result.exit_code, 1)

    def test_id_twice_is_found(self):
        _repeat_id(self.folder)

        result = self.check("--split=train")

        kinds = {(name, kind) for _, name, kind in self.found()}
        self.assertIn((self.suspect, findings.DUPLICATED_ID), kinds)
        self.assertEqual(result.exit_code, 1)

    def test_sides_swapped_in_all_are_found_as_one(self):
        _swap_all(self.folder)

        result = self.check()

        self.assertEqual(result.exit_code, 1)
        self.assertIn(
            ("train", "*", findings.SIDES_SWAPPED_EVERYWHERE), self.found()
        )
        self.assertNotIn(
            ("val", "*", findings.SIDES_SWAPPED_EVERYWHERE), self.found()
        )

    def test_sides_without_poses_are_not_judged(self):
        _swap_all(self.folder)
        self.folder.poses().unlink()

        result = self.check("--split=train", "--tasks=parsing")

        self.assertEqual(result.exit_code, 0, result.stdout)
        self.assertEmpty(self.found())
        self.assertFalse(
            self.report()["splits"]["train"]["sides"]["can_be_known"]
        )

    def test_task_of_which_there_is_nothing_is_an_error(self):
        self.folder.poses().rename(self.folder.poses().with_stem("lip_train"))
        labels = self.folder.label(0).parent
        labels.rename(labels.with_name("train_segmentation"))

        result = self.check("--split=train")

        self.assertEqual(result.exit_code, 1)
        self.assertEqual(
            self.found(),
            {
                ("train", "*", findings.NO_LABEL_MAPS),
                ("train", "*", findings.NO_POSES),
            },
        )
        self.assertRegex(
            result.stdout,
            "no_label_maps: 1: .*train_segmentations/ is missing.*"
            "train_segmentation/",
        )
        self.assertIn("train: 0 of 10 label maps", result.stdout)

    def test_masks_that_ignore_people_are_told(self):
        mask = np.where(self.folder.labels_of(2) > 0, 255, 0)
        self.folder.write_labels(2, mask.astype(np.uint8))

        self.check("--split=train")

        self.assertEqual(
            self.found(),
            {("train", self.suspect, findings.IGNORED_LABEL_MAP)},
        )

    def test_label_map_without_a_picture_is_told(self):
        shutil.copy(self.folder.label(2), self.folder.label(2).with_stem("b"))

        self.check("--split=train")

        self.assertEqual(
            self.found(), {("train", "b", findings.LABEL_MAP_WITHOUT_PICTURE)}
        )

    def test_workers_change_nothing(self):
        _swap_one(self.folder)
        _miss_file(self.folder)
        self.check("--num_workers=1")
        alone = self.report()

        self.check("--num_workers=2")

        together = self.report()
        self.assertEqual(
            together.pop("measured")["num_workers"],
            alone.pop("measured")["num_workers"] + 1,
        )
        self.assertEqual(together, alone)

    def test_records_are_looked_over_as_well(self):
        records = self.output.with_name("records")
        run_tool(
            "build_records",
            f"--root={self.folder.root}",
            f"--output={records}",
            "--num_shards=1",
        )
        clean = run_tool(
            "check_dataset", f"--records={records}", f"--output={self.output}"
        )
        self.assertEqual(clean.exit_code, 0, clean.stdout)
        self.assertEmpty(self.found())
        (shard,) = records.glob("*.tfrecord")
        sample_records.flip_byte(shard, 200)

        result = run_tool(
            "check_dataset", f"--records={records}", f"--output={self.output}"
        )

        self.assertEqual(result.exit_code, 1)
        self.assertEqual(
            self.found(),
            {("train", self.folder.train_ids[0], findings.UNREADABLE)},
        )

    def test_contact_sheet_shows_suspects_and_others(self):
        _swap_one(self.folder)

        self.check("--drawn=3")

        with Image.open(self.output / "contact_sheet.png") as sheet:
            four = sheet.size
        self.check()
        with Image.open(self.output / "contact_sheet.png") as sheet:
            self.assertLess(sheet.width, four[0])

    @parameterized.named_parameters(
        ("no_root", [], "--root"),
        ("absent_root", ["--root=/nowhere"], "not found; where: --root="),
        ("absent_records", ["--records=/nowhere"], "not found; where: --rec"),
    )
    def test_wrong_flags_are_told(self, arguments, message):
        result = run_tool(
            "check_dataset", f"--output={self.output}", *arguments
        )

        self.assertEqual(result.exit_code, 2)
        self.assertLen(result.stderr.splitlines(), 1)
        self.assertRegex(result.stderr, message)


class RealPicturesTest(parameterized.TestCase):
    def check_folder(self, dataset, root):
        output = pathlib.Path(self.create_tempdir().full_path)
        result = run_tool(
            "check_dataset",
            f"--dataset={dataset}",
            f"--root={root}",
            f"--output={output}",
            "--drawn=1",
        )
        report = json.loads((output / "report.json").read_text())
        return result, report

    def test_swapped_sides_below_long_clothes_cannot_be_known(self):
        # Trousers and sleeves have no sides, and no joint lies on an arm.
        root = pathlib.Path(self.create_tempdir().full_path) / "swapped"
        shutil.copytree(shared_path("samples/lip_mmseg"), root)
        path = root / "86_185913.png"
        label_map = picture_files.decode_label_map(path.read_bytes())
        path.write_bytes(picture_files.encode_png(_swap(label_map)))

        result, report = self.check_folder("folder", root)

        self.assertEqual(result.exit_code, 0)
        self.assertEmpty(report["findings"])
        self.assertFalse(report["splits"]["all"]["sides"]["can_be_known"])

    def test_swapped_sides_of_six_label_maps_cannot_be_known(self):
        source = shared_path("samples/cihp")
        root = pathlib.Path(self.create_tempdir().full_path) / "swapped"
        shutil.copytree(source / "images", root / "images")
        shutil.copytree(source / "labels_rev", root / "labels")

        result, report = self.check_folder("cihp", root)

        self.assertEqual(result.exit_code, 0)
        self.assertEmpty(report["findings"])
        self.assertFalse(report["splits"]["all"]["sides"]["can_be_known"])

    @parameterized.parameters(
        ("folder", "lip_mmseg"),
        ("folder", "lip_alexis97"),
        ("folder", "lip_jppnet"),
        ("cihp", "cihp"),
    )
    def test_real_samples_are_clean(self, dataset, name):
        root = shared_path(f"samples/{name}")

        result, _ = self.check_folder(dataset, root)

        self.assertEqual(result.exit_code, 0, result.stdout)
        self.assertIn("nothing found", result.stdout)


if __name__ == "__main__":
    absltest.main()
