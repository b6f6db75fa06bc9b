"""Paints heads: hair, face, glasses and hats, from every side."""

import math
from collections.abc import Callable

import numpy as np

from nppnet_tf.drawn_people import canvas as canvas_lib
from nppnet_tf.drawn_people import clothing
from nppnet_tf.drawn_people.canvas import Color
from nppnet_tf.drawn_people.clothing import scaled
from nppnet_tf.drawn_people.figure import flat
from nppnet_tf.drawn_people.part_painter import PartPainter
from nppnet_tf.drawn_people.part_painter import convex_hull
from nppnet_tf.drawn_people.part_painter import hull_edges
from nppnet_tf.drawn_people.part_painter import tube
from nppnet_tf.drawn_people.part_painter import unit2


class HeadPainter(PartPainter):
    """Paints the head; see `PartPainter`."""

    def _head_point(
        self, direction: np.ndarray, scale: float = 1.0
    ) -> np.ndarray:
        """Returns figure coordinates of points of the head's surface.

        Args:
            direction: [..., 3] unit vectors: left, up, forward of the head.
            scale: Distance from the center, 1 on the skin.
        """
        height = self._figure.body.head
        wide = 0.395 if not self._figure.body.child else 0.43
        # The jaw is narrower than the skull, and does not reach backward.
        low = np.maximum(-direction[..., 1:2], 0.0) ** 1.5
        radii = np.array([wide, 0.5, 0.45]) * height * scale
        taper = np.concatenate(
            [1 - 0.30 * low, np.ones_like(low), 1 - 0.18 * low], -1
        )
        local = direction * radii * taper
        return flat(
            self._figure.head_center + local @ self._figure.head_frame.T
        )

    def _toward_viewer(self) -> np.ndarray:
        return self._figure.head_frame[2]

    def _cap(
        self, azimuth: float, elevation: float, radius: float
    ) -> np.ndarray | None:
        """Returns the visible outline of a round patch of the head.

        Args:
            azimuth: Azimuth of the patch's middle: 0 forward, 90 to the
                person's left.
            elevation: Elevation of the patch's middle, 90 the crown.
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
        seen = rim @ viewer > 0
        if seen.all():
            return rim
        if not seen.any():
            return self._outline() if middle @ viewer > 0 else None
        # Start with the first point that is seen after a hidden one.
        starts = np.flatnonzero(seen & ~np.roll(seen, 1))
        rim = np.roll(rim, -starts[0], axis=0)
        rim = rim[: int(seen.sum())]
        return np.concatenate([rim, self._limb_arc(rim[-1], rim[0], middle)])

    def _limb_arc(
        self, start: np.ndarray, end: np.ndarray, middle: np.ndarray
    ) -> np.ndarray:
        """Returns the piece of the outline that closes a patch, [N, 3]."""
        first, second = self._outline_axes()
        angles = [math.atan2(p @ second, p @ first) for p in (start, end)]
        turn = (angles[1] - angles[0]) % (2 * math.pi)
        arcs = []
        for sweep in (turn, turn - 2 * math.pi):
            steps = (angles[0] + np.linspace(0, 1, 10) * sweep)[:, None]
            arcs.append(np.cos(steps) * first + np.sin(steps) * second)
        return max(arcs, key=lambda arc: float(arc[5] @ middle))

    def _outline_axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns two directions that span the plane of the outline."""
        viewer = self._toward_viewer()
        helper = np.array([0.0, 1.0, 0.0])
        if abs(viewer[1]) > 0.9:
            helper = np.array([1.0, 0.0, 0.0])
        first = np.cross(viewer, helper)
        first = first / np.linalg.norm(first)
        return first, np.cross(viewer, first)

    def _outline(self, count: int = 30) -> np.ndarray:
        """Returns the outline of the head, unit directions [N, 3]."""
        first, second = self._outline_axes()
        turns = np.linspace(0, 2 * math.pi, count, endpoint=False)[:, None]
        return np.cos(turns) * first + np.sin(turns) * second

    def _visible(self, direction: np.ndarray, limit: float = 0.0) -> bool:
        return float(direction @ self._toward_viewer()) > limit

    def paint_head(self, hair_falls_over: bool) -> None:
        """Paints the head without the hair behind the trunk.

        Args:
            hair_falls_over: Whether the hair on the back is seen, and falls
                over all that has been painted.
        """
        outfit = self._outfit
        face = self._canvas.part(clothing.FACE, canvas_lib.HEAD, outfit.skin)
        skull = self._head_point(self._outline())
        shadow = skull + np.array([0.0, 0.016])
        self._canvas.tone_polygon(shadow, 80)
        self._paint_ears(face, limit=-0.5)
        left, right = hull_edges(convex_hull(skull), 10)
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
        if hair_falls_over:
            self.paint_falling_hair(before_torso=False)
        else:
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
        if self._outfit.hat is not None:
            swell, rough = min(swell, 1.05), 0.01
        for index in range(len(scale)):
            scale[index] += self._rng.uniform(-rough, rough)
        # Hair does not swell around the jaw.
        lower = np.clip(-outline[:, 1] * 2.2 - 0.6, 0, 1)
        scale = scale * (1 - lower) + 0.98 * lower
        center = flat(self._figure.head_center)
        points = center + (self._head_point(outline) - center) * scale[:, None]
        left, right = hull_edges(convex_hull(points), 8)
        self._canvas.band(left, right, self._hair_part())
        self._canvas.polygon(points, self._hair_part())
        if style in ("bun", "ponytail") and self._outfit.hat is None:
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
                    for h, s in zip(outfit.hair_color, outfit.skin, strict=True)
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
            up = unit2(flat(self._figure.head_frame[:, 1]))
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
            center, head * 0.066 * facing, head * 0.028, part((226, 220, 214))
        )
        canvas.disc(center, head * 0.029, part((44, 34, 30)))
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
            self._canvas.polygon(self._head_point(cap, 1.05), self._hair_part())
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
        return unit2(np.array([0.0, 1.0]) - 0.35 * self._spine_axis)

    def paint_falling_hair(self, before_torso: bool) -> None:
        """Paints the hair that hangs down the back.

        Args:
            before_torso: Whether the trunk will hide it.
        """
        style = self._outfit.hair
        drop = self._hair_drop()
        if not drop or (style == "ponytail" and before_torso):
            return
        if style == "ponytail":
            start = self._head_point(_direction(180, 20), 1.2)
            end = start + self._down() * drop
            self._canvas.band(
                *tube(start, end, self._figure.body.head
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
            self._canvas.band(*tube(top, cheek, radii), part)
            self._canvas.disc(cheek, radii[-1], part)
            lower = head * np.array([0.12, 0.14, 0.13, 0.05])
            self._canvas.band(*tube(cheek, end, lower), part)

    def _paint_glasses(self) -> None:
        glasses = self._outfit.sunglasses
        if glasses is None:
            return
        head = self._figure.body.head
        part = self._canvas.part(glasses.label, canvas_lib.HEAD, glasses.color)
        drawn = []
        for side in (-1, 1):
            middle = _direction(side * 26, 3)
            if not self._visible(middle, 0.12):
                continue
            facing = float(middle @ self._toward_viewer())
            center = self._head_point(middle, 1.05)
            self._canvas.ellipse(
                center, head * 0.165 * max(facing, 0.4), head * 0.105, part
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
            tuple(unit2(flat(self._figure.head_frame[:, 1]))),
            tuple(flat(self._figure.head_center)),
        )  # fmt: skip
        trim = self._canvas.part(hat.label, canvas_lib.HEAD, hat.trim)
        dome = self._cap(
            180, 78, {"beanie": 74, "helmet": 72}.get(hat.kind, 66)
        )
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
        left, right = hull_edges(convex_hull(points), 6)
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
