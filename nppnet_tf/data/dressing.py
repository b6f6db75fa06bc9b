"""Paints a person in its clothes, from the back to the front.

The order is the painter's: what comes later hides what came before, in the
picture and in the label map alike. Which of arms, legs, torso and head comes
first follows from their distance to the viewer.
"""

import dataclasses
import math
import random
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from nppnet_tf.data import canvas as canvas_lib
from nppnet_tf.data import clothing
from nppnet_tf.data import figure as figure_lib
from nppnet_tf.data.canvas import Canvas
from nppnet_tf.data.canvas import Color
from nppnet_tf.data.canvas import Pattern
from nppnet_tf.data.clothing import Garment
from nppnet_tf.data.clothing import Outfit
from nppnet_tf.data.clothing import scaled
from nppnet_tf.data.figure import LEFT
from nppnet_tf.data.figure import Figure
from nppnet_tf.data.figure import Limb
from nppnet_tf.data.figure import flat

# Thickness along a limb: position (1 = elbow or knee, 2 = wrist or ankle),
# radius in standing heights.
_ARM_RADII = np.array(
    [
        (0.0, 0.033),
        (0.3, 0.031),
        (0.7, 0.026),
        (1.0, 0.0235),
        (1.25, 0.0245),
        (1.6, 0.020),
        (2.0, 0.0145),
    ]
)
_LEG_RADII = np.array(
    [
        (0.0, 0.058),
        (0.25, 0.058),
        (0.6, 0.047),
        (0.9, 0.037),
        (1.0, 0.0355),
        (1.3, 0.038),
        (1.6, 0.030),
        (1.9, 0.0205),
        (2.0, 0.021),
    ]
)
_NO_AXIS = (0.0, 1.0)
_SHADOW_TONE = 88
# How far, in standing heights, a limb may lie behind the trunk and still be
# painted before it.
_BEHIND = -0.035


@dataclasses.dataclass(frozen=True)
class _Layer:
    """What covers a limb from one position to another."""

    start: float
    end: float
    extra: float
    label: int
    color: Color
    pattern: Pattern | None = None
    flare: float = 0.0
    folds: int = 0
    hem: bool = False


def _perpendicular(directions: np.ndarray) -> np.ndarray:
    return np.stack([-directions[..., 1], directions[..., 0]], axis=-1)


def _unit2(vector: Sequence[float]) -> np.ndarray:
    length = math.hypot(vector[0], vector[1])
    if length < 1e-9:
        return np.array(_NO_AXIS)
    return np.array([vector[0] / length, vector[1] / length])


def _tube(
    start: np.ndarray, end: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the two edges of a straight tube of changing thickness."""
    fractions = np.linspace(0, 1, len(radii))[:, None]
    centers = start + fractions * (end - start)
    aside = _perpendicular(_unit2(end - start))
    return centers + aside * radii[:, None], centers - aside * radii[:, None]


def convex_hull(points: np.ndarray) -> np.ndarray:
    """Returns the corners of the convex hull of [N, 2] points, in order."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < 3:
        return np.array(ordered)

    def half(sequence: Sequence[tuple[float, float]]) -> list:
        chain: list[tuple[float, float]] = []
        for point in sequence:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2], chain[-1]
                turn = (bx - ax) * (point[1] - ay) - (by - ay) * (
                    point[0] - ax
                )
                if turn > 0:
                    break
                chain.pop()
            chain.append(point)
        return chain[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def _hull_edges(
    hull: np.ndarray, levels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns left and right outline of a convex polygon, from the top."""
    low, high = hull[:, 1].min(), hull[:, 1].max()
    rows = np.linspace(low + 1e-6, high - 1e-6, levels)[:, None]
    start, end = hull, np.roll(hull, -1, axis=0)
    rise = end[:, 1] - start[:, 1]
    share = (rows - start[:, 1]) / np.where(np.abs(rise) < 1e-12, 1, rise)
    crossing = start[:, 0] + share * (end[:, 0] - start[:, 0])
    crossed = (share >= 0) & (share <= 1) & (np.abs(rise) >= 1e-12)
    left = np.where(crossed, crossing, np.inf).min(axis=1)
    right = np.where(crossed, crossing, -np.inf).max(axis=1)
    rows = rows[:, 0]
    return np.stack([left, rows], axis=1), np.stack([right, rows], axis=1)


class PersonPainter:
    """Paints one figure in one outfit onto a canvas.

    Args:
        canvas: What is painted on.
        figure: Body and pose.
        outfit: Clothes, skin and hair.
        rng: Source of folds and other small accidents.
    """

    def __init__(
        self,
        canvas: Canvas,
        figure: Figure,
        outfit: Outfit,
        rng: random.Random,
    ) -> None:
        self._canvas = canvas
        self._figure = figure
        self._outfit = outfit
        self._rng = rng
        self._girth = figure.body.girth
        neck = flat(figure.joints[figure_lib.THORAX])
        self._spine_axis = _unit2(neck)
        if math.hypot(*neck) < 0.35 * figure.body.torso:
            self._spine_axis = _perpendicular(
                _unit2(flat(figure.chest_frame[:, 0]))
            )
        self._facing = float(figure.chest_frame[2, 2])
        self._head_facing = float(figure.head_frame[2, 2])

    def paint(self) -> None:
        """Paints everything."""
        figure = self._figure
        behind, raised_behind, front = self._sort_arms()
        near_legs = self._legs_before_torso()
        if self._head_facing > 0.25:
            self._paint_falling_hair(before_torso=True)
        for arm in behind:
            self._paint_arm(arm, cast_shadow=False)
        legs = sorted(figure.legs, key=lambda leg: leg.points[1:3, 2].mean())
        if not near_legs:
            self._paint_legs(legs)
        self._paint_neck()
        self._paint_torso()
        if near_legs:
            self._paint_legs(legs)
        self._paint_skirts()
        self._paint_coat()
        for arm in raised_behind:
            self._paint_arm(arm, cast_shadow=False)
        if self._head_facing <= 0.25:
            self._paint_collar()
            self._paint_falling_hair(before_torso=False)
        self._paint_scarf()
        self._paint_head()
        for arm in front:
            self._paint_arm(arm, cast_shadow=True)

    # Order.

    def _sort_arms(self) -> tuple[list[Limb], list[Limb], list[Limb]]:
        """Returns arms behind the trunk, behind the head, and before both."""
        figure = self._figure
        chest = figure.joints[figure_lib.THORAX] * 0.7
        behind, raised_behind, front = [], [], []
        arms = sorted(figure.arms, key=lambda arm: arm.points[1:3, 2].mean())
        for arm in arms:
            nearness = arm.points[1:3, 2].mean() - chest[2]
            head = figure.head_center
            above = arm.points[1, 1] > figure.joints[figure_lib.THORAX][1]
            if above or arm.points[2, 1] > head[1] - 0.02:
                away = arm.points[1:3, 2].mean() < head[2] + 0.03
                (raised_behind if away else front).append(arm)
            elif nearness < _BEHIND:
                behind.append(arm)
            else:
                front.append(arm)
        return behind, raised_behind, front

    def _legs_before_torso(self) -> bool:
        knees = [leg.points[1, 2] for leg in self._figure.legs]
        return max(knees) > 0.10

    # Limbs.

    def _paint_limb(
        self,
        limb: Limb,
        table: np.ndarray,
        group: int,
        layers: Sequence[_Layer],
        end: "_End | None",
    ) -> None:
        """Paints both pieces of a limb, the farther one first."""
        points = flat(limb.points[:3])
        lower_first = limb.points[2, 2] < limb.points[0, 2] - 0.02
        for piece in (1, 0) if lower_first else (0, 1):
            painted_end = piece == 0 or end is None
            for layer in layers:
                if not painted_end and layer.label in end.after:
                    end.paint()
                    painted_end = True
                self._paint_layer(points, table, group, layer, piece)
            if not painted_end:
                end.paint()

    def _paint_layer(
        self,
        points: np.ndarray,
        table: np.ndarray,
        group: int,
        layer: _Layer,
        piece: int,
    ) -> None:
        start, end = max(layer.start, piece), min(layer.end, piece + 1)
        if piece == 1:
            end = min(layer.end, 2.06)
        if end <= start:
            return
        steps = np.linspace(start, end, 6)
        radii = np.interp(steps, table[:, 0], table[:, 1]) * self._girth
        radii = radii + layer.extra
        if layer.flare:
            radii = radii + layer.flare * (steps - layer.start)
        along = points[piece + 1] - points[piece]
        first = points[piece] + (start - piece) * along
        last = points[piece] + (end - piece) * along
        axis = tuple(_unit2(along))
        part = self._canvas.part(
            layer.label, group, layer.color, layer.pattern, axis,
            tuple(points[piece]),
        )  # fmt: skip
        short = math.hypot(*(last - first)) < radii[0] * 0.8
        if start == piece and (piece == 0 or layer.start < 1 or short):
            self._canvas.disc(first, radii[0], part)
        if end == piece + 1 or short:
            self._canvas.disc(last, radii[-1], part)
            if short:
                self._canvas.tone_disc(last, radii[-1] * 1.1, 128)
        self._canvas.band(*_tube(first, last, radii), part)
        if layer.folds:
            self._paint_folds(first, last, radii, layer.folds)
        if layer.hem and end == layer.end:
            aside = _perpendicular(np.array(axis)) * radii[-1]
            self._canvas.tone_line(
                np.stack([last - aside, last + aside]), 92, 0.004
            )

    def _paint_folds(
        self, first: np.ndarray, last: np.ndarray, radii: np.ndarray, count: int
    ) -> None:
        along = last - first
        aside = _perpendicular(_unit2(along))
        for _ in range(count):
            where = self._rng.uniform(0.05, 0.95)
            slant = self._rng.uniform(-0.5, 0.5) * radii[0]
            width = radii[0] * self._rng.uniform(0.5, 0.95)
            middle = first + along * where
            sign = self._rng.choice((-1, 1))
            ends = np.stack(
                [
                    middle + aside * width * sign,
                    middle - aside * width * sign * 0.1
                    + _unit2(along) * slant,
                ]
            )
            tone = self._rng.choice((72, 82, 152))
            self._canvas.tone_line(ends, tone, 0.006)

    def _cast_shadow(
        self, limb: Limb, table: np.ndarray, extra: float
    ) -> None:
        """Darkens what lies behind a limb that is about to be painted."""
        points = flat(limb.points[:3])
        away = -np.array(self._canvas.light[:2]) * 0.012
        for piece in (0, 1):
            steps = np.linspace(piece + (0.3 if piece == 0 else 0), piece + 1, 3)
            radii = np.interp(steps, table[:, 0], table[:, 1]) * self._girth
            start = points[0] + 0.3 * (points[1] - points[0])
            start = start if piece == 0 else points[1]
            left, right = _tube(
                start + away, points[piece + 1] + away, radii + extra + 0.005
            )
            outline = np.concatenate([left, right[::-1]])
            self._canvas.tone_polygon(outline, _SHADOW_TONE)

    def _paint_arm(self, arm: Limb, cast_shadow: bool) -> None:
        outfit = self._outfit
        left = arm.side == LEFT
        group = canvas_lib.LEFT_ARM if left else canvas_lib.RIGHT_ARM
        label = clothing.LEFT_ARM if left else clothing.RIGHT_ARM
        layers = [_Layer(0, 2.0, 0.0, label, outfit.skin)]
        for garment in (outfit.top, outfit.dress, outfit.jumpsuit, outfit.coat):
            if garment is not None and garment.sleeve > 0:
                layers.append(self._sleeve(garment))
        gloves = outfit.gloves
        if gloves is not None:
            cuff = _Layer(gloves.length, 2.0, 0.004, gloves.label, gloves.color)
            layers.insert(1, cuff)
        if cast_shadow:
            self._cast_shadow(arm, _ARM_RADII, layers[-1].extra)
        covering = {layer.label for layer in layers} - {label}
        end = _End(lambda: self._paint_hand(arm, group, label), covering)
        self._paint_limb(arm, _ARM_RADII, group, layers, end)

    @staticmethod
    def _sleeve(garment: Garment) -> _Layer:
        # Cloth close to the body at the shoulders, whatever the skirt does.
        loose = min(garment.looseness, 0.02)
        return _Layer(
            0.0,
            garment.sleeve,
            loose * 0.75,
            garment.label,
            garment.color,
            garment.pattern,
            flare=loose * 0.35 if garment.sleeve < 1.2 else 0.0,
            folds=2,
            hem=True,
        )

    def _paint_hand(self, arm: Limb, group: int, label: int) -> None:
        gloves = self._outfit.gloves
        color, extra = self._outfit.skin, 0.0
        if gloves is not None:
            label, color, extra = gloves.label, gloves.color, 0.002
        part = self._canvas.part(label, group, color)
        wrist, tip = flat(arm.points[2]), flat(arm.points[3])
        length = math.hypot(*(tip - wrist))
        reach = self._figure.body.hand
        if length < 0.35 * reach:
            self._canvas.disc((wrist + tip) / 2, 0.019 + extra, part)
            self._canvas.tone_disc((wrist + tip) / 2, 0.02, 130)
            return
        palm = wrist + (tip - wrist) * (0.52 if arm.hand != "fist" else 1.0)
        widths = np.array([0.0135, 0.0185, 0.0195, 0.0185]) + extra
        axis = _unit2(tip - wrist)
        aside = _perpendicular(axis)
        # The thumb is on the inner side when the arm hangs.
        thumb_side = self._thumb_side(arm, aside)
        base = wrist + (tip - wrist) * 0.2 + aside * 0.012 * thumb_side
        thumb = base + (axis * 0.030 + aside * 0.017 * thumb_side)
        self._canvas.band(
            *_tube(base, thumb, np.array([0.008, 0.007]) + extra), part
        )
        self._canvas.disc(thumb, 0.0068 + extra, part)
        if arm.hand == "fist":
            self._canvas.disc(palm - axis * 0.012, 0.0185 + extra, part)
        else:
            self._paint_fingers(arm, palm, tip, part, extra)
        self._canvas.band(*_tube(wrist - axis * 0.006, palm, widths), part)

    def _thumb_side(self, arm: Limb, aside: np.ndarray) -> float:
        forward = flat(self._figure.chest_frame[:, 2])
        inward = -arm.side * flat(self._figure.chest_frame[:, 0])
        wanted = forward + 0.6 * inward
        return 1.0 if float(wanted @ aside) >= 0 else -1.0

    def _paint_fingers(
        self,
        arm: Limb,
        palm: np.ndarray,
        tip: np.ndarray,
        part: int,
        extra: float,
    ) -> None:
        aside = _perpendicular(_unit2(tip - palm))
        spread = 1.7 if arm.hand == "open" else 1.0
        thickness = np.array([0.0050, 0.0042]) + extra * 0.5
        for place in (-1.5, -0.5, 0.5, 1.5):
            start = palm + aside * place * 0.0088
            length = 1.0 - 0.07 * abs(place + 0.4)
            end = palm + (tip - palm) * length
            end = end + aside * place * 0.0088 * spread
            self._canvas.band(*_tube(start, end, thickness), part)
            self._canvas.disc(end, thickness[1], part)

    def _paint_legs(self, legs: Sequence[Limb]) -> None:
        outfit = self._outfit
        lower = outfit.bottom or outfit.jumpsuit
        trousers = lower is not None and lower.label != clothing.SKIRT
        if trousers:
            self._paint_seat_of_trousers(lower)
        for index, leg in enumerate(legs):
            if index == 1:
                self._cast_shadow(leg, _LEG_RADII, 0.0)
            self._paint_leg(leg, lower if trousers else None)

    def _paint_seat_of_trousers(self, lower: Garment) -> None:
        heights = np.linspace(-0.17, lower.hem or 0.3, 8)
        part = self._torso_part(lower, canvas_lib.BOTH_LEGS)
        self._paint_patch(heights, -180, 180, min(lower.looseness, 0.01), part)

    def _paint_leg(self, leg: Limb, trousers: Garment | None) -> None:
        outfit = self._outfit
        left = leg.side == LEFT
        group = canvas_lib.LEFT_LEG if left else canvas_lib.RIGHT_LEG
        label = clothing.LEFT_LEG if left else clothing.RIGHT_LEG
        layers = [_Layer(0, 2.0, 0.0, label, outfit.skin)]
        socks, shoes = outfit.socks, outfit.shoes
        covering = set()
        if socks is not None:
            layers.append(
                _Layer(socks.length, 2.04, 0.003, socks.label, socks.color,
                       socks.pattern, hem=True)
            )  # fmt: skip
        if trousers is not None:
            loose = trousers.looseness
            flare = 0.0
            if trousers.kind in ("shorts", "wide"):
                flare = loose * (0.9 if trousers.length < 1.2 else 0.35)
            layers.append(
                _Layer(0, trousers.length, loose * 0.7, trousers.label,
                       trousers.color, trousers.pattern, flare, 3, True)
            )  # fmt: skip
            covering.add(trousers.label)
        shoe_label = clothing.LEFT_SHOE if left else clothing.RIGHT_SHOE
        if shoes is not None and shoes.kind == "boot":
            boot = _Layer(shoes.length, 2.05, 0.008, shoe_label, shoes.color,
                          hem=True)  # fmt: skip
            layers.append(boot)
            covering.add(shoe_label)
        end = _End(
            lambda: self._paint_foot(leg, group, label, shoe_label), covering
        )
        self._paint_limb(leg, _LEG_RADII, group, layers, end)

    def _paint_foot(
        self, leg: Limb, group: int, leg_label: int, shoe_label: int
    ) -> None:
        outfit = self._outfit
        ankle, toe = flat(leg.points[2]), flat(leg.points[3])
        heel = flat(leg.heel)
        skin = self._canvas.part(leg_label, group, outfit.skin)
        if outfit.shoes is None:
            self._paint_sole(ankle, heel, toe, skin, skin, 0.0, 0.0)
            return
        shoes = outfit.shoes
        part = self._canvas.part(shoe_label, group, shoes.color)
        sole = self._canvas.part(shoe_label, group, shoes.trim)
        if shoes.kind in ("sandal", "pump"):
            inner, label = outfit.skin, leg_label
            if outfit.socks is not None:
                inner, label = outfit.socks.color, outfit.socks.label
            foot = self._canvas.part(label, group, inner)
            self._paint_sole(ankle, heel, toe, foot, sole, 0.0, 0.004)
            self._paint_straps(ankle, heel, toe, part, shoes.kind)
            return
        self._paint_sole(ankle, heel, toe, part, sole, 0.004, 0.005)
        if shoes.kind == "sneaker":
            middle = ankle * 0.45 + toe * 0.55
            aside = _perpendicular(_unit2(toe - ankle)) * 0.011
            lift = np.array([0.0, -0.008])
            for shift in (-0.2, 0.05):
                center = middle + (toe - ankle) * shift + lift
                lace = np.stack([center - aside, center + aside])
                self._canvas.band(lace - 0.0016, lace + 0.0016, sole)

    def _paint_sole(
        self,
        ankle: np.ndarray,
        heel: np.ndarray,
        toe: np.ndarray,
        part: int,
        sole: int,
        extra: float,
        thickness: float,
    ) -> None:
        """Paints a foot or a shoe: instep, heel, ball and toe over a sole."""
        drop = _unit2((heel + toe) / 2 - ankle + np.array([0.0, 1e-4]))
        ball = heel + (toe - heel) * 0.68
        rounds = [
            (ankle, 0.0205),
            (heel * 0.8 + ball * 0.2, 0.0195),
            (ball, 0.0225),
            (heel * 0.1 + toe * 0.9, 0.0165),
        ]
        angles = np.linspace(0, 2 * math.pi, 14, endpoint=False)
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        points = [
            center + circle * (radius + extra) for center, radius in rounds
        ]
        if thickness:
            lower = np.concatenate(points[1:]) + drop * thickness
            self._canvas.polygon(convex_hull(lower), sole)
        hull = convex_hull(np.concatenate(points))
        left, right = _hull_edges(hull, 6)
        self._canvas.band(left, right, part)
        self._canvas.polygon(hull, part)
        if thickness:
            base = np.concatenate(points[1:])
            keep = (base - ankle) @ drop > ((ball - ankle) @ drop) * 0.9
            if keep.sum() > 3:
                strip = base[keep] + drop * thickness * 0.6
                self._canvas.polygon(convex_hull(strip), sole)
            self._canvas.tone_line(
                np.stack([heel, toe]) + drop * 0.02, 78, 0.006
            )

    def _paint_straps(
        self,
        ankle: np.ndarray,
        heel: np.ndarray,
        toe: np.ndarray,
        part: int,
        kind: str,
    ) -> None:
        ball = heel + (toe - heel) * 0.66
        axis = _unit2(toe - heel)
        if kind == "pump":
            front = ball + (toe - heel) * 0.06
            self._canvas.band(
                *_tube(front - axis * 0.018, toe + axis * 0.01,
                       np.array([0.023, 0.021, 0.014])),
                part,
            )  # fmt: skip
            self._canvas.disc(heel, 0.02, part)
            return
        aside = _perpendicular(_unit2(toe - ankle))
        for share in (0.25, 0.6, 0.85):
            middle = ankle + (toe - ankle) * share
            ends = np.stack([middle - aside * 0.025, middle + aside * 0.025])
            shift = _unit2(toe - ankle) * 0.0055
            self._canvas.band(ends - shift, ends + shift, part)

    # Torso.

    def _torso_part(self, garment: Garment, group: int) -> int:
        # Stripes run around the trunk, that is, along the spine.
        origin = (0.0, 0.0)
        if garment.pattern is not None and garment.pattern.kind == "blocks":
            origin = tuple(flat(self._figure.joints[figure_lib.THORAX]) * 0.55)
        return self._canvas.part(
            garment.label, group, garment.color, garment.pattern,
            tuple(-self._spine_axis), origin,
        )  # fmt: skip

    def _patch(
        self,
        heights: np.ndarray,
        first: np.ndarray | float,
        last: np.ndarray | float,
        margin: float,
    ) -> tuple[np.ndarray, np.ndarray, tuple[float, float]] | None:
        """Returns the visible edges of a patch of the trunk's surface.

        Args:
            heights: [N] in torso lengths above the hip joints.
            first: Angle in degrees from which the patch goes, per height;
                0 is the front, 90 the person's left, 180 the back.
            last: Angle up to which it goes.
            margin: Distance from the skin.

        Returns:
            Two edges [N, 2] and where they lie on the round surface, or
            None where nothing of it is seen.
        """
        center, left, forward = self._figure.torso_section(heights)
        angles = np.radians(
            np.linspace(
                np.broadcast_to(first, heights.shape),
                np.broadcast_to(last, heights.shape),
                25,
            )
        )[:, :, None]
        sine, cosine = np.sin(angles), np.cos(angles)
        normal_z = (
            sine * (left / (left**2).sum(1, keepdims=True))
            + cosine * (forward / (forward**2).sum(1, keepdims=True))
        )[:, :, 2]
        surface = sine * left + cosine * forward
        aside = _perpendicular(-self._spine_axis)
        offset = flat(surface) @ aside
        extent = np.sqrt(
            (flat(left) @ aside) ** 2 + (flat(forward) @ aside) ** 2
        )
        visible = normal_z >= -0.4
        if not visible.any():
            return None
        low = np.where(visible, offset, np.inf).min(axis=0)
        high = np.where(visible, offset, -np.inf).max(axis=0)
        seen = np.isfinite(low)
        if seen.sum() < 2:
            return None
        stretch = (1 + margin / extent)[:, None]
        base = flat(center)
        low_edge = base + aside * low[:, None] * stretch
        high_edge = base + aside * high[:, None] * stretch
        middle = len(heights) // 2 if seen[len(heights) // 2] else seen.argmax()
        bounds = (
            float(np.clip(low[middle] / extent[middle], -1, 1)),
            float(np.clip(high[middle] / extent[middle], -1, 1)),
        )
        return low_edge[seen], high_edge[seen], bounds

    def _paint_patch(
        self,
        heights: np.ndarray,
        first: np.ndarray | float,
        last: np.ndarray | float,
        margin: float,
        part: int,
        lit: bool = True,
    ) -> None:
        patch = self._patch(heights, first, last, margin)
        if patch is None:
            return
        low, high, bounds = patch
        if bounds[1] - bounds[0] < 0.01:
            return
        if lit:
            self._canvas.band(low, high, part, bounds)
        else:
            self._canvas.polygon(np.concatenate([low, high[::-1]]), part)

    def _on_front(self, height: float, angle: float) -> np.ndarray | None:
        """Returns a point of the trunk's surface if it faces the viewer."""
        center, left, forward = (
            rows[0]
            for rows in self._figure.torso_section(np.array([height]))
        )
        sine = math.sin(math.radians(angle))
        cosine = math.cos(math.radians(angle))
        normal = sine * left / (left @ left) + cosine * forward / (
            forward @ forward
        )
        if normal[2] < 0:
            return None
        aside = _perpendicular(-self._spine_axis)
        offset = flat(sine * left + cosine * forward) @ aside
        return flat(center) + aside * offset

    def _paint_neck(self) -> None:
        """Paints neck and chest skin, which LIP labels background."""
        figure = self._figure
        part = self._canvas.part(
            clothing.BACKGROUND, canvas_lib.HEAD, self._outfit.skin
        )
        base = flat(figure.joints[figure_lib.THORAX])
        top = flat(figure.joints[figure_lib.UPPER_NECK])
        head = flat(figure.head_center)
        radius = 0.030 * (0.9 if figure.body.feminine else 1.05)
        radius *= 0.85 + 0.15 * self._girth
        radii = np.array([radius * 1.25, radius, radius])
        start = base + self._spine_axis * -0.02
        self._canvas.band(
            *_tube(start, top * 0.4 + head * 0.6, radii), part, shade=0.88
        )

    def _paint_torso(self) -> None:
        outfit = self._outfit
        body = outfit.top or outfit.dress or outfit.jumpsuit
        skin = self._canvas.part(
            clothing.BACKGROUND, canvas_lib.TORSO, outfit.skin
        )
        self._paint_patch(np.linspace(0.5, 1.0, 8), -180, 180, 0.0, skin)
        if outfit.bottom is not None and outfit.bottom.label == clothing.SKIRT:
            part = self._torso_part(outfit.bottom, canvas_lib.TORSO)
            heights = np.linspace(-0.05, 0.34, 6)
            self._paint_patch(heights, -180, 180, 0.005, part)
        self._paint_shirt(body)
        if outfit.jumpsuit is not None and outfit.top is not None:
            self._paint_bib(outfit.jumpsuit)
        tucked = outfit.top is not None and outfit.top.hem > 0.25
        if tucked and outfit.bottom is not None:
            self._paint_belt()

    def _paint_shirt(self, garment: Garment) -> None:
        part = self._torso_part(garment, canvas_lib.TORSO)
        hem = -0.12 if garment.label != clothing.UPPER_CLOTHES else garment.hem
        loose = min(garment.looseness, 0.02)
        if garment.kind == "tank" or garment.sleeve == 0:
            top = np.linspace(hem, 0.86, 9)
            self._paint_patch(top, -180, 180, loose, part)
            for side in (-1, 1):
                strap = np.linspace(0.84, 1.0, 4)
                spread = np.array([88.0, 78.0, 62.0, 60.0])
                inner = np.array([14.0, 34.0, 40.0, 44.0])
                for edges in ((inner, spread), (180 - spread, 180 - inner)):
                    low, high = edges[0] * side, edges[1] * side
                    self._paint_patch(strap, low, high, 0.003, part)
        else:
            heights = np.linspace(hem, 0.995, 11)
            self._paint_patch(heights, -180, 180, loose, part)
            self._paint_shoulders(garment, part, loose)
            self._paint_neckline(garment)
        self._paint_torso_folds(hem)
        self._paint_front(garment)

    def _paint_shoulders(
        self, garment: Garment, part: int, loose: float
    ) -> None:
        base = flat(self._figure.joints[figure_lib.THORAX])
        for arm in self._figure.arms:
            shoulder = flat(arm.points[0])
            radius = 0.031 * self._girth + loose * 0.7
            radii = np.array([0.026, radius * 0.9, radius])
            start = base - self._spine_axis * 0.004
            left, right = _tube(start, shoulder, radii)
            self._canvas.polygon(np.concatenate([left, right[::-1]]), part)
            if garment.sleeve > 0:
                self._canvas.disc(shoulder, radius, part)

    def _paint_neckline(self, garment: Garment) -> None:
        skin = self._canvas.part(
            clothing.BACKGROUND, canvas_lib.TORSO, self._outfit.skin
        )
        trim = self._canvas.part(garment.label, canvas_lib.TORSO, garment.trim)
        kind = garment.kind
        if kind == "turtleneck":
            return
        if kind in ("shirt", "polo", "dress", "overall"):
            heights = np.linspace(0.84 if kind == "dress" else 0.89, 1.03, 5)
            spread = np.linspace(0.0, 62.0, 5)
        else:
            heights = np.linspace(0.935, 1.03, 5)
            spread = np.array([18.0, 40.0, 55.0, 66.0, 70.0])
        if kind in ("tee", "jersey") and garment.pattern is None:
            rim = spread + 8
            self._paint_patch(heights - 0.022, -rim, rim, 0.004, trim, False)
        self._paint_patch(heights, -spread, spread, 0.004, skin, False)

    def _paint_torso_folds(self, hem: float) -> None:
        for _ in range(self._rng.randrange(3, 7)):
            angle = self._rng.uniform(-150, 150)
            height = self._rng.uniform(max(hem, 0.0), 0.75)
            start = self._on_front(height, angle)
            end = self._on_front(
                height + self._rng.uniform(-0.12, 0.12),
                angle * self._rng.uniform(0.2, 0.7),
            )
            if start is not None and end is not None:
                tone = self._rng.choice((76, 86, 92, 150))
                self._canvas.tone_line(np.stack([start, end]), tone, 0.007)

    def _paint_front(self, garment: Garment) -> None:
        """Paints collar, buttons, pocket or print of a shirt."""
        trim = self._canvas.part(garment.label, canvas_lib.TORSO, garment.trim)
        darker = self._canvas.part(
            garment.label, canvas_lib.TORSO, scaled(garment.color, 0.72)
        )
        if garment.kind in ("shirt", "overall"):
            heights = np.linspace(max(garment.hem, 0.0), 0.9, 8)
            self._paint_patch(heights, -3, 3, 0.006, darker, False)
            for height in np.linspace(0.12, 0.82, 6):
                point = self._on_front(float(height), 0)
                if point is not None:
                    self._canvas.disc(point, 0.0036, trim)
        if garment.kind in ("shirt", "polo"):
            self._paint_lapels(garment.color, garment.label, 0.9, 26)
        if garment.kind == "hooded":
            heights = np.linspace(0.1, 0.3, 4)
            spread = np.array([52.0, 50.0, 42.0, 34.0])
            self._paint_patch(heights, -spread, spread, 0.008, darker, False)
            self._paint_patch(
                np.linspace(0.93, 1.02, 4), -140, 140, 0.010, darker
            )
        printed = garment.kind in ("tee", "jersey", "sweater", "tank")
        if printed and garment.pattern is None and self._rng.random() < 0.5:
            self._paint_print(trim)

    def _paint_print(self, part: int) -> None:
        kind = self._rng.choice(("box", "lines", "disc", "stripe"))
        if kind == "stripe":
            low = self._rng.uniform(0.45, 0.65)
            heights = np.linspace(low, low + self._rng.uniform(0.06, 0.16), 3)
            self._paint_patch(heights, -180, 180, 0.01, part, False)
            return
        if kind == "disc":
            point = self._on_front(0.66, 0)
            if point is not None:
                radius = self._rng.uniform(0.02, 0.036)
                narrow = max(abs(self._facing), 0.3)
                self._canvas.ellipse(point, radius * narrow, radius, part)
            return
        spread = self._rng.uniform(18, 36)
        if kind == "box":
            heights = np.linspace(0.52, 0.52 + self._rng.uniform(0.1, 0.24), 3)
            self._paint_patch(heights, -spread, spread, 0.006, part, False)
            return
        for low in (0.56, 0.63, 0.70):
            reach = spread * self._rng.uniform(0.7, 1.0)
            heights = np.linspace(low, low + 0.035, 2)
            self._paint_patch(heights, -reach, reach, 0.006, part, False)

    def _paint_bib(self, garment: Garment) -> None:
        part = self._torso_part(garment, canvas_lib.TORSO)
        heights = np.linspace(-0.1, 0.38, 6)
        self._paint_patch(heights, -180, 180, 0.014, part)
        front = np.linspace(0.36, 0.76, 5)
        self._paint_patch(front, -46, 46, 0.014, part)
        back = np.linspace(0.36, 0.6, 4)
        self._paint_patch(back, 140, 220, 0.014, part)
        for side in (-1, 1):
            strap = np.linspace(0.72, 1.0, 5)
            inner = np.linspace(30, 42, 5)
            self._paint_patch(
                strap, side * inner, side * (inner + 16), 0.014, part
            )
            behind = 180 - np.linspace(8, 46, 5)
            low = np.linspace(0.56, 1.0, 5)
            self._paint_patch(
                low, side * behind, side * (behind - 16), 0.014, part
            )
        pocket = self._canvas.part(
            garment.label, canvas_lib.TORSO, scaled(garment.color, 0.78)
        )
        self._paint_patch(
            np.linspace(0.5, 0.66, 3), -20, 20, 0.014, pocket, False
        )

    def _paint_belt(self) -> None:
        color = clothing.jitter(self._rng, (60, 42, 32), 15)
        part = self._canvas.part(clothing.PANTS, canvas_lib.TORSO, color)
        bottom = self._outfit.bottom
        if bottom.label == clothing.SKIRT:
            part = self._canvas.part(
                clothing.SKIRT, canvas_lib.TORSO, scaled(bottom.color, 0.6)
            )
        self._paint_patch(np.linspace(0.26, 0.31, 2), -180, 180, 0.011, part)

    def _paint_lapels(
        self, color: Color, label: int, low: float, spread: float
    ) -> None:
        part = self._canvas.part(label, canvas_lib.TORSO, scaled(color, 1.18))
        for side in (-1, 1):
            heights = np.linspace(low, 1.02, 4)
            inner = np.linspace(2, 40, 4) * side
            outer = np.linspace(spread, 88, 4) * side
            self._paint_patch(heights, inner, outer, 0.007, part, False)

    # Skirts and coats.

    def _hang(
        self, length: float, flare: float, margin: float, top: float
    ) -> np.ndarray:
        """Returns the outline of cloth that hangs around both legs."""
        figure = self._figure
        steps = np.linspace(0, length, 5)
        radii = np.interp(steps, _LEG_RADII[:, 0], _LEG_RADII[:, 1])
        radii = radii * self._girth + margin
        points = []
        for leg in figure.legs:
            joints = flat(leg.points[:3])
            for step, radius in zip(steps, radii, strict=True):
                piece = min(int(step), 1)
                along = joints[piece + 1] - joints[piece]
                center = joints[piece] + along * (step - piece)
                wide = radius + flare * step
                aside = _perpendicular(_unit2(along)) * wide
                points += [center - aside, center + aside]
                if step == length:
                    # The hem is a round: it sags by the camera's height.
                    down = _unit2(along) * (0.006 + 0.1 * flare)
                    points += [
                        center - 0.6 * aside + down,
                        center + 0.6 * aside + down,
                    ]
        patch = self._patch(np.linspace(-0.05, top, 4), -180, 180, margin)
        if patch is not None:
            points += [*patch[0], *patch[1]]
        return convex_hull(np.array(points))

    def _paint_skirts(self) -> None:
        outfit = self._outfit
        skirt = outfit.dress
        if skirt is None:
            skirt = outfit.bottom
            if skirt is None or skirt.label != clothing.SKIRT:
                return
        hull = self._hang(skirt.length, skirt.looseness, 0.008, 0.12)
        part = self._canvas.part(
            skirt.label, canvas_lib.BOTH_LEGS, skirt.color, skirt.pattern,
            tuple(-self._spine_axis), (0.0, 0.0),
        )  # fmt: skip
        self._paint_hanging(hull, part, self._rng.randrange(2, 7))
        untucked = outfit.top is not None and outfit.top.hem <= 0.25
        if untucked and outfit.dress is None:
            top = self._torso_part(outfit.top, canvas_lib.TORSO)
            heights = np.linspace(outfit.top.hem, 0.35, 4)
            loose = outfit.top.looseness + 0.004
            self._paint_patch(heights, -180, 180, loose, top)
        if outfit.dress is not None and self._rng.random() < 0.5:
            self._paint_patch(
                np.linspace(0.42, 0.47, 2), -180, 180, 0.012,
                self._canvas.part(
                    skirt.label, canvas_lib.TORSO, skirt.trim
                ), False,
            )  # fmt: skip

    def _paint_hanging(
        self, hull: np.ndarray, part: int, pleats: int
    ) -> None:
        left, right = _hull_edges(hull, 10)
        self._canvas.band(left, right, part)
        self._canvas.polygon(hull, part)
        for _ in range(pleats):
            share = self._rng.uniform(0.08, 0.92)
            line = left + share * (right - left)
            start = self._rng.randrange(2, 6)
            tone = self._rng.choice((74, 84, 148))
            self._canvas.tone_line(line[start:], tone, 0.007)

    def _paint_coat(self) -> None:
        coat = self._outfit.coat
        if coat is None:
            return
        part = self._torso_part(coat, canvas_lib.TORSO)
        opened = coat.kind in ("jacket", "blazer", "long", "vest")
        opened = opened and self._rng.random() < 0.75
        if coat.length > 0:
            self._paint_coat_tail(coat, part, opened)
        heights = np.linspace(coat.hem, 1.0, 10)
        if opened:
            gap = self._rng.uniform(10, 40)
            inner = np.interp(heights, (0.2, 0.75, 1.0), (gap, gap * 1.1, 60))
        else:
            inner = np.interp(heights, (0.85, 1.0), (0.0, 55.0))
        for side in (-1, 1):
            self._paint_patch(
                heights, side * inner, side * 180, coat.looseness, part
            )
            self._paint_coat_edge(heights, side * inner, coat)
        self._paint_shoulder_caps(part, coat.looseness)
        self._paint_torso_folds(coat.hem)
        darker = scaled(coat.color, 0.7)
        if coat.kind in ("blazer", "long"):
            self._paint_lapels(scaled(coat.color, 0.82), coat.label, 0.62, 22)
        seam = self._canvas.part(coat.label, canvas_lib.TORSO, darker)
        if not opened:
            self._paint_patch(
                np.linspace(coat.hem, 0.9, 6), -2.5, 2.5, 0.015, seam, False
            )
        for side in (-1, 1):
            low, high = sorted((side * 38, side * 66))
            pocket = np.linspace(0.16, 0.19, 2)
            self._paint_patch(pocket, low, high, 0.016, seam, False)

    def _paint_shoulder_caps(self, part: int, loose: float) -> None:
        base = flat(self._figure.joints[figure_lib.THORAX])
        for arm in self._figure.arms:
            shoulder = flat(arm.points[0])
            radius = 0.031 * self._girth + loose * 0.7
            toward = _unit2(shoulder - base)
            reach = math.hypot(*(shoulder - base))
            start = base + toward * min(0.034, reach * 0.6)
            left, right = _tube(
                start, shoulder, np.array([0.020, radius * 0.9, radius])
            )
            self._canvas.polygon(np.concatenate([left, right[::-1]]), part)
            self._canvas.disc(shoulder, radius, part)

    def _paint_coat_edge(
        self, heights: np.ndarray, angles: np.ndarray, coat: Garment
    ) -> None:
        points = [
            self._on_front(float(height), float(angle))
            for height, angle in zip(heights[::3], angles[::3], strict=True)
        ]
        points = [point for point in points if point is not None]
        if len(points) > 1:
            self._canvas.tone_line(np.stack(points), 80, 0.007)

    def _paint_coat_tail(
        self, coat: Garment, part: int, opened: bool
    ) -> None:
        length = coat.length
        if self._figure.pose.name in ("sitting", "crouching"):
            length = min(length, 0.5)
        hull = self._hang(length, 0.012, coat.looseness, 0.1)
        if not opened or self._facing < 0.35:
            self._paint_hanging(hull, part, 3)
            return
        left, right = _hull_edges(hull, 8)
        sides = ((0.0, 0.34), (0.66, 1.0))
        for low, high in sides:
            bounds = (2 * low - 1, 2 * high - 1)
            self._canvas.band(
                left + low * (right - left),
                left + high * (right - left),
                part,
                bounds,
            )

    def _paint_collar(self) -> None:
        """Closes the nape of coat or shirt, seen from behind."""
        garment = self._outfit.coat or self._outfit.top
        if garment is None or garment.sleeve == 0 or self._facing > 0.2:
            return
        if garment.kind in ("tee", "jersey", "sweater"):
            return
        part = self._canvas.part(
            garment.label, canvas_lib.TORSO, scaled(garment.color, 0.82)
        )
        self._paint_patch(np.linspace(0.95, 1.05, 3), -180, 180, 0.008, part)

    # Scarf and head.

    def _paint_scarf(self) -> None:
        scarf = self._outfit.scarf
        if scarf is None:
            return
        figure = self._figure
        base = flat(figure.joints[figure_lib.THORAX])
        top = flat(figure.joints[figure_lib.UPPER_NECK])
        axis = _unit2(top - base)
        part = self._canvas.part(
            scarf.label, canvas_lib.TORSO, scarf.color, scarf.pattern,
            tuple(_perpendicular(axis)), tuple(base),
        )  # fmt: skip
        aside = _perpendicular(axis)
        left, right = _tube(
            base - axis * 0.022,
            base + (top - base) * 0.85,
            np.array([0.058, 0.064, 0.056, 0.046]),
        )
        for side in (-1, 1):
            if self._facing < -0.1 or self._rng.random() < 0.25:
                continue
            start = base + aside * 0.022 * side
            end = start - self._spine_axis * self._rng.uniform(0.1, 0.24)
            end = end + aside * 0.012 * side
            self._canvas.band(
                *_tube(start, end, np.array([0.022, 0.021, 0.023])), part
            )
        self._canvas.tone_polygon(
            np.concatenate([left, right[::-1]])
            + np.array([0.0, 0.012]), 84
        )  # fmt: skip
        self._canvas.band(left, right, part)
        for share in (0.3, 0.6):
            slant = axis * 0.012
            line = np.stack(
                [
                    base + (top - base) * share - aside * 0.05 - slant,
                    base + (top - base) * share + aside * 0.05 + slant,
                ]
            )
            self._canvas.tone_line(line, 78, 0.007)

    def _head_point(self, direction: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """Returns figure coordinates of points of the head's surface.

        Args:
            direction: [..., 3] unit vectors: left, up, forward of the head.
            scale: Distance from the centre, 1 on the skin.
        """
        height = self._figure.body.head
        wide = 0.395 if not self._figure.body.child else 0.43
        # The jaw is narrower than the skull, and does not reach backward.
        low = np.maximum(-direction[..., 1:2], 0.0) ** 1.5
        radii = np.array([wide, 0.5, 0.45]) * height * scale
        taper = np.concatenate([1 - 0.30 * low, np.ones_like(low), 1 - 0.18 * low], -1)
        local = direction * radii * taper
        return flat(self._figure.head_center + local @ self._figure.head_frame.T)

    def _toward_viewer(self) -> np.ndarray:
        return self._figure.head_frame[2]

    def _cap(
        self, azimuth: float, elevation: float, radius: float
    ) -> np.ndarray | None:
        """Returns the visible outline of a round patch of the head.

        Args:
            azimuth: Of its middle: 0 forward, 90 to the person's left.
            elevation: Of its middle, 90 the crown.
            radius: Angle from its middle to its rim.

        Returns:
            Unit directions [N, 3], or None where it is on the far side.
        """
        middle = _direction(azimuth, elevation)
        helper = np.array([0.0, 0.0, 1.0])
        if abs(middle[2]) > 0.9:
            helper = np.array([0.0, 1.0, 0.0])
        first = np.cross(middle, helper)
        first = first / np.linalg.norm(first)
        second = np.cross(middle, first)
        turns = np.linspace(0, 2 * math.pi, 28, endpoint=False)[:, None]
        angle = math.radians(radius)
        rim = math.cos(angle) * middle + math.sin(angle) * (
            np.cos(turns) * first + np.sin(turns) * second
        )
        viewer = self._toward_viewer()
        nearness = rim @ viewer
        if nearness.max() <= 0 and middle @ viewer <= 0:
            return None
        # What is on the far side moves to the outline of the head.
        hidden = np.minimum(nearness, 0.0)[:, None]
        rim = rim - hidden * viewer
        return rim / np.linalg.norm(rim, axis=1, keepdims=True)

    def _outline(self, count: int = 30) -> np.ndarray:
        """Returns the outline of the head, unit directions [N, 3]."""
        viewer = self._toward_viewer()
        helper = np.array([0.0, 1.0, 0.0])
        if abs(viewer[1]) > 0.9:
            helper = np.array([1.0, 0.0, 0.0])
        first = np.cross(viewer, helper)
        first = first / np.linalg.norm(first)
        second = np.cross(viewer, first)
        turns = np.linspace(0, 2 * math.pi, count, endpoint=False)[:, None]
        return np.cos(turns) * first + np.sin(turns) * second

    def _visible(self, direction: np.ndarray, limit: float = 0.0) -> bool:
        return float(direction @ self._toward_viewer()) > limit

    def _paint_head(self) -> None:
        outfit = self._outfit
        face = self._canvas.part(clothing.FACE, canvas_lib.HEAD, outfit.skin)
        skull = self._head_point(self._outline())
        shadow = skull + np.array([0.0, 0.016])
        self._canvas.tone_polygon(shadow, 80)
        self._paint_ears(face, limit=-0.5)
        left, right = _hull_edges(convex_hull(skull), 10)
        self._canvas.band(left, right, face)
        self._canvas.polygon(skull, face)
        if outfit.hair != "bald":
            self._paint_hair(skull)
        nape = self._cap(0, -90, 46)
        if nape is not None and outfit.hair not in ("long", "bob"):
            self._canvas.polygon(self._head_point(nape), face)
        self._paint_face(face)
        if outfit.hair not in ("long", "bob", "curly"):
            self._paint_ears(face, limit=0.15)
        if outfit.hair not in ("bald", "cropped"):
            self._paint_fringe()
        if self._head_facing > 0.25:
            self._paint_strands()
        self._paint_glasses()
        self._paint_hat()

    def _paint_ears(self, part: int, limit: float) -> None:
        for side in (-1, 1):
            direction = _direction(side * 96, -4)
            if not self._visible(direction, limit):
                continue
            center = self._head_point(direction, 1.02)
            size = self._figure.body.head
            self._canvas.ellipse(center, size * 0.055, size * 0.095, part)
            if limit > 0:
                self._canvas.tone_disc(center, size * 0.04, 88)

    def _hair_part(self, shade: float = 1.0) -> int:
        color = scaled(self._outfit.hair_color, shade)
        return self._canvas.part(clothing.HAIR, canvas_lib.HEAD, color)

    def _paint_hair(self, skull: np.ndarray) -> None:
        style = self._outfit.hair
        swell = {"cropped": 1.02, "curly": 1.24, "short": 1.07}.get(style, 1.06)
        outline = self._outline()
        scale = np.full(len(outline), swell)
        rough = 0.10 if style == "curly" else 0.02
        for index in range(len(scale)):
            scale[index] += self._rng.uniform(-rough, rough)
        # Hair does not swell around the jaw.
        lower = np.clip(-outline[:, 1] * 2.2 - 0.6, 0, 1)
        scale = scale * (1 - lower) + 0.98 * lower
        center = flat(self._figure.head_center)
        points = center + (self._head_point(outline) - center) * scale[:, None]
        left, right = _hull_edges(convex_hull(points), 8)
        self._canvas.band(left, right, self._hair_part())
        self._canvas.polygon(points, self._hair_part())
        if style in ("bun", "ponytail"):
            knot = _direction(180, 48 if style == "bun" else 20)
            place = self._head_point(knot, 1.2)
            radius = self._figure.body.head * 0.2
            self._canvas.disc(place, radius, self._hair_part(0.94))

    def _paint_face(self, face: int) -> None:
        outfit = self._outfit
        style = outfit.hair
        elevation, radius = -22.0, 68.0
        if style in ("long", "bob"):
            elevation, radius = -26.0, 62.0
        elif style == "cropped":
            elevation, radius = -18.0, 72.0
        cap = self._cap(0, elevation, radius)
        if style == "bald":
            cap = self._cap(0, -20, 84)
        if cap is None:
            return
        outline = self._head_point(cap)
        self._canvas.polygon(outline, face)
        if self._visible(_direction(0, 0), -0.25):
            self._paint_features(face)

    def _paint_features(self, face: int) -> None:
        outfit = self._outfit
        head = self._figure.body.head
        canvas = self._canvas

        def part(color: Color) -> int:
            return canvas.part(clothing.FACE, canvas_lib.HEAD, color)

        if outfit.beard:
            beard = self._cap(0, -62, 42)
            if beard is not None:
                mixed = tuple(
                    (2 * h + s) // 3
                    for h, s in zip(
                        outfit.hair_color, outfit.skin, strict=True
                    )
                )
                canvas.polygon(self._head_point(beard), part(mixed))
        for side in (-1, 1):
            self._paint_eye(side, part)
        tip = self._head_point(_direction(0, -14), 1.2)
        bridge = self._head_point(_direction(0, 8), 1.0)
        base = self._head_point(_direction(0, -24), 1.02)
        wing = self._head_point(_direction(14, -22), 1.0)
        other = self._head_point(_direction(-14, -22), 1.0)
        canvas.polygon(np.stack([bridge, tip, base]), face)
        canvas.tone_polygon(np.stack([bridge, tip, wing]), 104)
        canvas.polygon(
            np.stack([wing, base, other, tip]), part(scaled(outfit.skin, 0.86))
        )
        lips = self._cap(0, -43, 11)
        if lips is not None and self._visible(_direction(0, -43), 0.0):
            lips = lips * np.array([1.0, 1.0, 1.0])
            points = self._head_point(lips)
            middle = points.mean(axis=0)
            up = _unit2(flat(self._figure.head_frame[:, 1]))
            along = (points - middle) @ up
            points = points - np.outer(along * 0.58, up)
            red = tuple(
                int(a * 0.55 + b * 0.45)
                for a, b in zip(outfit.skin, (176, 52, 60), strict=True)
            )
            canvas.polygon(points, part(red))
        cheek = self._head_point(_direction(0, -62), 0.98)
        canvas.tone_disc(cheek, head * 0.05, 112)

    def _paint_eye(self, side: int, part: Callable[[Color], int]) -> None:
        head = self._figure.body.head
        middle = _direction(side * 25, 4)
        if not self._visible(middle, 0.2):
            return
        facing = float(middle @ self._toward_viewer())
        center = self._head_point(middle)
        canvas = self._canvas
        canvas.tone_disc(center, head * 0.085, 104)
        canvas.ellipse(
            center, head * 0.072 * facing, head * 0.038, part((236, 232, 228))
        )
        canvas.disc(center, head * 0.034, part((44, 34, 30)))
        brow = np.stack(
            [
                self._head_point(_direction(side * 12, 17)),
                self._head_point(_direction(side * 26, 20)),
                self._head_point(_direction(side * 40, 15)),
            ]
        )
        shift = np.array([0.0, head * 0.018])
        color = scaled(self._outfit.hair_color, 0.85)
        if self._outfit.hair == "bald":
            color = scaled(self._outfit.skin, 0.5)
        canvas.polygon(
            np.concatenate([brow - shift, (brow + shift)[::-1]]), part(color)
        )

    def _paint_fringe(self) -> None:
        """Paints hair that falls into the forehead."""
        style = self._outfit.hair
        side = self._rng.choice((-1, 1))
        if style in ("short", "parted", "bob", "curly"):
            azimuth = side * self._rng.uniform(0, 30)
            cap = self._cap(azimuth, 66, self._rng.uniform(30, 44))
        else:
            cap = self._cap(side * 40, 60, 30)
        if cap is not None:
            self._canvas.polygon(
                self._head_point(cap, 1.05), self._hair_part()
            )
        shine = self._cap(side * 30, 55, 16)
        if shine is not None and self._head_facing > -0.5:
            self._canvas.polygon(
                self._head_point(shine, 1.05), self._hair_part(1.18)
            )

    def _hair_drop(self) -> float:
        head = self._figure.body.head
        style = self._outfit.hair
        if style == "bob":
            return 0.75 * head
        return {"long": 1.75, "ponytail": 1.1}.get(style, 0.0) * head

    def _down(self) -> np.ndarray:
        """Returns where hair hangs to: down, a little along the spine."""
        return _unit2(np.array([0.0, 1.0]) - 0.35 * self._spine_axis)

    def _paint_falling_hair(self, before_torso: bool) -> None:
        style = self._outfit.hair
        drop = self._hair_drop()
        if not drop or (style == "ponytail" and before_torso):
            return
        if style == "ponytail":
            start = self._head_point(_direction(180, 20), 1.2)
            end = start + self._down() * drop
            self._canvas.band(
                *_tube(start, end, self._figure.body.head
                       * np.array([0.12, 0.17, 0.13, 0.04])),
                self._hair_part(),
            )  # fmt: skip
            return
        rim = [
            self._head_point(_direction(azimuth, elevation), 1.06)
            for azimuth in (95, 140, 180, 220, 265)
            for elevation in (30, -20)
        ]
        ends = [
            self._head_point(_direction(azimuth, -10), 1.12)
            + self._down() * drop * self._rng.uniform(0.9, 1.05)
            for azimuth in (110, 150, 180, 210, 250)
        ]
        hull = convex_hull(np.array(rim + ends))
        self._paint_hanging(hull, self._hair_part(0.92), 5)

    def _paint_strands(self) -> None:
        """Paints the hair before the shoulders, seen from the front."""
        drop = self._hair_drop()
        if not drop or self._outfit.hair == "ponytail":
            return
        head = self._figure.body.head
        for side in (-1, 1):
            if not self._visible(_direction(side * 80, 0), -0.3):
                continue
            top = self._head_point(_direction(side * 62, 48), 1.0)
            cheek = self._head_point(_direction(side * 84, -10), 1.02)
            share = self._rng.uniform(0.7, 1.0)
            end = cheek + self._down() * drop * share
            radii = head * np.array([0.06, 0.10, 0.12])
            part = self._hair_part()
            self._canvas.band(*_tube(top, cheek, radii), part)
            self._canvas.disc(cheek, radii[-1], part)
            lower = head * np.array([0.12, 0.14, 0.13, 0.05])
            self._canvas.band(*_tube(cheek, end, lower), part)

    def _paint_glasses(self) -> None:
        glasses = self._outfit.sunglasses
        if glasses is None:
            return
        head = self._figure.body.head
        part = self._canvas.part(
            glasses.label, canvas_lib.HEAD, glasses.color
        )
        drawn = []
        for side in (-1, 1):
            middle = _direction(side * 26, 3)
            if not self._visible(middle, 0.12):
                continue
            facing = float(middle @ self._toward_viewer())
            center = self._head_point(middle, 1.05)
            self._canvas.ellipse(
                center, head * 0.145 * max(facing, 0.4), head * 0.095, part
            )
            drawn.append(center)
            temple = self._head_point(_direction(side * 88, 6), 1.03)
            if self._visible(_direction(side * 70, 6), 0.05):
                ends = np.stack([center, temple])
                shift = np.array([0.0, head * 0.02])
                self._canvas.polygon(
                    np.concatenate([ends - shift, (ends + shift)[::-1]]), part
                )
        if len(drawn) == 2:
            ends = np.stack(drawn)
            shift = np.array([0.0, head * 0.02])
            self._canvas.polygon(
                np.concatenate([ends - shift, (ends + shift)[::-1]]), part
            )

    def _paint_hat(self) -> None:
        hat = self._outfit.hat
        if hat is None:
            return
        part = self._canvas.part(
            hat.label, canvas_lib.HEAD, hat.color, hat.pattern,
            tuple(_unit2(flat(self._figure.head_frame[:, 1]))),
            tuple(flat(self._figure.head_center)),
        )  # fmt: skip
        trim = self._canvas.part(hat.label, canvas_lib.HEAD, hat.trim)
        dome = self._cap(180, 78, {"beanie": 74, "helmet": 72}.get(hat.kind, 66))
        if hat.kind in ("sunhat", "fedora"):
            dome = self._cap(0, 90, 64)
        if dome is None:
            return
        swell = {"helmet": 1.2, "beanie": 1.12}.get(hat.kind, 1.12)
        points = self._head_point(dome, swell)
        if hat.kind in ("fedora", "sunhat"):
            raised = np.maximum(dome[:, 1:2] - 0.5, 0) * 0.35
            up = flat(self._figure.head_frame[:, 1]) * self._figure.body.head
            points = points + raised * up
        brim = hat.kind in ("sunhat", "fedora")
        if brim:
            self._paint_brim(part, hat.kind)
        left, right = _hull_edges(convex_hull(points), 6)
        self._canvas.band(left, right, part)
        self._canvas.polygon(points, part)
        if hat.kind == "cap":
            self._paint_visor(trim if self._rng.random() < 0.4 else part)
        if hat.kind == "helmet":
            stripe = self._cap(0, 80, 24)
            if stripe is not None:
                self._canvas.polygon(self._head_point(stripe, swell), trim)
        if hat.kind == "beanie" and self._rng.random() < 0.5:
            crown = self._head_point(_direction(0, 90), 1.25)
            self._canvas.disc(crown, self._figure.body.head * 0.12, trim)

    def _paint_brim(self, part: int, kind: str) -> None:
        reach = 1.75 if kind == "fedora" else 2.0
        ring = np.stack(
            [
                _direction(azimuth, 24) * np.array([1.0, 0.72, 1.0])
                for azimuth in np.linspace(0, 360, 24, endpoint=False)
            ]
        )
        points = self._head_point(ring * np.array([reach, 1, reach]))
        self._canvas.polygon(points, part)
        self._canvas.tone_polygon(points + np.array([0.0, 0.01]), 98)

    def _paint_visor(self, part: int) -> None:
        ring = []
        for azimuth in np.linspace(-62, 62, 9):
            ring.append(self._head_point(_direction(azimuth, 24), 1.1))
        outer = []
        for azimuth in np.linspace(62, -62, 9):
            reach = 1.1 + 0.62 * math.cos(math.radians(azimuth * 1.45))
            lower = _direction(azimuth, 24) * np.array([reach, 0.9, reach])
            outer.append(self._head_point(lower))
        if self._head_facing < -0.3:
            return
        points = np.array(ring + outer)
        self._canvas.polygon(points, part)
        self._canvas.tone_polygon(points, 104)
        self._canvas.tone_polygon(points + np.array([0.0, 0.014]), 90)


@dataclasses.dataclass(frozen=True)
class _End:
    """Hand or foot: painted before the first of the layers that cover it."""

    paint: Callable[[], None]
    after: set[int]


def _direction(azimuth: float, elevation: float) -> np.ndarray:
    """Returns the unit vector (left, up, forward) of two angles in degrees."""
    turn, rise = math.radians(azimuth), math.radians(elevation)
    return np.array(
        [
            math.sin(turn) * math.cos(rise),
            math.sin(rise),
            math.cos(turn) * math.cos(rise),
        ]
    )
