"""Tests of nppnet_tf.dataset_check.examination: numbers worked by hand.

What each damage leads to is tested in tests/tools/check_dataset_test.py.
"""

import dataclasses
import io
import pathlib
import pickle

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import PASCAL_PERSON_PART
from nppnet_tf.data.readers import pascal
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.data.record import Record
from nppnet_tf.data.records import record_sample
from nppnet_tf.data.records import record_writer
from nppnet_tf.data.source import Options
from nppnet_tf.dataset_check import examination
from nppnet_tf.dataset_check import findings
from nppnet_tf.errors import TooLargeError
from nppnet_tf.errors import UnreadableError
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures.picture_files import LabelFormError
from nppnet_tf.pictures.picture_files import SizeMismatchError
from nppnet_tf.pictures.picture_structure import LargePictureError
from nppnet_tf.pictures.picture_structure import PictureError
from tests.data import person_trees
from tests.data import sample_records

_LEFT_ARM, _RIGHT_ARM, _SKIRT = LIP.class_indices(
    ("Left-arm", "Right-arm", "Skirt")
)
_LEFT_WRIST, _RIGHT_WRIST, _LEFT_ELBOW = LIP.keypoint_indices(
    ("left_wrist", "right_wrist", "left_elbow")
)


@dataclasses.dataclass
class _Sample:
    """A sample that is a record, or an error."""

    content: Record | BadRecordError
    record_id: str = "one"
    paths: tuple = ()

    def load(self):
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def _record(label_map, joints=(), visibility=VISIBLE):
    """A gray picture with joints {number: (x, y)}."""
    keypoints_xy = np.zeros((16, 2), np.float32)
    visible = np.zeros(16, np.int32)
    for k, point in dict(joints).items():
        keypoints_xy[k], visible[k] = point, visibility
    pixels = np.full((*label_map.shape, 3), 99, np.uint8)
    image_bytes = picture_files.encode_png(pixels)
    return Record("one", image_bytes, label_map, keypoints_xy, visible)


def _two_arms():
    """The left arm in the left half, the right one in the right half."""
    label_map = np.full((40, 40), _LEFT_ARM, np.uint8)
    label_map[:, 20:] = _RIGHT_ARM
    return label_map


def _examine(record):
    return examination.examine(_Sample(record), LIP)


class ExamineTest(parameterized.TestCase):
    def test_classes_and_joints_are_counted(self):
        label_map = _two_arms()
        label_map[0] = 255

        examined = _examine(_record(label_map, {_LEFT_WRIST: (3, 4)}))

        self.assertEqual(examined.size, (40, 40))
        self.assertEqual(examined.class_pixels[_LEFT_ARM], 39 * 20)
        self.assertEqual(examined.class_pixels.sum(), 39 * 40)
        self.assertEqual(examined.visibility[_LEFT_WRIST], VISIBLE)
        self.assertEqual(examined.on_parts[_LEFT_WRIST], 1)
        self.assertTrue(np.isnan(examined.on_parts[_RIGHT_WRIST]))

    def test_sides_are_those_of_the_parts_below_the_joints(self):
        joints = {_LEFT_WRIST: (3, 4), _RIGHT_WRIST: (4, 5)}

        examined = _examine(_record(_two_arms(), joints))

        # The left wrist lies on the left arm; the right wrist does too.
        self.assertEqual((examined.own_side, examined.other_side), (1, 1))
        # The left arm is seen left of the right one.
        self.assertEqual(examined.left_of, (1, 0))

    def test_occluded_joints_and_parts_without_sides_say_nothing(self):
        label_map = _two_arms()
        label_map[:, :10] = _SKIRT

        occluded = _examine(
            _record(label_map, {_RIGHT_WRIST: (15, 4)}, OCCLUDED)
        )
        on_skirt = _examine(_record(label_map, {_RIGHT_WRIST: (5, 4)}))

        for examined in (occluded, on_skirt):
            self.assertEqual((examined.own_side, examined.other_side), (0, 0))

    @parameterized.named_parameters(
        ("two", {_RIGHT_WRIST: (3, 4), _LEFT_WRIST: (33, 4)}, True),
        ("one", {_RIGHT_WRIST: (3, 4)}, False),
        (
            "two_and_one_that_is_right",
            {
                _RIGHT_WRIST: (3, 4),
                _LEFT_WRIST: (33, 4),
                _LEFT_ELBOW: (8, 20),
            },
            False,
        ),
    )
    def test_sides_are_suspected_where_most_are_wrong(self, joints, suspected):
        examined = _examine(_record(_two_arms(), joints))

        kinds = [each.kind for each in examined.findings]
        self.assertEqual(findings.SIDES_SWAPPED in kinds, suspected)

    @parameterized.parameters(
        (UnreadableError, findings.UNREADABLE),
        (PictureError, findings.UNREADABLE),
        (TooLargeError, findings.TOO_LARGE),
        (LargePictureError, findings.TOO_LARGE),
        (LabelFormError, findings.LABEL_MODE),
        (SizeMismatchError, findings.SIZE_MISMATCH),
        # Its words are no kind of their own.
        (UserError, findings.MALFORMED_ANNOTATION),
        (str, findings.MALFORMED_ANNOTATION),
    )
    def test_class_of_an_error_is_its_kind(self, error_class, kind):
        error = error_class("picture is of the cat")

        (finding,) = _examine(BadRecordError("one", error, "a.csv")).findings

        self.assertEqual(finding.kind, kind)
        self.assertEqual(finding.detail, "picture is of the cat (a.csv)")

    def test_what_a_reader_could_not_read_is_unreadable(self):
        root = pathlib.Path(self.create_tempdir().full_path)
        person_trees.write(root, ["p1", "p2"])
        people = root / "Instances" / "p1.png"
        people.write_bytes(people.read_bytes()[:60])
        joints = root / "PersonJoints" / "p2.mat"
        joints.write_bytes(b"no MATLAB file")

        source = pascal.read([root], None, Options(people="instances"))

        found = [
            (each.record_id, each.kind, each.detail)
            for sample in pickle.loads(pickle.dumps(source.samples))
            for each in examination.examine(sample, PASCAL_PERSON_PART).findings
        ]
        self.assertEqual(
            [each[:2] for each in found],
            [("p1", findings.UNREADABLE), ("p2", findings.UNREADABLE)],
        )
        self.assertRegex(found[0][2], "^picture is damaged; where: .*p1.png")
        self.assertRegex(found[1][2], "^cannot be read; where: .*p2.mat")

    def test_records_that_changed_are_unreadable(self):
        folder = pathlib.Path(self.create_tempdir().full_path) / "records"
        records = sample_records.make_records(1)
        record_writer.write_records(records, folder, LIP, 1)
        (sample,) = record_sample.source(folder).samples
        sample_records.flip_byte(sample.paths[0], 50)

        (finding,) = examination.examine(sample, LIP).findings

        self.assertEqual(finding.kind, findings.UNREADABLE)
        self.assertRegex(finding.detail, "^checksum differs .*records-00000")

    def test_shards_that_cannot_be_read_are_unreadable(self):
        folder = pathlib.Path(self.create_tempdir().full_path) / "records"
        records = sample_records.make_records(1)
        record_writer.write_records(records, folder, LIP, 1)
        (sample,) = record_sample.source(folder).samples
        sample.paths[0].unlink()
        with self.assertRaises(BadRecordError) as caught:
            sample.load()

        (finding,) = _examine(caught.exception).findings

        self.assertEqual(finding.kind, findings.UNREADABLE)
        self.assertRegex(finding.detail, "^cannot be read: No such file")

    def test_fingerprint_survives_scaling_and_compression(self):
        random = np.random.default_rng(0)
        small = random.integers(0, 256, (9, 9, 3), np.uint8)
        picture = Image.fromarray(small).resize((90, 144))
        stream = io.BytesIO()
        picture.resize((70, 120)).save(stream, "JPEG", quality=70)
        other = Image.fromarray(small[::-1]).resize((90, 144))

        prints = [
            examination._fingerprint(each)
            for each in (picture, Image.open(stream).convert("RGB"), other)
        ]

        self.assertEqual(prints[0].shape, (128,))
        self.assertLess((prints[0] != prints[1]).sum(), 5)
        self.assertGreater((prints[0] != prints[2]).sum(), 30)

    def test_picture_of_one_gray_has_no_fingerprint(self):
        self.assertIsNone(_examine(_record(_two_arms())).fingerprint)

    def test_all_are_examined_in_order(self):
        steps = []
        samples = [
            _Sample(_record(_two_arms()), record_id=name) for name in "ab"
        ]

        examined = examination.examine_all(
            examination.Job(samples, LIP), steps.append
        )

        self.assertEqual([each.record_id for each in examined], ["a", "b"])
        self.assertEqual(steps, [1, 1])


if __name__ == "__main__":
    absltest.main()
