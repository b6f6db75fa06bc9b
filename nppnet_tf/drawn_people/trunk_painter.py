"""Paints what covers the trunk: shirts, dresses, skirts, coats, scarves."""

import math

import numpy as np

from nppnet_tf.drawn_people import canvas as canvas_lib
from nppnet_tf.drawn_people import clothing
from nppnet_tf.drawn_people import figure as figure_lib
from nppnet_tf.drawn_people.canvas import Color
from nppnet_tf.drawn_people.clothing import Garment
from nppnet_tf.drawn_people.clothing import scaled
from nppnet_tf.drawn_people.figure import flat
from nppnet_tf.drawn_people.part_painter import LEG_RADII
from nppnet_tf.drawn_people.part_painter import PartPainter
from nppnet_tf.drawn_people.part_painter import convex_hull
from nppnet_tf.drawn_people.part_painter import hull_edges
from nppnet_tf.drawn_people.part_painter import perpendicular
from nppnet_tf.drawn_people.part_painter import tube
from nppnet_tf.drawn_people.part_painter import unit2


class TrunkPainter(PartPainter):
    """Paints the trunk, and cloth that hangs from it; see `PartPainter`."""

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
        aside = perpendicular(-self._spine_axis)
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
            rows[0] for rows in self._figure.torso_section(np.array([height]))
        )
        sine = math.sin(math.radians(angle))
        cosine = math.cos(math.radians(angle))
        normal = sine * left / (left @ left) + cosine * forward / (
            forward @ forward
        )
        if normal[2] < 0:
            return None
        aside = perpendicular(-self._spine_axis)
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
        start = base + self._spine_axis * 0.004
        self._canvas.band(
            *tube(start, top * 0.4 + head * 0.6, radii), part, shade=0.88
        )

    def paint_torso(self) -> None:
        """Paints chest, neck and what is worn on them, but no coat."""
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
        loose = self._looseness(garment)
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
        self._paint_neck()
        self._paint_torso_folds(hem)
        self._paint_front(garment)

    def _paint_shoulders(
        self, garment: Garment, part: int, loose: float
    ) -> None:
        base = flat(self._figure.joints[figure_lib.THORAX])
        for arm in self._figure.arms:
            shoulder = flat(arm.points[0])
            radius = 0.031 * self._girth + loose * 0.7
            radii = np.array([0.020, radius * 0.75, radius])
            start = base - self._spine_axis * 0.012
            left, right = tube(start, shoulder, radii)
            self._canvas.polygon(np.concatenate([left, right[::-1]]), part)
            if garment.sleeve > 0:
                self._canvas.disc(shoulder, radius, part)

    def _paint_neckline(self, garment: Garment) -> None:
        skin = self._canvas.part(
            clothing.BACKGROUND, canvas_lib.TORSO, self._outfit.skin
        )
        trim = self._canvas.part(garment.label, canvas_lib.TORSO, garment.trim)
        kind = garment.kind
        if kind == "turtleneck" or self._facing < 0.1:
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
        if garment.kind == "turtleneck":
            base = flat(self._figure.joints[figure_lib.THORAX])
            top = flat(self._figure.joints[figure_lib.UPPER_NECK])
            self._canvas.band(
                *tube(base - self._spine_axis * 0.015, top,
                       np.array([0.045, 0.037, 0.036])),
                self._torso_part(garment, canvas_lib.TORSO),
            )  # fmt: skip
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

    def _hang(
        self, length: float, flare: float, margin: float, top: float
    ) -> np.ndarray:
        """Returns the outline of cloth that hangs around both legs."""
        figure = self._figure
        steps = np.linspace(0, length, 5)
        radii = np.interp(steps, LEG_RADII[:, 0], LEG_RADII[:, 1])
        radii = radii * self._girth + margin
        points = []
        for leg in figure.legs:
            joints = flat(leg.points[:3])
            for step, radius in zip(steps, radii, strict=True):
                piece = min(int(step), 1)
                along = joints[piece + 1] - joints[piece]
                center = joints[piece] + along * (step - piece)
                wide = radius + flare * step
                aside = perpendicular(unit2(along)) * wide
                points += [center - aside, center + aside]
                if step == length:
                    # The hem is a round: it sags by the camera's height.
                    down = unit2(along) * (0.006 + 0.1 * flare)
                    points += [
                        center - 0.6 * aside + down,
                        center + 0.6 * aside + down,
                    ]
        patch = self._patch(np.linspace(-0.16, top, 5), -180, 180, margin)
        if patch is not None:
            points += [*patch[0], *patch[1]]
        return convex_hull(np.array(points))

    def paint_skirts(self) -> None:
        """Paints what hangs around the legs: skirt or dress."""
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

    def paint_coat(self) -> None:
        """Paints the coat, open or closed, without its sleeves."""
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
            toward = unit2(shoulder - base)
            reach = math.hypot(*(shoulder - base))
            start = base + toward * min(0.034, reach * 0.6)
            left, right = tube(
                start, shoulder, np.array([0.018, radius * 0.75, radius])
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

    def _paint_coat_tail(self, coat: Garment, part: int, opened: bool) -> None:
        length = coat.length
        if self._figure.pose.name in ("sitting", "crouching"):
            length = min(length, 0.5)
        hull = self._hang(length, 0.012, coat.looseness, 0.1)
        if not opened or self._facing < 0.35:
            self._paint_hanging(hull, part, 3)
            return
        left, right = hull_edges(hull, 8)
        sides = ((0.0, 0.34), (0.66, 1.0))
        for low, high in sides:
            bounds = (2 * low - 1, 2 * high - 1)
            self._canvas.band(
                left + low * (right - left),
                left + high * (right - left),
                part,
                bounds,
            )

    def paint_collar(self) -> None:
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

    def paint_scarf(self) -> None:
        """Paints the scarf around the neck with its ends."""
        scarf = self._outfit.scarf
        if scarf is None:
            return
        figure = self._figure
        base = flat(figure.joints[figure_lib.THORAX])
        top = flat(figure.joints[figure_lib.UPPER_NECK])
        axis = unit2(top - base)
        part = self._canvas.part(
            scarf.label, canvas_lib.TORSO, scarf.color, scarf.pattern,
            tuple(perpendicular(axis)), tuple(base),
        )  # fmt: skip
        aside = perpendicular(axis)
        left, right = tube(
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
                *tube(start, end, np.array([0.022, 0.021, 0.023])), part
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

    def paint_seat_of_trousers(self, lower: Garment) -> None:
        """Paints the part of trousers above the legs."""
        heights = np.linspace(-0.17, lower.hem or 0.3, 8)
        part = self._torso_part(lower, canvas_lib.BOTH_LEGS)
        self._paint_patch(heights, -180, 180, min(lower.looseness, 0.01), part)
