"""Names of the keypoints of OpenPose, in the order of its files."""

from collections.abc import Iterable

BODY_25 = "body_25"
COCO_18 = "coco_18"

_LIMBS = ("shoulder", "elbow", "wrist")
_LEGS = ("hip", "knee", "ankle")
_FACE = ("right_eye", "left_eye", "right_ear", "left_ear")
_FEET = ("big_toe", "small_toe", "heel")


def _sided(side: str, joints: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{side}_{joint}" for joint in joints)


# Keypoints of OpenPose that nobody annotates, and the two whose middle each is.
MIDDLES = {
    "neck": ("right_shoulder", "left_shoulder"),
    "mid_hip": ("right_hip", "left_hip"),
}
# Names of OpenPose's keypoints in its order, as COCO and COCO-WholeBody call
# them. LIP annotates neither the face nor the feet.
LAYOUTS: dict[str, tuple[str, ...]] = {
    BODY_25: (
        "nose",
        "neck",
        *_sided("right", _LIMBS),
        *_sided("left", _LIMBS),
        "mid_hip",
        *_sided("right", _LEGS),
        *_sided("left", _LEGS),
        *_FACE,
        *_sided("left", _FEET),
        *_sided("right", _FEET),
    ),
    COCO_18: (
        "nose",
        "neck",
        *_sided("right", _LIMBS),
        *_sided("left", _LIMBS),
        *_sided("right", _LEGS),
        *_sided("left", _LEGS),
        *_FACE,
    ),
}
