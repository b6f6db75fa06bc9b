"""Tests of nppnet_tf.data.descriptors."""

import contextlib
import dataclasses
import json
import pathlib

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import descriptors
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.errors import UserError
from tests import wrong_kinds
from tests.shared import shared_path


def _own(**changes):
    values = {
        "name": "own",
        "classes": ["back", "hat"],
        "palette": [[0, 0, 0], [1, 1, 1]],
        "keypoints": ["nose"],
    }
    return json.dumps(values | changes)


class DatasetDescriptorTest(parameterized.TestCase):
    def test_sizes_are_those_of_the_data_sets(self):
        lip, pascal = descriptors.LIP, descriptors.PASCAL_PERSON_PART

        self.assertEqual((lip.num_classes, lip.num_keypoints), (20, 16))
        self.assertEqual((pascal.num_classes, pascal.num_keypoints), (7, 14))

    def test_mirrors_of_lip_are_its_published_pairs(self):
        classes = list(range(20))
        for left, right in ((14, 15), (16, 17), (18, 19)):
            classes[left], classes[right] = right, left
        keypoints = list(range(16))
        for left, right in (
            (0, 5),
            (1, 4),
            (2, 3),
            (10, 15),
            (11, 14),
            (12, 13),
        ):
            keypoints[left], keypoints[right] = right, left

        self.assertEqual(descriptors.LIP.mirrored_classes, tuple(classes))
        self.assertEqual(descriptors.LIP.mirrored_keypoints, tuple(keypoints))

    def test_mirrors_of_pascal_are_its_own_pairs(self):
        pascal = descriptors.PASCAL_PERSON_PART

        self.assertEqual(pascal.mirrored_classes, tuple(range(7)))
        self.assertEqual(
            pascal.mirrored_keypoints,
            (0, 1, 8, 9, 10, 11, 12, 13, 2, 3, 4, 5, 6, 7),
        )

    @parameterized.parameters("lip", "pascal_person_part")
    def test_mirroring_twice_is_the_identity(self, name):
        descriptor = descriptors.get(name)

        for mirrored in (
            np.array(descriptor.mirrored_classes),
            np.array(descriptor.mirrored_keypoints),
        ):
            np.testing.assert_array_equal(
                mirrored[mirrored], np.arange(len(mirrored))
            )

    def test_palette_of_lip_is_the_published_one(self):
        palette = json.loads(
            shared_path("samples/lip_palette.json").read_text()
        )
        colors = palette.values() if isinstance(palette, dict) else palette

        self.assertEqual(
            [list(color) for color in descriptors.LIP.palette],
            [list(color) for color in colors],
        )

    @parameterized.parameters("lip", "pascal_person_part")
    def test_json_round_trip(self, name):
        descriptor = descriptors.get(name)

        self.assertEqual(
            DatasetDescriptor.from_json(descriptor.to_json()), descriptor
        )

    def test_mirror_given_one_way_works_both_ways(self):
        descriptor = DatasetDescriptor(
            name="own",
            classes=("back", "left", "right"),
            palette=((0, 0, 0), (1, 1, 1), (2, 2, 2)),
            keypoints=("nose",),
            class_mirrors={"left": "right"},
        )

        self.assertEqual(descriptor.mirrored_classes, (0, 2, 1))

    def test_unknown_mirror_is_refused(self):
        with self.assertRaisesRegex(ValueError, r"class_mirrors=\['Tail'\]"):
            dataclasses.replace(descriptors.LIP, class_mirrors={"Hat": "Tail"})

    def test_palette_of_another_length_is_refused(self):
        with self.assertRaisesRegex(ValueError, "one color for every class"):
            dataclasses.replace(descriptors.LIP, palette=((0, 0, 0),))

    @parameterized.named_parameters(
        ("no_json", "{", "not JSON"),
        ("a_list", "[]", "the descriptor is not an object"),
        ("deep", "[" * 100000, "nested too deeply"),
        ("no_joints", _own(keypoints=[]), "1 to 1024 keypoints.*as lip"),
        ("no_classes", _own(classes=[]), "1 to 255 classes"),
        (
            "many_classes",
            _own(classes=[str(number) for number in range(10**5)]),
            "1 to 255 classes.*100000 classes",
        ),
        ("weights", _own(class_weights=[1, 0]), "positive numbers"),
        ("no_number", _own(class_weights=[1, float("nan")]), "is not a number"),
        ("ignored", _own(ignore_label=300), "behind the classes, up to 255"),
        ("no_text", _own(name="\ud800"), "name is not UTF-8"),
        ("skeleton", _own(skeleton=[["nose"]]), "pairs of keypoints"),
        ("mirror", _own(class_mirrors={"hat": "cap"}), "unknown names.*cap"),
        ("unknown_entry", '{"color": 1}', "found: color"),
        ("missing_entry", '{"name": "own"}', "classes"),
        (
            "names_of_wrong_type",
            _own(classes=3),
            "classes is not a list.*found: 3",
        ),
    )
    def test_bad_json_is_told(self, text, message):
        with self.assertRaisesRegex(UserError, message):
            DatasetDescriptor.from_json(text, "own.json")

    def test_unknown_name_is_told_with_the_known_ones(self):
        with self.assertRaisesRegex(
            UserError, "lip, pascal_person_part, ccp, cihp.*found: wholebody"
        ):
            descriptors.get("wholebody")

    def test_a_name_or_a_file_is_resolved(self):
        written = self.create_tempfile(content=descriptors.LIP.to_json())

        for value in ("lip", written.full_path):
            self.assertEqual(descriptors.resolve(value), descriptors.LIP)

    @parameterized.parameters(
        ("Left-arm", "Right-arm"),
        ("left_wrist", "right_wrist"),
        ("LElbow", "RElbow"),
        ("elbowL", "elbowR"),
        ("LEFT HAND", "RIGHT HAND"),
        ("l_knee", "r_knee"),
        ("knee.L", "knee.R"),
        ("\u5de6\u624b", "\u53f3\u624b"),
    )
    def test_sides_of_a_file_are_mirror_partners(self, left, right):
        path = pathlib.Path(self.create_tempdir().full_path) / "own.json"
        for field, mirrors in (
            ("classes", "class_mirrors"),
            ("keypoints", "keypoint_mirrors"),
        ):
            names = [right, "body", left]
            values = {**json.loads(_own()), field: names}
            values["palette"] = [[0, 0, 0]] * len(values["classes"])
            for partners in ({}, {left: "body"}):
                path.write_text(json.dumps({**values, mirrors: partners}))
                with self.assertRaisesRegex(UserError, f"left and.*{mirrors}"):
                    descriptors.load(path)
            path.write_text(json.dumps({**values, mirrors: {right: left}}))
            self.assertEqual(getattr(descriptors.load(path), field)[2], left)

    @parameterized.parameters("leftover", "ankle", "l", "left_wrist")
    def test_names_without_another_side_need_no_partner(self, name):
        path = pathlib.Path(self.create_tempdir().full_path) / "own.json"
        path.write_text(_own(keypoints=["body", name, "overright"]))
        self.assertIn(name, descriptors.load(path).keypoints)

    def test_every_built_in_descriptor_bears_its_name(self):
        for name in descriptors.names():
            self.assertEqual(descriptors.get(name).name, name)

    def test_cihp_is_lip_but_for_one_class(self):
        cihp = descriptors.get("cihp")

        others = [
            (found, lip)
            for found, lip in zip(cihp.classes, LIP.classes, strict=True)
            if found != lip
        ]
        self.assertEqual(others, [("Torso-skin", "Jumpsuits")])
        self.assertEqual(cihp.mirrored_classes, LIP.mirrored_classes)
        self.assertEqual(cihp.palette, LIP.palette)

    def test_classes_and_joints_are_those_of_the_real_files(self):
        labels = json.loads(
            shared_path("samples/ccp/label_list.json").read_text()
        )
        coco = json.loads(
            shared_path("samples/coco_mmpose/test_coco.json").read_text()
        )
        with np.load(shared_path("samples/lspet/joints.npz")) as arrays:
            order = arrays["order"].tolist()

        self.assertEqual(descriptors.get("ccp").classes, tuple(labels))
        self.assertEqual(
            descriptors.get("coco").keypoints,
            tuple(coco["categories"][0]["keypoints"]),
        )
        sides = {"R": "right", "L": "left"}
        self.assertEqual(
            descriptors.get("lspet").keypoints,
            tuple(
                f"{sides[name[0]]}{name[1:]}" if name[1] == "_" else name
                for name in order
            ),
        )

    @parameterized.parameters("cihp", "ccp", "lspet", "mpii", "coco")
    def test_every_side_has_its_mirror(self, name):
        descriptor = descriptors.get(name)

        for names, mirrors in (
            (descriptor.keypoints, descriptor.keypoint_mirrors),
            (descriptor.classes, descriptor.class_mirrors),
        ):
            sided = [
                n for n in names if n.lower().startswith(("left", "right"))
            ]
            self.assertEqual(set(sided), set(mirrors))

    def test_parts_of_any_kind_are_read_or_told(self):
        document = json.loads(descriptors.LIP.to_json())

        for what, changed in wrong_kinds.documents(document):
            with self.subTest(what), contextlib.suppress(UserError):
                DatasetDescriptor.from_values(changed)

    def test_descriptor_of_a_file_that_cannot_be_read_is_told(self):
        with self.assertRaisesRegex(UserError, "cannot be read.*/nowhere.json"):
            descriptors.load("/nowhere.json")


if __name__ == "__main__":
    absltest.main()
