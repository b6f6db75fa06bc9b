"""Tests of the people that are drawn."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.drawn_people import canvas as canvas_lib
from nppnet_tf.drawn_people import clothing
from nppnet_tf.drawn_people import figure
from nppnet_tf.drawn_people import person as person_lib
from nppnet_tf.errors import UserError

_SIZE = (128, 96)
_COUNT = 160
_SLEEVES = {
    clothing.UPPER_CLOTHES,
    clothing.DRESS,
    clothing.COAT,
    clothing.JUMPSUITS,
}
_BELOW = {
    clothing.PANTS,
    clothing.SKIRT,
    clothing.DRESS,
    clothing.COAT,
    clothing.JUMPSUITS,
    clothing.SOCKS,
}
# What the picture may show at a joint that is visible.
_AT_JOINT = {
    figure.L_ELBOW: {clothing.LEFT_ARM} | _SLEEVES,
    figure.R_ELBOW: {clothing.RIGHT_ARM} | _SLEEVES,
    figure.L_WRIST: {clothing.LEFT_ARM, clothing.GLOVE} | _SLEEVES,
    figure.R_WRIST: {clothing.RIGHT_ARM, clothing.GLOVE} | _SLEEVES,
    figure.L_KNEE: {clothing.LEFT_LEG, clothing.LEFT_SHOE} | _BELOW,
    figure.R_KNEE: {clothing.RIGHT_LEG, clothing.RIGHT_SHOE} | _BELOW,
    figure.L_ANKLE: {clothing.LEFT_LEG, clothing.LEFT_SHOE} | _BELOW,
    figure.R_ANKLE: {clothing.RIGHT_LEG, clothing.RIGHT_SHOE} | _BELOW,
}
_PAIRS = (
    (clothing.LEFT_ARM, clothing.RIGHT_ARM),
    (clothing.LEFT_LEG, clothing.RIGHT_LEG),
    (clothing.LEFT_SHOE, clothing.RIGHT_SHOE),
)
_DRAWN: list[person_lib.DrawnPerson] = []


def _people() -> list[person_lib.DrawnPerson]:
    """Returns the same people to every test; drawing them takes seconds."""
    if not _DRAWN:
        _DRAWN.extend(
            person_lib.draw_person(0, index, _SIZE) for index in range(_COUNT)
        )
    return _DRAWN


def _middle_column(label_map: np.ndarray, label: int) -> float | None:
    columns = np.nonzero(label_map == label)[1]
    return float(columns.mean()) if len(columns) >= 25 else None


class DrawPersonTest(parameterized.TestCase):
    def test_same_seed_and_index_give_the_same_bytes_in_any_order(self):
        first = [person_lib.draw_person(7, index, (64, 48)) for index in (3, 9)]
        again = [person_lib.draw_person(7, index, (64, 48)) for index in (9, 3)]
        for one, other in zip(first, again[::-1], strict=True):
            self.assertEqual(one.image.tobytes(), other.image.tobytes())
            self.assertEqual(one.label_map.tobytes(), other.label_map.tobytes())
            np.testing.assert_array_equal(one.keypoints_xy, other.keypoints_xy)
            np.testing.assert_array_equal(one.visibility, other.visibility)

    def test_another_seed_or_index_gives_another_picture(self):
        pictures = {
            person_lib.draw_person(seed, index, (64, 48)).image.tobytes()
            for seed in (0, 1)
            for index in (0, 1)
        }
        self.assertLen(pictures, 4)

    def test_everything_has_the_picture_s_size_and_type(self):
        person = person_lib.draw_person(1, 2, (73, 41))
        self.assertEqual(person.image.shape, (73, 41, 3))
        self.assertEqual(person.label_map.shape, (73, 41))
        self.assertEqual(person.keypoints_xy.shape, (16, 2))
        self.assertEqual(person.visibility.shape, (16,))
        self.assertEqual(person.image.dtype, np.uint8)
        self.assertEqual(person.label_map.dtype, np.uint8)
        self.assertEqual(person.keypoints_xy.dtype, np.float32)
        self.assertEqual(person.visibility.dtype, np.int32)

    def test_labels_are_lip_classes_and_each_of_the_twenty_occurs(self):
        found = set()
        for person in _people():
            found.update(np.unique(person.label_map).tolist())
        self.assertEqual(found, set(range(20)))

    def test_clothes_that_exclude_each_other_are_never_together(self):
        alone = ({clothing.DRESS, clothing.JUMPSUITS},) + tuple(
            {whole, part}
            for whole in (clothing.DRESS, clothing.JUMPSUITS)
            for part in (clothing.PANTS, clothing.SKIRT)
        )
        alone += ({clothing.PANTS, clothing.SKIRT},)
        alone += ({clothing.DRESS, clothing.UPPER_CLOTHES},)
        for person in _people():
            found = set(np.unique(person.label_map).tolist())
            for pair in alone:
                self.assertFalse(pair <= found, msg=f"{pair} in {found}")

    def test_views_and_poses_all_occur(self):
        people = _people()
        self.assertEqual({p.view for p in people}, {"front", "side", "back"})
        self.assertEqual({p.pose for p in people}, set(figure.POSES))

    def test_a_visible_joint_shows_its_own_limb(self):
        good, total = 0, 0
        for person in _people():
            for joint, allowed in _AT_JOINT.items():
                if person.visibility[joint] != VISIBLE:
                    continue
                x, y = person.keypoints_xy[joint].round().astype(int)
                near = person.label_map[max(y - 1, 0) : y + 2,
                                        max(x - 1, 0) : x + 2]  # fmt: skip
                total += 1
                good += bool(allowed & set(near.ravel().tolist()))
        self.assertGreater(total, 500)
        self.assertGreaterEqual(good / total, 0.95)

    def test_a_limb_of_the_other_side_makes_a_joint_occluded(self):
        opposite = {
            figure.L_ANKLE: (clothing.RIGHT_LEG, clothing.RIGHT_SHOE),
            figure.R_ANKLE: (clothing.LEFT_LEG, clothing.LEFT_SHOE),
            figure.L_WRIST: (clothing.RIGHT_ARM,),
            figure.R_WRIST: (clothing.LEFT_ARM,),
        }
        for person in _people():
            for joint, labels in opposite.items():
                if person.visibility[joint] == VISIBLE:
                    x, y = person.keypoints_xy[joint].round().astype(int)
                    self.assertNotIn(person.label_map[y, x], labels)

    @parameterized.parameters("front", "back")
    def test_left_is_the_person_s_own_left(self, view):
        sign = 1 if view == "front" else -1
        joints, parts = [], []
        for person in _people():
            if person.view != view or person.pose not in ("standing",):
                continue
            both = [figure.L_SHOULDER, figure.R_SHOULDER]
            if (person.visibility[both] != ABSENT).all():
                left, right = person.keypoints_xy[both, 0]
                joints.append(sign * (left - right) > 0)
            for left_label, right_label in _PAIRS:
                left = _middle_column(person.label_map, left_label)
                right = _middle_column(person.label_map, right_label)
                if left is not None and right is not None:
                    parts.append(sign * (left - right) > 0)
        self.assertGreater(len(joints), 5)
        # A twisted chest or crossed arms may turn a single one around.
        self.assertGreaterEqual(np.mean(joints), 0.95)
        self.assertGreaterEqual(np.mean(parts), 0.9)

    def test_labels_of_limbs_lie_at_the_joints_of_their_own_side(self):
        rows = (
            (clothing.LEFT_ARM, figure.L_WRIST, figure.R_WRIST),
            (clothing.RIGHT_ARM, figure.R_WRIST, figure.L_WRIST),
            (clothing.LEFT_SHOE, figure.L_ANKLE, figure.R_ANKLE),
            (clothing.RIGHT_SHOE, figure.R_ANKLE, figure.L_ANKLE),
        )
        good = []
        for person in _people():
            for label, own, other in rows:
                if ABSENT in person.visibility[[own, other]]:
                    continue
                pixels = np.argwhere(person.label_map == label)[:, ::-1]
                if len(pixels) < 25:
                    continue
                near, far = (
                    np.linalg.norm(
                        pixels - person.keypoints_xy[joint], axis=1
                    ).min()
                    for joint in (own, other)
                )
                good.append(near <= far)
        self.assertGreater(len(good), 150)
        self.assertGreaterEqual(np.mean(good), 0.95)

    def test_joints_are_visible_occluded_and_absent(self):
        visibility = np.stack([person.visibility for person in _people()])
        shares = [
            (visibility == state).mean()
            for state in (ABSENT, OCCLUDED, VISIBLE)
        ]
        # LIP's validation split has 9.7 % absent and 8.3 % occluded joints.
        self.assertBetween(shares[0], 0.04, 0.2)
        self.assertBetween(shares[1], 0.04, 0.2)

    def test_joints_lie_in_the_picture_or_are_absent_at_zero(self):
        for person in _people():
            absent = person.visibility == ABSENT
            np.testing.assert_array_equal(person.keypoints_xy[absent], 0)
            present = person.keypoints_xy[~absent]
            self.assertTrue((present >= 0.5).all())
            self.assertTrue((present <= np.array(_SIZE[::-1]) - 1).all())

    def test_drawn_sizes_are_spread_as_those_of_lip(self):
        sizes = np.array(
            [
                person_lib.draw_person(2, index, median_size=(64, 48)).label_map
                .shape
                for index in range(40)
            ]
        )  # fmt: skip
        self.assertGreater(len(np.unique(sizes, axis=0)), 30)
        height, width = np.median(sizes, axis=0)
        self.assertBetween(height, 54, 76)
        self.assertBetween(width, 38, 58)

    @parameterized.parameters((0, 10), (10, 8), (100000, 64))
    def test_a_size_out_of_range_is_the_user_s_error(self, height, width):
        with self.assertRaisesRegex(UserError, "size of a picture"):
            person_lib.draw_person(0, 0, (height, width))


class NumbersTest(absltest.TestCase):
    def test_classes_are_numbered_as_in_the_descriptor(self):
        for number, name in enumerate(LIP.classes):
            constant = name.upper().replace("-", "_").replace(" ", "_")
            self.assertEqual(getattr(clothing, constant), number)

    def test_joints_are_numbered_as_in_the_descriptor(self):
        for number, name in enumerate(LIP.keypoints):
            constant = name.upper().replace("-", "_").replace(" ", "_")
            constant = constant.replace("RIGHT_", "R_").replace("LEFT_", "L_")
            self.assertEqual(getattr(figure, constant), number)


class FigureTest(parameterized.TestCase):
    def _figure(self, index):
        rng = person_lib.stream(0, index, "shape")
        return figure.Figure(figure.sample_body(rng), figure.sample_pose(rng))

    def test_bones_keep_their_lengths(self):
        for index in range(20):
            person = self._figure(index)
            body = person.body
            for limb in person.arms:
                steps = np.linalg.norm(np.diff(limb.points, axis=0), axis=1)
                np.testing.assert_allclose(
                    steps[:2], [body.upper_arm, body.forearm], rtol=1e-9
                )
            for limb in person.legs:
                steps = np.linalg.norm(np.diff(limb.points, axis=0), axis=1)
                np.testing.assert_allclose(
                    steps[:2], [body.thigh, body.shin], rtol=1e-9
                )

    def test_knees_bend_backward_only(self):
        for index in range(40):
            person = self._figure(index)
            for limb in person.legs:
                thigh = limb.points[1] - limb.points[0]
                shin = limb.points[2] - limb.points[1]
                # The axis about which a knee flexes is the person's left.
                axis = np.cross(thigh, shin)
                left = person.pelvis_frame[:, 0]
                self.assertGreaterEqual(float(axis @ left), -1e-9)

    def test_turning_the_person_moves_its_left_across_the_picture(self):
        # Facing the viewer, the left is at the right; facing away, left.
        for degrees, sign in ((0, 1), (180, -1)):
            left = figure.rotation(1, degrees)[:, 0]
            self.assertAlmostEqual(left[0], sign)
        # Facing the picture's right, the left is away from the viewer.
        self.assertAlmostEqual(figure.rotation(1, 90)[2, 0], -1)


class ObstacleTest(absltest.TestCase):
    def test_things_in_the_way_are_background_and_hide_joints(self):
        canvas = canvas_lib.Canvas((40, 30), (0.0, 0.0), 10.0, (0, -0.5, 1))
        arm = canvas.part(
            clothing.LEFT_ARM, canvas_lib.LEFT_ARM, (200, 150, 120)
        )
        canvas.polygon(np.array([[0, 0], [3, 0], [3, 4], [0, 4.0]]), arm)
        thing = canvas.part(0, canvas_lib.OBJECT, (10, 10, 10))
        canvas.polygon(np.array([[1, 1], [2, 1], [2, 2], [1, 2.0]]), thing)
        labels, groups = canvas.maps()
        self.assertEqual(labels[15, 15], 0)
        self.assertEqual(groups[15, 15], canvas_lib.OBJECT)
        self.assertEqual(labels[5, 5], clothing.LEFT_ARM)
        # From 1 to 2 units is from pixel 10 to 19, borders rounded outward.
        self.assertBetween((labels == 0).sum(), 100, 121)


if __name__ == "__main__":
    absltest.main()
