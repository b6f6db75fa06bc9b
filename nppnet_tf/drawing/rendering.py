"""Pictures of parts and poses: colors, skeletons, overlays."""

import functools
from collections.abc import Iterator

import numpy as np
from PIL import Image
from PIL import ImageDraw

from nppnet_tf.data import record
from nppnet_tf.data import visibility
from nppnet_tf.data.descriptors import DatasetDescriptor

Color = tuple[int, int, int]

# Blue and orange are told apart by everybody, also on the parts' own colors.
LEFT_COLOR = (40, 140, 255)
RIGHT_COLOR = (255, 130, 0)
CENTER_COLOR = (255, 255, 255)
_OUTLINE_COLOR = (0, 0, 0)
_UNKNOWN_CLASS_COLOR = (255, 255, 255)
_BACKGROUND_CLASS = 0

# Of the longer side of a picture.
_LINE_WIDTH = 1 / 110
_POINT_RADIUS = 1 / 90
# Pillow draws without smoothing: drawn larger, then shrunk.
_SUPERSAMPLING = 4
_SUPERSAMPLED_SIDE = 4096

_BAND_PIXELS = 1 << 20


def color_label_map(
    label_map: np.ndarray, descriptor: DatasetDescriptor
) -> np.ndarray:
    """Paints every class in its color.

    Args:
        label_map: Integer [H, W]; labels that are no class become white.
        descriptor: Whose palette.

    Returns:
        Uint8 [H, W, 3].
    """
    return _color_table(descriptor)[np.asarray(label_map).astype(np.uint8)]


def overlay(
    image: np.ndarray,
    label_map: np.ndarray | None,
    keypoints_xy: np.ndarray | None,
    confidence: np.ndarray | None,
    descriptor: DatasetDescriptor,
    opacity: float = 0.5,
    score_threshold: float = visibility.SCORE_THRESHOLD,
) -> np.ndarray:
    """Draws parts and pose over a picture.

    Parts are tinted and outlined; the background stays as it is. Left limbs
    are blue, right ones orange, the middle white; an occluded joint is a ring.

    Args:
        image: Uint8 [H, W, 3], RGB.
        label_map: Integer [H, W], or None.
        keypoints_xy: Float [K, 2], pixels of the picture, or None.
        confidence: [K]: visibility (integers, see `data.record`) or scores
            (floats).
        descriptor: Names, colors and skeleton.
        opacity: Opacity of the parts, 0 to 1.
        score_threshold: Joints of lower scores are not drawn.

    Returns:
        Uint8 [H, W, 3].

    Raises:
        ValueError: If image and label map differ in size.
    """
    result = np.asarray(image, np.uint8)
    if label_map is not None:
        if label_map.shape != result.shape[:2]:
            raise ValueError(
                "image and label map must have one size. Received: "
                f"image={result.shape}, label_map={label_map.shape}"
            )
        result = _tint(result, label_map, descriptor, opacity)
    if keypoints_xy is not None:
        result = draw_skeleton(
            result, keypoints_xy, confidence, descriptor, score_threshold
        )
    return result


def draw_skeleton(
    image: np.ndarray,
    keypoints_xy: np.ndarray,
    confidence: np.ndarray,
    descriptor: DatasetDescriptor,
    score_threshold: float = visibility.SCORE_THRESHOLD,
) -> np.ndarray:
    """Draws joints and the limbs between them; see `overlay`.

    Args:
        image: Uint8 [H, W, 3], RGB.
        keypoints_xy: Float [K, 2], pixels of the picture.
        confidence: [K], visibility (integers) or scores (floats).
        descriptor: Names and skeleton.
        score_threshold: Joints of lower scores are not drawn.

    Returns:
        Uint8 [H, W, 3].
    """
    height, width = image.shape[:2]
    longer = max(height, width)
    zoom = max(1, min(_SUPERSAMPLING, _SUPERSAMPLED_SIDE // longer))
    layer = Image.new("RGBA", (width * zoom, height * zoom), (0, 0, 0, 0))
    pen = _Pen(ImageDraw.Draw(layer), longer, zoom)
    is_shown, is_occluded = _states(keypoints_xy, confidence, score_threshold)
    points = {
        name: (float(x), float(y))
        for name, (x, y), shown in zip(
            descriptor.keypoints, keypoints_xy, is_shown, strict=True
        )
        if shown
    }
    for start, end in descriptor.skeleton:
        if start in points and end in points:
            pen.limb(points[start], points[end], _limb_color(start, end))
    for name, occluded in zip(descriptor.keypoints, is_occluded, strict=True):
        if name in points:
            pen.joint(points[name], _side_color(name), hollow=bool(occluded))
    if zoom > 1:
        layer = layer.resize((width, height), Image.Resampling.BOX)
    return _composite(np.asarray(image, np.uint8), layer)


class _Pen:
    """Draws limbs and joints with an outline, at the size of the picture."""

    def __init__(
        self, draw: ImageDraw.ImageDraw, longer_side: int, zoom: int
    ) -> None:
        self._draw = draw
        self._zoom = zoom
        self._line = max(2.0, longer_side * _LINE_WIDTH) * zoom
        self._radius = max(2.5, longer_side * _POINT_RADIUS) * zoom
        self._outline = max(1.0, longer_side / 400) * zoom

    def limb(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        color: Color,
    ) -> None:
        """A line from joint to joint."""
        ends = [self._place(start), self._place(end)]
        outlined = round(self._line + 2 * self._outline)
        self._draw.line(ends, (*_OUTLINE_COLOR, 200), outlined)
        self._draw.line(ends, (*color, 255), round(self._line))

    def joint(
        self, point: tuple[float, float], color: Color, hollow: bool
    ) -> None:
        """A disc, or a ring where the joint is hidden."""
        center = self._place(point)
        self._disc(center, self._radius + self._outline, _OUTLINE_COLOR)
        self._disc(center, self._radius, color)
        if hollow:
            self._disc(center, self._radius * 0.55, _OUTLINE_COLOR)

    def _disc(
        self, center: tuple[float, float], radius: float, color: Color
    ) -> None:
        # Pillow would cut off fractions and so move every disc up and left.
        lows = [round(place - radius) for place in center]
        highs = [
            round(2 * place) - low
            for place, low in zip(center, lows, strict=True)
        ]
        self._draw.ellipse((*lows, *highs), (*color, 255))

    def _place(self, point: tuple[float, float]) -> tuple[float, float]:
        """From pixel centers of the picture to those of the larger layer."""
        x, y = point
        middle = (self._zoom - 1) / 2
        return x * self._zoom + middle, y * self._zoom + middle


@functools.lru_cache(maxsize=8)
def _color_table(descriptor: DatasetDescriptor) -> np.ndarray:
    table = np.full((256, 3), _UNKNOWN_CLASS_COLOR, np.uint8)
    table[: descriptor.num_classes] = descriptor.palette
    table.setflags(write=False)
    return table


def _composite(image: np.ndarray, layer: Image.Image) -> np.ndarray:
    """Lays a picture with transparency over one without."""
    result = np.empty_like(image)
    for rows in _bands(image):
        base = Image.fromarray(image[rows]).convert("RGBA")
        box = (0, rows.start, base.width, rows.start + base.height)
        mixed = Image.alpha_composite(base, layer.crop(box))
        result[rows] = np.asarray(mixed.convert("RGB"))
    return result


def _tint(
    image: np.ndarray,
    label_map: np.ndarray,
    descriptor: DatasetDescriptor,
    opacity: float,
) -> np.ndarray:
    is_part = (label_map != _BACKGROUND_CLASS) & (
        label_map < descriptor.num_classes
    )
    outline = _outline(label_map) & is_part
    result = np.empty_like(image)
    for rows in _bands(image):
        result[rows] = _mixed(
            image[rows],
            color_label_map(label_map[rows], descriptor).astype(np.float32),
            opacity * is_part[rows][..., np.newaxis],
            outline[rows],
        )
    return result


def _mixed(
    image: np.ndarray,
    colors: np.ndarray,
    weight: np.ndarray,
    outline: np.ndarray,
) -> np.ndarray:
    mixed = image * (1 - weight) + colors * weight
    # Outlines in the part's full color keep neighbors of similar tint apart.
    mixed[outline] = 0.15 * image[outline] + 0.85 * colors[outline]
    return np.rint(mixed).astype(np.uint8)


def _bands(image: np.ndarray) -> Iterator[slice]:
    """Yields slices of rows: floats of a whole picture fill gigabytes."""
    height, width = image.shape[:2]
    band_rows = max(1, _BAND_PIXELS // max(width, 1))
    for start in range(0, height, band_rows):
        yield slice(start, start + band_rows)


def _outline(label_map: np.ndarray) -> np.ndarray:
    """Marks pixels whose right or lower neighbor is of another class."""
    outline = np.zeros(label_map.shape, bool)
    outline[:, :-1] |= label_map[:, :-1] != label_map[:, 1:]
    outline[:-1] |= label_map[:-1] != label_map[1:]
    outline[:, 1:] |= label_map[:, :-1] != label_map[:, 1:]
    outline[1:] |= label_map[:-1] != label_map[1:]
    return outline


def _states(
    keypoints_xy: np.ndarray, confidence: np.ndarray, score_threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Which joints are shown, and which of them as occluded."""
    confidence = np.asarray(confidence)
    if np.issubdtype(confidence.dtype, np.floating):
        is_shown = visibility.are_visible(
            keypoints_xy, confidence, score_threshold
        )
        return is_shown, np.zeros(confidence.shape, bool)
    return confidence != record.ABSENT, confidence == record.OCCLUDED


def _side_color(name: str) -> Color:
    if name.startswith("left_"):
        return LEFT_COLOR
    return RIGHT_COLOR if name.startswith("right_") else CENTER_COLOR


def _limb_color(start: str, end: str) -> Color:
    """A limb that leaves the middle has the color of its side."""
    color = _side_color(end)
    return color if color != CENTER_COLOR else _side_color(start)
