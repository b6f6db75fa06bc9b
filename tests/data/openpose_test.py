"""Tests of data.openpose."""

from absl.testing import absltest

from nppnet_tf.data import openpose
from nppnet_tf.data.descriptors import LIP


class LayoutsTest(absltest.TestCase):
    def test_files_are_told_apart_by_their_number_of_keypoints(self):
        sizes = {name: len(names) for name, names in openpose.LAYOUTS.items()}

        self.assertEqual(sizes, {openpose.BODY_25: 25, openpose.COCO_18: 18})
        for names in openpose.LAYOUTS.values():
            self.assertLen(set(names), len(names))

    def test_limbs_of_lip_have_its_names(self):
        for names in openpose.LAYOUTS.values():
            lacking = set(LIP.keypoints) - set(names)
            self.assertEqual(
                lacking, {"pelvis", "thorax", "upper_neck", "head_top"}
            )


if __name__ == "__main__":
    absltest.main()
