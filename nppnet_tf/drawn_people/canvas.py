"""A painter's canvas that knows which part of the person every pixel shows.

Everything is painted three times at once: into a map of part numbers at twice
the picture's size, into a tone map (light and shadow) at the picture's size,
and, by the part numbers, into the table of labels and colors. The label map
is the part under each pixel's center, never mixed; the picture averages the
finer map, so that its outlines are smooth.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFilter

Color = tuple[int, int, int]

# What a part belongs to; decides which joints it hides (see `person`).
NOTHING = 0
HEAD = 1
TORSO = 2
LEFT_ARM = 3
RIGHT_ARM = 4
LEFT_LEG = 5
RIGHT_LEG = 6
BOTH_LEGS = 7
OBJECT = 8

NEUTRAL_TONE = 128
_MAX_PARTS = 255
_SUPERSAMPLE = 2
_STRIP_BOUNDS = np.array([-1.25, -0.7, -0.3, 0.1, 0.45, 0.75, 1.25])
_NOISE_SIZE = 512


def _make_noise(smoothing: int, seed: int) -> np.ndarray:
    """Returns a periodic noise tile of zero mean and unit deviation."""
    noise = np.random.RandomState(seed).standard_normal(
        (_NOISE_SIZE, _NOISE_SIZE)
    )
    for _ in range(3 if smoothing else 0):
        for axis in (0, 1):
            total = np.cumsum(
                np.concatenate([noise, noise], axis=axis), axis=axis
            )
            shifted = np.roll(total, smoothing, axis=axis)
            noise = np.take(
                total - shifted,
                np.arange(_NOISE_SIZE, 2 * _NOISE_SIZE),
                axis=axis,
            )
    noise -= noise.mean()
    return (noise / noise.std()).astype(np.float32)


_TILES: dict[int, np.ndarray] = {}


def noise_patch(
    size: tuple[int, int], smoothing: int, offset: tuple[int, int]
) -> np.ndarray:
    """Returns a window of a fixed noise tile.

    Args:
        size: (height, width) of the window.
        smoothing: Width of the box, in pixels, that the noise was smoothed
            with three times; 0 for white noise.
        offset: (row, column) of the window in the periodic tile.

    Returns:
        Float32 [height, width] of about zero mean and unit deviation.
    """
    if smoothing not in _TILES:
        _TILES[smoothing] = _make_noise(smoothing, seed=1000 + smoothing)
    rows = (np.arange(size[0]) + offset[0]) % _NOISE_SIZE
    columns = (np.arange(size[1]) + offset[1]) % _NOISE_SIZE
    return _TILES[smoothing][rows[:, None], columns[None, :]]


@dataclasses.dataclass(frozen=True)
class Pattern:
    """A repeating decoration of cloth.

    Attributes:
        kind: "stripes", "checks", "dots", "camouflage", "denim" or "blocks".
        colors: The two colors that join the part's own.
        unit: Length of one repeat, in heights of a standing person.
        duty: Share of the repeat that the second color takes.
    """

    kind: str
    colors: tuple[Color, Color]
    unit: float
    duty: float = 0.5


@dataclasses.dataclass
class _Part:
    label: int
    group: int
    color: Color
    pattern: Pattern | None
    axis: tuple[float, float]
    origin: tuple[float, float]
    box: list[int]


class Canvas:
    """Paints in figure units; see the module docstring.

    Args:
        size: (height, width) of the picture in pixels.
        origin_xy: Figure coordinates of the picture's top left corner.
        pixels_per_unit: Scale from figure units to pixels.
        light: Direction toward the light: x right, y down, z to the viewer.
    """

    def __init__(
        self,
        size: tuple[int, int],
        origin_xy: tuple[float, float],
        pixels_per_unit: float,
        light: tuple[float, float, float],
    ) -> None:
        self.size = size
        self.scale = pixels_per_unit
        self.origin = np.asarray(origin_xy, np.float64)
        length = math.sqrt(sum(value * value for value in light))
        self.light = tuple(value / length for value in light)
        height, width = size
        self._part_image = Image.new(
            "L", (_SUPERSAMPLE * width + 2, _SUPERSAMPLE * height + 2), 0
        )
        self._tone_image = Image.new("L", (width, height), NEUTRAL_TONE)
        self._part_draw = ImageDraw.Draw(self._part_image)
        self._tone_draw = ImageDraw.Draw(self._tone_image)
        self._parts = [
            _Part(0, NOTHING, (0, 0, 0), None, (1, 0), (0, 0), [0, 0, 0, 0])
        ]
        self._known: dict[tuple, int] = {}

    def to_pixels(self, points_xy: np.ndarray) -> np.ndarray:
        """Returns pixel coordinates, (0, 0) being the first pixel's center."""
        return (np.asarray(points_xy) - self.origin) * self.scale - 0.5

    def part(
        self,
        label: int,
        group: int,
        color: Color,
        pattern: Pattern | None = None,
        axis: tuple[float, float] = (0.0, 1.0),
        origin: tuple[float, float] = (0.0, 0.0),
    ) -> int:
        """Returns the number of a part, the same for the same arguments.

        Args:
            label: Class of the part's pixels in the label map.
            group: What it belongs to, one of the constants of this module.
            color: RGB, 0 to 255, before light and shadow.
            pattern: Decoration, or None.
            axis: Direction along which the pattern runs.
            origin: Figure coordinates at which the pattern starts.

        Raises:
            ValueError: There are too many parts.
        """
        if pattern is None:
            axis, origin = (0.0, 1.0), (0.0, 0.0)
        key = (label, group, color, pattern, axis, origin)
        if key not in self._known:
            if len(self._parts) > _MAX_PARTS:
                raise ValueError(
                    "Too many parts for one byte. "
                    f"Received: parts={len(self._parts)}"
                )
            self._known[key] = len(self._parts)
            box = [1 << 20, 1 << 20, -1, -1]
            self._parts.append(
                _Part(label, group, color, pattern, axis, origin, box)
            )
        return self._known[key]

    def polygon(self, points_xy: np.ndarray, part: int) -> None:
        """Fills a polygon, [N, 2] in figure units; light stays as it was."""
        pixels = (np.asarray(points_xy) - self.origin) * (
            _SUPERSAMPLE * self.scale
        )
        self._fill(np.rint(pixels), part)

    def _fill(self, rounded: np.ndarray, part: int) -> None:
        if len(rounded) < 3:
            return
        self._part_draw.polygon(rounded.ravel().tolist(), fill=part)
        entry = self._parts[part]
        if entry.pattern is not None:
            self._grow(entry.box, rounded.min(axis=0), rounded.max(axis=0))

    @staticmethod
    def _grow(box: list[int], low: Sequence, high: Sequence) -> None:
        box[0] = min(box[0], int(low[0]))
        box[1] = min(box[1], int(low[1]))
        box[2] = max(box[2], int(high[0]))
        box[3] = max(box[3], int(high[1]))

    def disc(
        self, center_xy: Sequence[float], radius: float, part: int
    ) -> None:
        """Fills a disc of a radius in figure units; light stays."""
        self.ellipse(center_xy, radius, radius, part)

    def ellipse(
        self,
        center_xy: Sequence[float],
        radius_x: float,
        radius_y: float,
        part: int,
    ) -> None:
        """Fills an upright ellipse of radii in figure units; light stays."""
        factor = _SUPERSAMPLE * self.scale
        x = (center_xy[0] - self.origin[0]) * factor
        y = (center_xy[1] - self.origin[1]) * factor
        low = (round(x - radius_x * factor), round(y - radius_y * factor))
        high = (round(x + radius_x * factor), round(y + radius_y * factor))
        self._part_draw.ellipse([low, high], fill=part)
        entry = self._parts[part]
        if entry.pattern is not None:
            self._grow(entry.box, low, high)

    def band(
        self,
        left: np.ndarray,
        right: np.ndarray,
        part: int,
        bounds: tuple[float, float] = (-1.0, 1.0),
        shade: float = 1.0,
    ) -> None:
        """Fills between two edges and lights the surface as a round one.

        Args:
            left: [N, 2] points of one edge in figure units.
            right: [N, 2] points of the other edge, in the same order.
            part: Number of the part.
            bounds: Where the two edges lie on the round surface, -1 and 1
                being its outlines.
            shade: Factor on the light.
        """
        left = (np.asarray(left) - self.origin) * self.scale
        right = (np.asarray(right) - self.origin) * self.scale
        outline = np.concatenate([left, right[::-1]])
        self._fill(np.rint(outline * _SUPERSAMPLE), part)
        self._light_band(left, right, bounds, shade)

    def _light_band(
        self,
        left: np.ndarray,
        right: np.ndarray,
        bounds: tuple[float, float],
        shade: float,
    ) -> None:
        across = (right - left).sum(axis=0)
        length = math.hypot(across[0], across[1])
        if length < 1e-6:
            return
        cosine = (
            across[0] * self.light[0] + across[1] * self.light[1]
        ) / length
        extent = max(bounds[1] - bounds[0], 1e-3)
        inside = _STRIP_BOUNDS[
            (_STRIP_BOUNDS > bounds[0]) & (_STRIP_BOUNDS < bounds[1])
        ]
        low = -1.25 if bounds[0] <= -1 else bounds[0]
        high = 1.25 if bounds[1] >= 1 else bounds[1]
        stops = np.concatenate([[low], inside, [high]])
        fractions = ((stops - bounds[0]) / extent)[:, None, None]
        lines = np.rint(left + fractions * (right - left) - 0.5)
        for index in range(len(stops) - 1):
            middle = (stops[index] + stops[index + 1]) / 2
            middle = min(max(middle, -0.97), 0.97)
            facing = math.sqrt(1 - middle * middle)
            tone = self._tone(cosine * middle + self.light[2] * facing)
            strip = np.concatenate([lines[index], lines[index + 1][::-1]])
            self._tone_draw.polygon(
                strip.ravel().tolist(), fill=int(tone * shade)
            )

    @staticmethod
    def _tone(incidence: float) -> float:
        """Returns the tone of a surface whose normal meets the light so."""
        return 58 + 84 * max(incidence, 0.0) + 14 * min(incidence, 0.0)

    def tone_polygon(self, points_xy: np.ndarray, tone: float) -> None:
        """Sets light (128 = unchanged) in a polygon, in figure units."""
        pixels = np.rint(self.to_pixels(points_xy))
        if len(pixels) >= 3:
            self._tone_draw.polygon(pixels.ravel().tolist(), fill=int(tone))

    def tone_disc(
        self, center_xy: Sequence[float], radius: float, tone: float
    ) -> None:
        """Sets light (128 = unchanged) in a disc, in figure units."""
        x = (center_xy[0] - self.origin[0]) * self.scale - 0.5
        y = (center_xy[1] - self.origin[1]) * self.scale - 0.5
        r = radius * self.scale
        self._tone_draw.ellipse(
            [(x - r, y - r), (x + r, y + r)], fill=int(tone)
        )

    def tone_line(
        self, points_xy: np.ndarray, tone: float, thickness: float
    ) -> None:
        """Draws a fold or crease of light along points, in figure units."""
        pixels = np.rint(self.to_pixels(points_xy))
        self._tone_draw.line(
            pixels.ravel().tolist(),
            fill=int(tone),
            width=max(1, round(thickness * self.scale)),
        )

    def maps(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns label and group of every pixel, each uint8 [H, W]."""
        numbers = np.asarray(self._part_image)
        step = _SUPERSAMPLE
        # Pixel (x, y) has its center on the finer pixel (2x + 1, 2y + 1) of
        # a map whose coordinates count that map's own corners.
        centers = numbers[1:-1:step, 1:-1:step]
        labels = np.array([part.label for part in self._parts], np.uint8)
        groups = np.array([part.group for part in self._parts], np.uint8)
        return labels[centers], groups[centers]

    def compose(
        self,
        background: np.ndarray,
        light_blur: float,
        noise_offset: tuple[int, int],
    ) -> np.ndarray:
        """Returns the picture, float32 [H, W, 3] of 0 to 255.

        Args:
            background: Uint8 [H, W, 3].
            light_blur: Softness of light and shadow in figure units.
            noise_offset: Where the cloth's noise is taken from its tile.
        """
        height, width = self.size
        numbers = np.asarray(self._part_image)
        colors = np.array([part.color for part in self._parts], np.uint8)
        fine = colors[numbers]
        for number, part in enumerate(self._parts):
            if part.pattern is not None and part.box[2] >= 0:
                self._decorate(fine, numbers, number, part, noise_offset)
        # The triangle filter over the finer pixels left and right of the
        # pixel's own center; the box puts that center in the middle.
        box = (
            0.5,
            0.5,
            _SUPERSAMPLE * width + 0.5,
            _SUPERSAMPLE * height + 0.5,
        )
        figure = Image.fromarray(fine).resize(
            (width, height), Image.Resampling.BILINEAR, box=box
        )
        covered = Image.fromarray((numbers > 0).view(np.uint8) * 255).resize(
            (width, height), Image.Resampling.BILINEAR, box=box
        )
        tone = self._tone_image.filter(
            ImageFilter.GaussianBlur(light_blur * self.scale)
        )
        light = np.asarray(tone, np.float32) * np.float32(1 / NEUTRAL_TONE)
        light += noise_patch(self.size, 3, noise_offset) * np.float32(0.018)
        picture = np.asarray(figure, np.float32) * light[:, :, None]
        opaque = np.asarray(covered, np.float32) * np.float32(1 / 255)
        picture += background * (1 - opaque)[:, :, None]
        return picture

    def _decorate(
        self,
        fine: np.ndarray,
        numbers: np.ndarray,
        number: int,
        part: _Part,
        noise_offset: tuple[int, int],
    ) -> None:
        x0, y0 = max(part.box[0], 0), max(part.box[1], 0)
        x1 = min(part.box[2] + 1, numbers.shape[1])
        y1 = min(part.box[3] + 1, numbers.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        mask = numbers[y0:y1, x0:x1] == number
        tones = self._tones(part, (x0, y0, x1, y1), noise_offset)
        palette = np.array([part.color, *part.pattern.colors], np.uint8)
        fine[y0:y1, x0:x1][mask] = palette[tones[mask]]

    def _tones(
        self,
        part: _Part,
        box: tuple[int, int, int, int],
        noise_offset: tuple[int, int],
    ) -> np.ndarray:
        """Returns which of the three colors every pixel of a box takes."""
        x0, y0, x1, y1 = box
        pattern = part.pattern
        if pattern.kind in ("camouflage", "denim"):
            smoothing = 9 if pattern.kind == "camouflage" else 2
            # Offset by the part, so that two sleeves are not twins.
            shift = (noise_offset[0] + y0, noise_offset[1] + x0)
            noise = noise_patch((y1 - y0, x1 - x0), smoothing, shift)
            limit = 0.35 if pattern.kind == "camouflage" else 1.0
            return (noise > limit) + 2 * (noise < -limit)
        factor = 1 / (_SUPERSAMPLE * self.scale * pattern.unit)
        origin = (np.array(part.origin) - self.origin) / pattern.unit
        x = np.arange(x0, x1, dtype=np.float32) * factor - origin[0]
        y = np.arange(y0, y1, dtype=np.float32)[:, None] * factor - origin[1]
        along = (x * part.axis[0] + y * part.axis[1]).astype(np.float32)
        if pattern.kind == "stripes":
            return (along % 1 < pattern.duty).view(np.uint8)
        if pattern.kind == "blocks":
            return (along > pattern.duty).view(np.uint8)
        across = (x * part.axis[1] - y * part.axis[0]).astype(np.float32)
        if pattern.kind == "checks":
            first = (along % 1 < pattern.duty).view(np.uint8)
            return first + (across % 1 < pattern.duty).view(np.uint8)
        # Dots, every second row shifted by half a repeat.
        row = np.floor(along)
        column = (across + 0.5 * (row % 2)) % 1 - 0.5
        distance = (along - row - 0.5) ** 2 + column**2
        return (distance < 0.25 * pattern.duty**2).view(np.uint8)
