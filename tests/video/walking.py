"""One drawn person who walks through a picture: every frame exact by making.

For tests of what is smoothed over time. Body, clothes, background and light are
those of (seed, index); the pose moves as people walk, two steps in a period,
and the person crosses the picture from one side to the other and back.
"""

import dataclasses
import math

import numpy as np

from nppnet_tf.drawn_people import clothing
from nppnet_tf.drawn_people import figure as figure_lib
from nppnet_tf.drawn_people import person
from nppnet_tf.drawn_people.figure import ArmPose
from nppnet_tf.drawn_people.figure import Figure
from nppnet_tf.drawn_people.figure import LegPose
from nppnet_tf.drawn_people.person import DrawnPerson

# Of a person who walks: seconds of two steps, and of a way and back.
_PERIOD = 1.1
_CROSSING = 6.0
# Heights of the person that fit into the picture.
_TALL = 1.22
# Degrees.
_YAW = 55.0
_SWING = 26.0
_ARM_SWING = 30.0

# Grain of a camera, which differs from frame to frame.
_GRAIN = 3.0


class Walk:
    """A walk of which any moment can be drawn.

    Args:
        seed: Names a whole set of people.
        index: Number of the person in the set.
        size: (height, width) of the frames in pixels.
    """

    def __init__(self, seed: int, index: int, size: tuple[int, int]) -> None:
        person.check_size(size, "size")
        shape = person.stream(seed, index, "shape")
        self._body = figure_lib.sample_body(shape)
        self._pose = figure_lib.sample_pose(shape)
        self._outfit = clothing.sample_outfit(
            person.stream(seed, index, "clothes"),
            self._body.feminine,
            self._body.child,
        )
        self._size = size
        self._seed, self._index = seed, index

    def at(self, seconds: float) -> DrawnPerson:
        """Draws a moment of the walk."""
        figure = Figure(self._body, self._pose_at(seconds))
        extent = person.extent_of(figure, self._outfit)
        height, width = self._size
        scale = height / _TALL
        feet = figure.joints[[figure_lib.L_ANKLE, figure_lib.R_ANKLE]]
        # The lower foot is on the floor; y of figures grows upwards.
        floor = float(figure_lib.flat(feet)[:, 1].max()) + 0.08
        middle = float(figure_lib.flat(figure.joints)[figure_lib.PELVIS, 0])
        across = math.sin(2 * math.pi * seconds / _CROSSING)
        left = middle - width / scale * (0.5 + 0.22 * across)
        scene = person.Scene(
            self._size,
            (left, floor - height / scale),
            scale,
            (-0.4, -0.5, 0.8),
            self._seed,
            self._index,
        )
        drawn = person.draw_figure(scene, figure, self._outfit, extent)
        frame = np.random.default_rng(round(seconds * 1000))
        noise = frame.normal(0, _GRAIN, drawn.image.shape)
        image = np.clip(drawn.image + noise, 0, 255).astype(np.uint8)
        return dataclasses.replace(drawn, image=image)

    def _pose_at(self, seconds: float) -> figure_lib.Pose:
        phase = 2 * math.pi * seconds / _PERIOD
        return dataclasses.replace(
            self._pose,
            name="walking",
            yaw=_YAW,
            elevation=5.0,
            roll=0.0,
            lean=4.0,
            tilt=0.0,
            twist=6 * math.sin(phase),
            pelvis_tilt=0.0,
            head=(0.0, 2.0, 0.0),
            arms=tuple(_arm(phase + shift) for shift in (math.pi, 0)),
            legs=tuple(_leg(phase + shift) for shift in (0, math.pi)),
        )


def _leg(phase: float) -> LegPose:
    swing = math.sin(phase)
    # The knee bends while the leg comes forward.
    bend = 6 + 38 * max(0.0, math.cos(phase)) ** 2
    return LegPose(2 + _SWING * swing, 1.5, bend, 8.0, 2.0)


def _arm(phase: float) -> ArmPose:
    swing = _ARM_SWING * math.sin(phase)
    azimuth = 85.0 if swing >= 0 else -85.0
    return ArmPose(
        abs(swing) + 4,
        azimuth,
        18 + max(0.0, swing) * 0.6,
        (-0.2, 0.4, 1.0),
        "relaxed",
    )
