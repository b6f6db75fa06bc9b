"""Tests of tools.build_records."""

import dataclasses
import pathlib
import subprocess
import sys
import time

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.pictures import picture_files
from tests.data import person_trees
from tests.data import sample_records
from tests.shared import REPOSITORY
from tests.shared import run_tool
from tests.shared import shared_path


class BuildRecordsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        base = pathlib.Path(self.create_tempdir().full_path)
        self.root, self.output = base / "lip", base / "records"
        self.records = sample_records.make_records(5)
        sample_records.write_lip(self.root, self.records)
        self.images = self.root / "TrainVal_images" / "train_images"

    def run_lip(self, *arguments, output=None):
        return run_tool(
            "build_records",
            f"--root={self.root}",
            f"--output={output or self.output}",
            "--num_shards=2",
            *arguments,
        )

    def assert_one_line(self, result, pattern):
        self.assertEqual(result.exit_code, 2)
        self.assertRegex(result.stderr, pattern)
        self.assertLen(result.stderr.splitlines(), 1)

    def content(self, folder):
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def test_makes_records_from_lip(self):
        result = self.run_lip()

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("5 records, 5 with a label map, 5 with", result.stdout)
        record_set = RecordSet.open(self.output)
        self.assertEqual(
            record_set.ids, tuple(r.record_id for r in self.records)
        )
        self.assertEqual(record_set.manifest["split"], "train")

    def test_nothing_of_a_task_is_refused_and_leaves_nothing(self):
        poses = self.root / "TrainVal_pose_annotations"
        (poses / "lip_train_set.csv").rename(poses / "lip_train_set(1).csv")

        result = self.run_lip()
        alone = self.run_lip("--tasks=parsing")

        self.assert_one_line(
            result, r"no pose of 5 samples.*found: .*lip_train_set\(1\).csv"
        )
        self.assertIn("found: 5 of 5 label maps, 0 of 5 poses", result.stdout)
        self.assertEqual(alone.exit_code, 0, alone.stderr)
        self.assertIn("5 records, 5 with a label map, 0 with", alone.stdout)

    def test_masks_that_ignore_people_are_no_label_maps(self):
        labels = next(self.root.glob("*/train_segmentations"))
        mask = np.zeros((40, 24), np.uint8)
        mask[10:] = 255
        for path in labels.iterdir():
            path.write_bytes(picture_files.encode_png(mask))

        result = self.run_lip()
        alone = self.run_lip("--tasks=pose")

        self.assert_one_line(
            result, "no label map that tells anything.*background and 255"
        )
        self.assertEqual(alone.exit_code, 0, alone.stderr)
        self.assertIn("0 with a label map, 5 with a pose", alone.stdout)
        self.assertIn("5 notes: notes.txt", alone.stdout)
        self.assertIn(
            "background and 255", (self.output / "notes.txt").read_text()
        )

    def test_made_again_it_is_the_same_to_the_byte(self):
        other = self.output.with_name("other")

        self.run_lip()
        self.run_lip(output=other)

        self.assertEqual(self.content(self.output), self.content(other))

    def test_killed_with_its_workers_it_goes_on_to_the_same(self):
        records = sample_records.make_records(40)
        sample_records.write_lip(self.root, records)
        whole = self.output.with_name("whole")
        made = self.output.with_name("records.partial") / "made"
        command = [sys.executable, "-m", "tools.build_records"]
        with subprocess.Popen(
            [
                *command,
                f"--root={self.root}",
                f"--output={self.output}",
                "--num_shards=8",
                "--num_workers=2",
            ],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
        ) as process:
            while process.poll() is None and not list(made.glob("*.json")):
                time.sleep(0.002)
            process.kill()

        result = self.run_lip("--num_shards=8", "--num_workers=1")

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.run_lip("--num_shards=8", "--num_workers=1", output=whole)
        self.assertEqual(self.content(self.output), self.content(whole))
        again = self.run_lip("--num_shards=8")
        self.assertIn("already made from the same files", again.stdout)

    def test_second_run_does_nothing(self):
        self.run_lip()
        before = (self.output / "manifest.json").stat().st_mtime_ns

        result = self.run_lip()

        self.assertEqual(result.exit_code, 0)
        self.assertIn("already made from the same files", result.stdout)
        self.assertEqual(
            (self.output / "manifest.json").stat().st_mtime_ns, before
        )

    def test_output_of_other_files_is_told(self):
        self.run_lip()
        path = self.images / "id_000.jpg"
        path.write_bytes((self.images / "id_001.jpg").read_bytes())

        self.assert_one_line(
            self.run_lip(), "output was made from something else"
        )

    def test_output_with_other_shards_is_told(self):
        self.run_lip()

        self.assert_one_line(
            self.run_lip("--num_shards=3"), "num_shards; expected: 3; found: 2"
        )

    def test_folder_that_holds_something_else_is_told(self):
        self.output.mkdir()

        self.assert_one_line(self.run_lip(), "folder; where: --output=")

    def test_damaged_file_stops_and_leaves_nothing(self):
        (self.images / "id_003.jpg").write_bytes(b"torn")

        self.assert_one_line(
            self.run_lip(), "damaged record.*record id_003: picture is neither"
        )
        self.assertEqual(list(self.output.parent.iterdir()), [self.root])

    def test_damaged_files_up_to_the_limit_are_listed(self):
        (self.images / "id_003.jpg").write_bytes(b"torn")
        (self.images / "id_001.jpg").unlink()

        result = self.run_lip("--max_bad_records=2")

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("3 records", result.stdout)
        skipped = (self.output / "skipped.txt").read_text()
        self.assertRegex(skipped, "id_001\tcannot be read.*\nid_003\tpicture")
        self.assert_one_line(
            self.run_lip(), "output lacks damaged records.*found: 2"
        )

    @parameterized.named_parameters(
        ("missing_root", ["--root=", "--output=x"], "--root"),
        ("missing_output", ["--root=x"], "--output"),
        ("unknown_dataset", ["--dataset=coco"], "dataset"),
        ("no_shards", ["--num_shards=0"], "num_shards"),
        (
            "root_is_absent",
            ["--root=/nowhere", "--output=x"],
            "not found; where: --root=/nowhere; expected: a folder",
        ),
        (
            "two_roots",
            ["--root=.,tests", "--output=x"],
            "several folders.*--root",
        ),
        (
            "descriptor",
            ["--dataset=folder", "--root=.", "--descriptor=x", "--output=x"],
            "not found; where: --descriptor=x",
        ),
        (
            "descriptor_of_lip",
            ["--root=.", "--descriptor=cihp", "--output=x"],
            "--dataset=lip does not take.*--descriptor.*found: cihp",
        ),
        (
            "nothing_to_verify",
            ["--verify", "--output=/nowhere"],
            "not found; where: --output=/nowhere",
        ),
    )
    def test_wrong_flags_are_told(self, arguments, message):
        self.assert_one_line(run_tool("build_records", *arguments), message)

    def test_verify_finds_a_flipped_byte(self):
        self.run_lip()
        # The command that made them, and one flag more.
        verify = [
            "build_records",
            "--verify",
            f"--output={self.output}",
            "--num_shards=3",
        ]

        self.assertEqual(run_tool(*verify).exit_code, 0)

        shard = self.output / "records-00001-of-00002.tfrecord"
        sample_records.flip_byte(shard, shard.stat().st_size - 1)
        self.assert_one_line(run_tool(*verify), shard.name)

    def test_makes_records_of_the_people_of_pictures(self):
        root = self.root.with_name("pascal")
        person_trees.write(root, ["p1", "p2", "p3"], "val")
        (root / "PersonJoints" / "p2.mat").unlink()
        (root / "Mask" / "p3.npy").write_bytes(b"torn")
        arguments = [
            "build_records",
            "--dataset=pascal_person_part",
            f"--root={root}",
            "--split=val",
            f"--output={self.output}",
        ]

        self.assert_one_line(
            run_tool(*arguments), "record p3: not a dictionary.*p3.npy"
        )
        result = run_tool(*arguments, "--max_bad_records=1")

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("1 pictures without joints left out: p2", result.stdout)
        self.assertIn("expected: 1817; found: 3", result.stdout)
        record_set = RecordSet.open(self.output)
        self.assertEqual(record_set.ids, ("p1_0", "p1_1"))
        self.assertEqual(record_set.descriptor.name, "pascal_person_part")
        self.assertEqual(record_set.manifest["people"], "matched")
        self.assertEqual(record_set.read(1).crop.box, (25, 1, 58, 39))

    def test_makes_records_in_the_words_of_a_descriptor(self):
        root = self.root.with_name("mine")
        person_trees.write_coco(root, ["a", "b"])
        descriptor = dataclasses.replace(PASCAL_PERSON_PART, name="mine")
        (root / "words.json").write_text(descriptor.to_json())

        result = run_tool(
            "build_records",
            "--dataset=folder",
            f"--root={root}",
            f"--descriptor={root / 'words.json'}",
            "--people=boxes",
            f"--output={self.output}",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        record_set = RecordSet.open(self.output)
        self.assertEqual(record_set.descriptor, descriptor)
        self.assertEqual(record_set.ids, ("a_0", "a_1", "b_0", "b_1"))

    def test_another_number_than_published_is_refused_where_asked(self):
        self.assert_one_line(
            self.run_lip("--strict"), "samples of train.*30462; found: 5"
        )

    def test_makes_records_from_real_folders(self):
        roots = [
            str(shared_path(f"samples/{name}"))
            for name in ("lip_mmseg", "lip_jppnet")
        ]

        result = run_tool(
            "build_records",
            "--dataset=folder",
            f"--root={','.join(roots)}",
            f"--output={self.output}",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn("8 records, 2 with a label map, 7 with", result.stdout)


if __name__ == "__main__":
    absltest.main()
