"""Paints a person in its clothes, from the back to the front.

The order is the painter's: what comes later hides what came before, in the
picture and in the label map alike. Which of arms, legs, torso and head comes
first follows from their distance to the viewer.
"""

import random

from nppnet_tf.drawn_people import clothing
from nppnet_tf.drawn_people import figure as figure_lib
from nppnet_tf.drawn_people.canvas import Canvas
from nppnet_tf.drawn_people.clothing import Outfit
from nppnet_tf.drawn_people.figure import Figure
from nppnet_tf.drawn_people.figure import Limb
from nppnet_tf.drawn_people.head_painter import HeadPainter
from nppnet_tf.drawn_people.limb_painter import LimbPainter
from nppnet_tf.drawn_people.part_painter import LEG_RADII
from nppnet_tf.drawn_people.trunk_painter import TrunkPainter

# How far, in standing heights, a limb may lie behind the trunk and still be
# painted after it.
_BEHIND = -0.035
# Knees that are nearer to the viewer than this are painted after the trunk.
_KNEES_AHEAD = 0.10
# A head that faces the viewer less than this shows the hair on its back.
_FACES_VIEWER = 0.25


def paint_person(
    canvas: Canvas, figure: Figure, outfit: Outfit, rng: random.Random
) -> None:
    """Paints one figure in one outfit onto a canvas.

    Args:
        canvas: What is painted on.
        figure: Body and pose.
        outfit: Clothes, skin and hair.
        rng: Source of folds and other small accidents.
    """
    limbs = LimbPainter(canvas, figure, outfit, rng)
    trunk = TrunkPainter(canvas, figure, outfit, rng)
    head = HeadPainter(canvas, figure, outfit, rng)
    behind, raised_behind, front = _sort_arms(figure)
    knees_ahead = max(leg.points[1, 2] for leg in figure.legs) > _KNEES_AHEAD
    faces_viewer = figure.head_frame[2, 2] > _FACES_VIEWER
    if faces_viewer:
        head.paint_falling_hair(before_torso=True)
    for arm in behind:
        limbs.paint_arm(arm, cast_shadow=False)
    if not knees_ahead:
        _paint_legs(figure, outfit, limbs, trunk)
    trunk.paint_torso()
    if knees_ahead:
        _paint_legs(figure, outfit, limbs, trunk)
    trunk.paint_skirts()
    trunk.paint_coat()
    for arm in raised_behind:
        limbs.paint_arm(arm, cast_shadow=False)
    if not faces_viewer:
        trunk.paint_collar()
    trunk.paint_scarf()
    head.paint_head(hair_falls_over=not faces_viewer)
    for arm in front:
        limbs.paint_arm(arm, cast_shadow=True)


def _sort_arms(figure: Figure) -> tuple[list[Limb], list[Limb], list[Limb]]:
    """Returns arms behind the trunk, behind the head, and before both."""
    thorax = figure.joints[figure_lib.THORAX]
    head = figure.head_center
    behind, raised_behind, front = [], [], []
    for arm in sorted(figure.arms, key=_nearness):
        _, elbow, wrist, _ = arm.points
        if elbow[1] > thorax[1] or wrist[1] > head[1] - 0.02:
            away = _nearness(arm) < head[2] + 0.03
            (raised_behind if away else front).append(arm)
        elif _nearness(arm) - 0.7 * thorax[2] < _BEHIND:
            behind.append(arm)
        else:
            front.append(arm)
    return behind, raised_behind, front


def _nearness(limb: Limb) -> float:
    return float(limb.points[1:3, 2].mean())


def _paint_legs(
    figure: Figure, outfit: Outfit, limbs: LimbPainter, trunk: TrunkPainter
) -> None:
    """Paints both legs, the farther one first."""
    lower = outfit.bottom or outfit.jumpsuit
    trousers = lower
    if lower is not None and lower.label == clothing.SKIRT:
        trousers = None
    if trousers is not None:
        trunk.paint_seat_of_trousers(trousers)
    far, near = sorted(figure.legs, key=_nearness)
    limbs.paint_leg(far, trousers)
    limbs.cast_shadow(near, LEG_RADII, 0.0)
    limbs.paint_leg(near, trousers)
