"""The articulated person: body shape, pose and joints in three dimensions.

Lengths are in heights of the standing person. The camera's axes are x to the
right, y up and z toward the viewer; a person's own axes are left, up and
forward. In a front view the person's left is on the picture's right.
"""

import dataclasses
import math
import random

import numpy as np

# LIP's order of the joints (FORMATS: `data.descriptors.LIP.keypoints`).
(
    R_ANKLE,
    R_KNEE,
    R_HIP,
    L_HIP,
    L_KNEE,
    L_ANKLE,
    PELVIS,
    THORAX,
    UPPER_NECK,
    HEAD_TOP,
    R_WRIST,
    R_ELBOW,
    R_SHOULDER,
    L_SHOULDER,
    L_ELBOW,
    L_WRIST,
) = range(16)
NUM_JOINTS = 16
LEFT = 1
RIGHT = -1
SIDES = (LEFT, RIGHT)

POSES = (
    "standing",
    "walking",
    "running",
    "sitting",
    "arms_up",
    "action",
    "crouching",
)
_POSE_WEIGHTS = (36, 18, 7, 15, 12, 9, 3)

# Half width, half depth and forward shift of the torso at heights above the
# hip joints, in lengths of the torso (hip joints to the base of the neck).
_TORSO_TABLE = np.array(
    [
        (-0.19, 0.078, 0.066, -0.004),
        (-0.05, 0.093, 0.078, -0.010),
        (0.10, 0.091, 0.075, -0.008),
        (0.28, 0.078, 0.060, 0.004),
        (0.45, 0.070, 0.053, 0.010),
        (0.62, 0.080, 0.061, 0.012),
        (0.76, 0.096, 0.066, 0.010),
        (0.86, 0.097, 0.058, 0.002),
        (0.92, 0.080, 0.048, -0.004),
        (0.97, 0.055, 0.038, -0.008),
        (1.03, 0.034, 0.030, -0.008),
    ]
)


@dataclasses.dataclass(frozen=True)
class Body:
    """Lengths and shape of one person, in standing heights.

    Attributes:
        head: From chin to crown.
        neck: From the base of the neck to the chin's height.
        torso: From the hip joints to the base of the neck.
        shoulder: Half the distance of the shoulder joints.
        hip: Half the distance of the hip joints.
        upper_arm, forearm, hand, thigh, shin, foot: Lengths of the limbs.
        girth: Factor on the thickness of limbs and torso.
        belly: Extra depth of the belly.
        bust: Extra depth of the chest.
        waist: Factor on the width of the waist.
        feminine: Whether the shape is a woman's.
        child: Whether it is a child's.
    """

    head: float
    neck: float
    torso: float
    shoulder: float
    hip: float
    upper_arm: float
    forearm: float
    hand: float
    thigh: float
    shin: float
    foot: float
    girth: float
    belly: float
    bust: float
    waist: float
    feminine: bool
    child: bool


def sample_body(rng: random.Random) -> Body:
    """Draws a body shape."""
    child = rng.random() < 0.12
    feminine = rng.random() < 0.5
    head = rng.uniform(0.165, 0.19) if child else rng.uniform(0.136, 0.152)
    legs = (0.46 if child else 0.525) + rng.uniform(-0.015, 0.02)
    girth = min(max(rng.gauss(1.0, 0.11), 0.82), 1.35)
    ankle = 0.04
    neck = 0.034 if child else 0.043
    arms = (0.92 if child else 1.0) * rng.uniform(0.96, 1.04)
    return Body(
        head=head,
        neck=neck,
        torso=1.0 - legs - neck - head,
        shoulder=(0.093 if feminine or child else 0.108)
        * rng.uniform(0.95, 1.07),
        hip=0.058 if feminine else 0.054,
        upper_arm=0.170 * arms,
        forearm=0.145 * arms,
        hand=0.092 * arms,
        thigh=(legs - ankle) * 0.5,
        shin=(legs - ankle) * 0.5,
        foot=0.145 * (0.92 if feminine else 1.0),
        girth=girth * (0.93 if feminine else 1.0),
        belly=max(0.0, rng.gauss(0.0, 0.012) + (girth - 1) * 0.09),
        bust=rng.uniform(0.004, 0.02) if feminine and not child else 0.0,
        waist=rng.uniform(0.86, 0.97) if feminine else rng.uniform(0.96, 1.1),
        feminine=feminine,
        child=child,
    )


@dataclasses.dataclass(frozen=True)
class ArmPose:
    """Angles of one arm in degrees, in the frame of the chest.

    Attributes:
        lift: Elevation of the upper arm: 0 hangs down, 90 level, 180 up.
        azimuth: Direction of the upper arm: 0 sideways, 90 forward, -90
            backward.
        bend: Bend of the elbow, 0 is straight.
        hint: Where the bent forearm points: outward, up, forward.
        hand: "open", "relaxed" or "fist".
    """

    lift: float
    azimuth: float
    bend: float
    hint: tuple[float, float, float]
    hand: str


@dataclasses.dataclass(frozen=True)
class LegPose:
    """Angles of one leg in degrees, in the frame of the pelvis.

    Attributes:
        flexion: Flexion of the hip: 0 hangs down, 90 level to the front.
        spread: How far the hip spreads outward.
        bend: Bend of the knee, 0 is straight.
        toe_out: How far the foot turns outward.
        point: How far the foot points downward from the right angle to the
            shin.
    """

    flexion: float
    spread: float
    bend: float
    toe_out: float
    point: float


@dataclasses.dataclass(frozen=True)
class Pose:
    """What a person does and from where it is seen.

    Attributes:
        name: One of `POSES`.
        yaw: Turn of the pelvis in degrees; 0 faces the viewer, 90 the
            picture's right.
        elevation: Elevation of the camera in degrees, looking down.
        roll: Roll of the picture in degrees.
        lean: Lean of the chest to the front.
        tilt: Tilt of the chest to its left.
        twist: Twist of the chest about its axis.
        pelvis_tilt: Tilt of the pelvis to the front.
        head: Turn, nod and tilt of the head against the chest.
        arms: Left and right.
        legs: Left and right.
    """

    name: str
    yaw: float
    elevation: float
    roll: float
    lean: float
    tilt: float
    twist: float
    pelvis_tilt: float
    head: tuple[float, float, float]
    arms: tuple[ArmPose, ArmPose]
    legs: tuple[LegPose, LegPose]

    @property
    def view(self) -> str:
        """Returns "front", "side" or "back"."""
        turned = abs((self.yaw + 180) % 360 - 180)
        if turned <= 55:
            return "front"
        return "back" if turned >= 125 else "side"


# lift, azimuth and bend from-to, then where the forearm goes, then the hand.
_ARMS = {
    "hanging": ((5, 17), (-20, 70), (6, 26), (-0.15, 0.1, 1.0), "relaxed"),
    "akimbo": ((36, 50), (-20, 10), (82, 104), (-1.0, -0.25, 0.3), "fist"),
    "pocket": ((14, 24), (-45, -5), (24, 44), (-0.9, 0.0, 0.6), "fist"),
    "folded": ((20, 32), (45, 70), (95, 112), (-1.0, 0.2, 0.4), "relaxed"),
    "phone": ((14, 30), (30, 80), (105, 130), (-0.35, 0.8, 0.6), "fist"),
    "raised": ((145, 174), (0, 50), (4, 45), (-0.6, 0.5, 0.3), "open"),
    "wave": ((75, 112), (-5, 30), (65, 115), (-0.1, 1.0, 0.15), "open"),
    "sideways": ((65, 104), (-15, 35), (4, 35), (0.0, 0.6, 0.7), "open"),
    "reach": ((45, 98), (55, 88), (8, 55), (-0.3, 0.6, 0.1), "open"),
    "behind_head": (
        (115, 140),
        (-10, 15),
        (122, 138),
        (-1.0, 0.2, -0.5),
        "fist",
    ),
    "forward": ((12, 38), (78, 95), (12, 50), (-0.2, 0.8, 1.0), "relaxed"),
    "backward": ((14, 38), (-95, -75), (10, 40), (-0.1, 0.0, 1.0), "relaxed"),
    "pumping": ((10, 35), (70, 95), (75, 100), (-0.3, 0.6, 1.0), "fist"),
    "pumping_back": ((35, 60), (-95, -70), (70, 95), (-0.2, 0.0, 1.0), "fist"),
    "behind": ((14, 24), (-75, -45), (55, 80), (-1.0, 0.1, -0.4), "relaxed"),
    "lap": ((16, 36), (50, 85), (45, 80), (-0.35, 0.1, 1.0), "relaxed"),
    "carrying": ((12, 26), (20, 75), (70, 100), (-0.25, 0.3, 1.0), "fist"),
}


def _sample_arm(rng: random.Random, name: str) -> ArmPose:
    lift, azimuth, bend, hint, hand = _ARMS[name]
    if rng.random() < 0.2:
        hand = rng.choice(("open", "relaxed", "fist"))
    return ArmPose(
        rng.uniform(*lift),
        rng.uniform(*azimuth),
        rng.uniform(*bend),
        tuple(value + rng.gauss(0, 0.12) for value in hint),
        hand,
    )


def _leg(
    rng: random.Random,
    flexion: tuple[float, float],
    spread: tuple[float, float],
    bend: tuple[float, float],
    point: tuple[float, float] = (-4, 6),
) -> LegPose:
    return LegPose(
        rng.uniform(*flexion),
        rng.uniform(*spread),
        rng.uniform(*bend),
        rng.uniform(2, 24),
        rng.uniform(*point),
    )


def _standing_legs(rng: random.Random) -> tuple[LegPose, LegPose]:
    wide = rng.random() < 0.2
    spread = (7, 15) if wide else (0, 6)
    legs = [
        _leg(rng, (-2, 4), spread, (0, 5)),
        _leg(rng, (-2, 4), spread, (0, 5)),
    ]
    if rng.random() < 0.35:
        # The weight is on the other leg.
        legs[1] = _leg(rng, (6, 18), (2, 14), (14, 34), (0, 12))
    rng.shuffle(legs)
    return tuple(legs)


def _stride(
    rng: random.Random, running: bool
) -> tuple[list[LegPose], list[ArmPose]]:
    """Returns leg and arm poses with the advancing leg first."""
    if running:
        front = _leg(rng, (35, 68), (0, 5), (45, 95), (0, 20))
        back = _leg(rng, (-28, -8), (0, 5), (25, 80), (10, 40))
        arms = ["pumping_back", "pumping"]
    else:
        front = _leg(rng, (12, 30), (0, 4), (2, 16), (-8, 8))
        back = _leg(rng, (-24, -8), (0, 4), (8, 42), (0, 20))
        arms = ["backward", "forward"]
    poses = [_sample_arm(rng, name) for name in arms]
    if not running and rng.random() < 0.25:
        poses[rng.randrange(2)] = _sample_arm(
            rng, rng.choice(("phone", "pocket", "carrying", "hanging"))
        )
    return [front, back], poses


def _sitting_legs(rng: random.Random) -> tuple[LegPose, LegPose]:
    legs = []
    for _ in SIDES:
        legs.append(_leg(rng, (72, 96), (2, 16), (62, 108), (-5, 15)))
    if rng.random() < 0.2:
        legs[0] = _leg(rng, (75, 92), (2, 10), (15, 45), (-5, 10))
    rng.shuffle(legs)
    return tuple(legs)


def _free_arms(rng: random.Random) -> list[ArmPose]:
    """Returns the arms of someone who stands around."""
    draw = rng.random()
    if draw < 0.12:
        names = ["folded", "folded"]
    elif draw < 0.22:
        names = ["akimbo", "akimbo"]
    elif draw < 0.32:
        names = ["pocket", "pocket"]
    elif draw < 0.37:
        names = ["behind", "behind"]
    else:
        pool = ("hanging", "hanging", "hanging", "akimbo", "pocket", "phone")
        pool += ("carrying", "wave", "reach", "sideways")
        names = [rng.choice(pool[:3]), rng.choice(pool)]
        rng.shuffle(names)
    return [_sample_arm(rng, name) for name in names]


def _raised_arms(rng: random.Random) -> list[ArmPose]:
    draw = rng.random()
    if draw < 0.4:
        names = ["raised", "raised"]
    elif draw < 0.6:
        names = ["behind_head", "behind_head"]
    else:
        other = rng.choice(("hanging", "akimbo", "sideways", "wave"))
        names = [rng.choice(("raised", "wave")), other]
        rng.shuffle(names)
    return [_sample_arm(rng, name) for name in names]


def _sample_yaw(rng: random.Random) -> float:
    draw = rng.random()
    if draw < 0.52:
        return rng.gauss(0, 22)
    if draw < 0.80:
        return rng.choice((-1, 1)) * rng.uniform(40, 115)
    return 180 + rng.gauss(0, 22)


def sample_pose(rng: random.Random) -> Pose:
    """Draws a plausible pose and view."""
    name = rng.choices(POSES, _POSE_WEIGHTS)[0]
    lean, tilt, twist = rng.gauss(2, 4), rng.gauss(0, 4), rng.gauss(0, 8)
    pelvis_tilt = rng.gauss(0, 2)
    roll = rng.gauss(0, 2)
    if name in ("walking", "running"):
        legs, arms = _stride(rng, running=name == "running")
        lean += rng.uniform(2, 10) + (6 if name == "running" else 0)
        if rng.random() < 0.5:
            legs, arms = legs[::-1], arms[::-1]
    elif name == "sitting":
        legs = _sitting_legs(rng)
        pool = ("lap", "lap", "lap", "phone", "carrying", "hanging", "reach")
        arms = [_sample_arm(rng, rng.choice(pool)) for _ in SIDES]
        lean += rng.uniform(-8, 16)
    elif name == "crouching":
        legs = [_leg(rng, (80, 108), (6, 24), (95, 130)) for _ in SIDES]
        pool = ("lap", "reach", "carrying")
        arms = [_sample_arm(rng, rng.choice(pool)) for _ in SIDES]
        lean += rng.uniform(10, 32)
    elif name == "action":
        legs = [
            _leg(rng, (15, 60), (4, 28), (15, 70), (0, 12)),
            _leg(rng, (-25, 15), (6, 30), (5, 45), (0, 20)),
        ]
        rng.shuffle(legs)
        pool = ("reach", "sideways", "raised", "wave", "pumping", "backward")
        arms = [_sample_arm(rng, rng.choice(pool)) for _ in SIDES]
        lean += rng.uniform(-5, 28)
        tilt, twist = tilt * 3, twist * 2.5
        roll += rng.gauss(0, 6)
    else:
        legs = _standing_legs(rng)
        raised = name == "arms_up"
        arms = _raised_arms(rng) if raised else _free_arms(rng)
    return Pose(
        name=name,
        yaw=_sample_yaw(rng),
        elevation=min(max(rng.gauss(7, 6), -4), 24),
        roll=roll,
        lean=lean,
        tilt=tilt,
        twist=twist,
        pelvis_tilt=pelvis_tilt,
        head=(
            max(-60.0, min(60.0, rng.gauss(0, 22))),
            rng.gauss(2 + max(0.0, lean) * -0.5, 8),
            rng.gauss(0, 6),
        ),
        arms=tuple(arms),
        legs=tuple(legs),
    )


def rotation(axis: int, degrees: float) -> np.ndarray:
    """Returns the right-handed rotation about an axis, float64 [3, 3]."""
    cosine = math.cos(math.radians(degrees))
    sine = math.sin(math.radians(degrees))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(math.sqrt(float(vector @ vector)), 1e-9)


def _bent(
    direction: np.ndarray, hint: np.ndarray, degrees: float
) -> np.ndarray:
    """Turns a unit direction by an angle toward a hint."""
    aside = _unit(hint - direction * float(hint @ direction))
    angle = math.radians(degrees)
    return math.cos(angle) * direction + math.sin(angle) * aside


@dataclasses.dataclass(frozen=True)
class Limb:
    """One arm or leg: points from the trunk outward, camera axes.

    Attributes:
        side: `LEFT` or `RIGHT`, the person's own.
        points: Shoulder, elbow, wrist, finger tips; or hip, knee, ankle,
            toe. Float64 [4, 3].
        heel: Heel of a leg, float64 [3]; None for an arm.
        hand: Pose of an arm's hand, see `ArmPose`; empty for a leg.
    """

    side: int
    points: np.ndarray
    heel: np.ndarray | None = None
    hand: str = ""


class Figure:
    """A body in a pose, seen by the camera.

    Attributes:
        body, pose: What it was made of.
        joints: Float64 [16, 3], camera axes, in LIP's order.
        arms, legs: `Limb`s, left and right.
        pelvis_frame, chest_frame, head_frame: Float64 [3, 3], the columns
            are the part's left, up and forward.
    """

    def __init__(self, body: Body, pose: Pose) -> None:
        self.body = body
        self.pose = pose
        camera = (
            rotation(2, pose.roll)
            @ rotation(0, pose.elevation)
            @ rotation(1, pose.yaw)
        )
        self.pelvis_frame = camera @ rotation(0, pose.pelvis_tilt)
        self.chest_frame = (
            self.pelvis_frame
            @ rotation(0, pose.lean)
            @ rotation(2, -pose.tilt)
            @ rotation(1, pose.twist)
        )
        turn, nod, aside = pose.head
        self.head_frame = (
            self.chest_frame
            @ rotation(1, turn)
            @ rotation(0, nod)
            @ rotation(2, aside)
        )
        self._bend_point = self.pelvis_frame[:, 1] * body.torso * 0.5
        self._neck = (
            self._bend_point + self.chest_frame[:, 1] * body.torso * 0.5
        )
        self.arms = tuple(
            self._make_arm(side, arm)
            for side, arm in zip(SIDES, pose.arms, strict=True)
        )
        self.legs = tuple(
            self._make_leg(side, leg)
            for side, leg in zip(SIDES, pose.legs, strict=True)
        )
        self.joints = self._make_joints()

    def _make_arm(self, side: int, arm: ArmPose) -> Limb:
        body = self.body
        frame = self.chest_frame * np.array([side, 1.0, 1.0])
        lift, azimuth = math.radians(arm.lift), math.radians(arm.azimuth)
        upper = frame @ np.array(
            [
                math.sin(lift) * math.cos(azimuth),
                -math.cos(lift),
                math.sin(lift) * math.sin(azimuth),
            ]
        )
        fore = _bent(upper, frame @ np.array(arm.hint), arm.bend)
        # A raised arm takes its shoulder up and inwards.
        raised = max(0.0, arm.lift - 60) / 120
        shoulder = self._neck + frame @ np.array(
            [
                body.shoulder * (1 - 0.13 * raised),
                body.torso * (-0.155 + 0.18 * raised),
                -0.004,
            ]
        )
        elbow = shoulder + upper * body.upper_arm
        wrist = elbow + fore * body.forearm
        length = body.hand * (0.62 if arm.hand == "fist" else 1.0)
        tip = (
            wrist + _bent(fore, frame @ np.array([-0.6, -0.5, 0.3]), 9) * length
        )
        return Limb(
            side, np.stack([shoulder, elbow, wrist, tip]), None, arm.hand
        )

    def _make_leg(self, side: int, leg: LegPose) -> Limb:
        body = self.body
        frame = self.pelvis_frame * np.array([side, 1.0, 1.0])
        flexion, spread = math.radians(leg.flexion), math.radians(leg.spread)
        thigh = frame @ np.array(
            [
                math.sin(spread),
                -math.cos(flexion) * math.cos(spread),
                math.sin(flexion) * math.cos(spread),
            ]
        )
        behind = frame @ np.array([0, -math.sin(flexion), -math.cos(flexion)])
        shin = _bent(thigh, behind, leg.bend)
        out, bend = math.radians(leg.toe_out), math.radians(leg.bend)
        # The front of the shin, which turns with the knee.
        ahead = math.sin(bend) * thigh - math.cos(bend) * behind
        ahead = ahead + math.tan(out) * frame[:, 0]
        ahead = _bent(shin, ahead, 90 - leg.point)
        hip = frame @ np.array([body.hip, 0.0, 0.0])
        knee = hip + thigh * body.thigh
        ankle = knee + shin * body.shin
        sole = ankle + shin * 0.030
        return Limb(
            side,
            np.stack([hip, knee, ankle, sole + ahead * body.foot * 0.74]),
            sole - ahead * body.foot * 0.26,
        )

    def _make_joints(self) -> np.ndarray:
        joints = np.zeros((NUM_JOINTS, 3))
        left_arm, right_arm = (arm.points for arm in self.arms)
        left_leg, right_leg = (leg.points for leg in self.legs)
        joints[[L_SHOULDER, L_ELBOW, L_WRIST]] = left_arm[:3]
        joints[[R_SHOULDER, R_ELBOW, R_WRIST]] = right_arm[:3]
        joints[[L_HIP, L_KNEE, L_ANKLE]] = left_leg[:3]
        joints[[R_HIP, R_KNEE, R_ANKLE]] = right_leg[:3]
        joints[THORAX] = self._neck
        up = _unit(self.chest_frame[:, 1] + self.head_frame[:, 1])
        forward = self.chest_frame[:, 2]
        chin = self._neck + up * self.body.neck + forward * 0.008
        joints[UPPER_NECK] = chin
        joints[HEAD_TOP] = chin + self.head_frame[:, 1] * self.body.head
        return joints

    @property
    def head_center(self) -> np.ndarray:
        """Returns the middle of the head, float64 [3]."""
        return (
            self.joints[UPPER_NECK]
            + self.head_frame[:, 1] * self.body.head * 0.5
            + self.head_frame[:, 2] * self.body.head * 0.06
        )

    def torso_section(
        self, height: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the elliptic sections of the torso.

        Args:
            height: [N] heights above the hip joints, in torso lengths.

        Returns:
            Centers, left half axes and forward half axes, each [N, 3].
        """
        body = self.body
        table = _SMOOTH_TORSO
        width = np.interp(height, table[:, 0], table[:, 1])
        depth = np.interp(height, table[:, 0], table[:, 2])
        shift = np.interp(height, table[:, 0], table[:, 3])
        around_waist = np.exp(-(((height - 0.42) / 0.2) ** 2))
        width = width * (1 + (body.waist - 1) * around_waist)
        upper = np.clip((height - 0.55) / 0.2, 0, 1)
        breadth = body.shoulder / 0.104 * upper + (body.hip / 0.054) * (
            1 - upper
        )
        width = width * breadth * (1 + (body.girth - 1) * 0.9)
        belly = body.belly * np.exp(-(((height - 0.36) / 0.26) ** 2))
        bust = body.bust * np.exp(-(((height - 0.68) / 0.11) ** 2))
        depth = depth * body.girth + belly * 0.6 + bust * 0.5
        width = width + belly * 0.5
        shift = shift + belly * 0.5 + bust * 0.6
        blend = np.clip((height - 0.15) / 0.55, 0, 1)[:, None]
        left = _rows(
            self.pelvis_frame[:, 0] * (1 - blend)
            + self.chest_frame[:, 0] * blend
        )
        forward = _rows(
            self.pelvis_frame[:, 2] * (1 - blend)
            + self.chest_frame[:, 2] * blend
        )
        return (
            self._spine(height) + forward * shift[:, None],
            left * width[:, None],
            forward * depth[:, None],
        )

    def _spine(self, height: np.ndarray) -> np.ndarray:
        """Returns points of the spine: a curve, straight beyond its ends."""
        inner = np.clip(height, 0, 1)[:, None]
        curve = 2 * inner * (1 - inner) * self._bend_point
        curve = curve + inner**2 * self._neck
        below = np.minimum(height, 0)[:, None] * self._bend_point * 2
        above = np.maximum(height - 1, 0)[:, None] * (
            self._neck - self._bend_point
        )
        return curve + below + above * 2


def _rows(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _smooth_table(table: np.ndarray) -> np.ndarray:
    heights = np.linspace(table[0, 0], table[-1, 0], 49)
    columns = [heights]
    for column in range(1, table.shape[1]):
        values = np.interp(heights, table[:, 0], table[:, column])
        for _ in range(3):
            padded = np.pad(values, 1, mode="edge")
            values = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        columns.append(values)
    return np.stack(columns, axis=1)


_SMOOTH_TORSO = _smooth_table(_TORSO_TABLE)


def flat(points: np.ndarray) -> np.ndarray:
    """Projects camera points [..., 3] to figure coordinates (x, y down)."""
    return points[..., :2] * np.array([1.0, -1.0])
