"""Paints arms and legs with their sleeves, trousers, gloves and shoes."""

import dataclasses
import math
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from nppnet_tf.drawn_people import canvas as canvas_lib
from nppnet_tf.drawn_people import clothing
from nppnet_tf.drawn_people.canvas import Color
from nppnet_tf.drawn_people.canvas import Pattern
from nppnet_tf.drawn_people.clothing import Garment
from nppnet_tf.drawn_people.figure import LEFT
from nppnet_tf.drawn_people.figure import Limb
from nppnet_tf.drawn_people.figure import flat
from nppnet_tf.drawn_people.part_painter import LEG_RADII
from nppnet_tf.drawn_people.part_painter import PartPainter
from nppnet_tf.drawn_people.part_painter import convex_hull
from nppnet_tf.drawn_people.part_painter import hull_edges
from nppnet_tf.drawn_people.part_painter import perpendicular
from nppnet_tf.drawn_people.part_painter import tube
from nppnet_tf.drawn_people.part_painter import unit2

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
_SHADOW_TONE = 88


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


@dataclasses.dataclass(frozen=True)
class _End:
    """Hand or foot: painted before the first of the layers that cover it."""

    paint: Callable[[], None]
    after: set[int]


class LimbPainter(PartPainter):
    """Paints one limb after the other; see `PartPainter`."""

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
        axis = tuple(unit2(along))
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
        self._canvas.band(*tube(first, last, radii), part)
        if layer.folds:
            self._paint_folds(first, last, radii, layer.folds)
        if layer.hem and end == layer.end:
            aside = perpendicular(np.array(axis)) * radii[-1]
            self._canvas.tone_line(
                np.stack([last - aside, last + aside]), 92, 0.004
            )

    def _paint_folds(
        self, first: np.ndarray, last: np.ndarray, radii: np.ndarray, count: int
    ) -> None:
        along = last - first
        aside = perpendicular(unit2(along))
        for _ in range(count):
            where = self._rng.uniform(0.05, 0.95)
            slant = self._rng.uniform(-0.5, 0.5) * radii[0]
            width = radii[0] * self._rng.uniform(0.5, 0.95)
            middle = first + along * where
            sign = self._rng.choice((-1, 1))
            ends = np.stack(
                [
                    middle + aside * width * sign,
                    middle - aside * width * sign * 0.1 + unit2(along) * slant,
                ]
            )
            tone = self._rng.choice((72, 82, 152))
            self._canvas.tone_line(ends, tone, 0.006)

    def cast_shadow(self, limb: Limb, table: np.ndarray, extra: float) -> None:
        """Darkens what lies behind a limb that is about to be painted."""
        points = flat(limb.points[:3])
        away = -np.array(self._canvas.light[:2]) * 0.012
        for piece in (0, 1):
            steps = np.linspace(
                piece + (0.3 if piece == 0 else 0), piece + 1, 3
            )
            radii = np.interp(steps, table[:, 0], table[:, 1]) * self._girth
            start = points[0] + 0.3 * (points[1] - points[0])
            start = start if piece == 0 else points[1]
            left, right = tube(
                start + away, points[piece + 1] + away, radii + extra + 0.005
            )
            outline = np.concatenate([left, right[::-1]])
            self._canvas.tone_polygon(outline, _SHADOW_TONE)

    def paint_arm(self, arm: Limb, cast_shadow: bool) -> None:
        """Paints an arm with hand, glove and sleeves."""
        outfit = self._outfit
        left = arm.side == LEFT
        group = canvas_lib.LEFT_ARM if left else canvas_lib.RIGHT_ARM
        label = clothing.LEFT_ARM if left else clothing.RIGHT_ARM
        layers = [_Layer(0, 2.0, 0.0, label, outfit.skin)]
        layers += [
            self._sleeve(garment)
            for garment in (outfit.top, outfit.dress, outfit.jumpsuit)
            if garment is not None and garment.sleeve > 0
        ]
        if outfit.coat is not None and outfit.coat.sleeve > 0:
            layers.append(self._sleeve(outfit.coat))
        gloves = outfit.gloves
        if gloves is not None:
            cuff = _Layer(gloves.length, 2.0, 0.004, gloves.label, gloves.color)
            layers.insert(1, cuff)
        if cast_shadow:
            self.cast_shadow(arm, _ARM_RADII, layers[-1].extra)
        covering = {layer.label for layer in layers} - {label}
        end = _End(lambda: self._paint_hand(arm, group, label), covering)
        self._paint_limb(arm, _ARM_RADII, group, layers, end)

    def _sleeve(self, garment: Garment) -> _Layer:
        loose = self._looseness(garment)
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
        axis = unit2(tip - wrist)
        aside = perpendicular(axis)
        # The thumb is on the inner side when the arm hangs.
        thumb_side = self._thumb_side(arm, aside)
        base = wrist + (tip - wrist) * 0.2 + aside * 0.012 * thumb_side
        thumb = base + (axis * 0.030 + aside * 0.017 * thumb_side)
        self._canvas.band(
            *tube(base, thumb, np.array([0.008, 0.007]) + extra), part
        )
        self._canvas.disc(thumb, 0.0068 + extra, part)
        if arm.hand == "fist":
            self._canvas.disc(palm - axis * 0.012, 0.0185 + extra, part)
        else:
            self._paint_fingers(arm, palm, tip, part, extra)
        self._canvas.band(*tube(wrist - axis * 0.006, palm, widths), part)

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
        aside = perpendicular(unit2(tip - palm))
        spread = 1.7 if arm.hand == "open" else 1.0
        thickness = np.array([0.0050, 0.0042]) + extra * 0.5
        for place in (-1.5, -0.5, 0.5, 1.5):
            start = palm + aside * place * 0.0088
            length = 1.0 - 0.07 * abs(place + 0.4)
            end = palm + (tip - palm) * length
            end = end + aside * place * 0.0088 * spread
            self._canvas.band(*tube(start, end, thickness), part)
            self._canvas.disc(end, thickness[1], part)

    def paint_leg(self, leg: Limb, trousers: Garment | None) -> None:
        """Paints a leg with foot, sock, shoe and trousers."""
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
        self._paint_limb(leg, LEG_RADII, group, layers, end)

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
            aside = perpendicular(unit2(toe - ankle)) * 0.011
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
        drop = unit2((heel + toe) / 2 - ankle + np.array([0.0, 1e-4]))
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
        left, right = hull_edges(hull, 6)
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
        axis = unit2(toe - heel)
        if kind == "pump":
            front = ball + (toe - heel) * 0.06
            self._canvas.band(
                *tube(front - axis * 0.018, toe + axis * 0.01,
                       np.array([0.023, 0.021, 0.014])),
                part,
            )  # fmt: skip
            self._canvas.disc(heel, 0.02, part)
            return
        aside = perpendicular(unit2(toe - ankle))
        for share in (0.25, 0.6, 0.85):
            middle = ankle + (toe - ankle) * share
            ends = np.stack([middle - aside * 0.025, middle + aside * 0.025])
            shift = unit2(toe - ankle) * 0.0055
            self._canvas.band(ends - shift, ends + shift, part)
