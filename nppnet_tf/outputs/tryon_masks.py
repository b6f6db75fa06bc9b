"""What a garment that is tried on may cover: masks of three kinds.

A mask holds the garments that go and the limbs that another one could cover,
with a margin, and never what stays whatever is worn: head, hands, shoes. Where
the limbs are is taken from the joints that were found as well as from the
parts: a sleeve hides an arm of which the parts know nothing.
"""

import dataclasses

import numpy as np
from PIL import Image
from PIL import ImageDraw

from nppnet_tf.data.descriptors import LIP

UPPER_BODY = "upper_body"
LOWER_BODY = "lower_body"
DRESSES = "dresses"

_HEAD = ("Hat", "Hair", "Sunglasses", "Face")
_SHOES = ("Left-shoe", "Right-shoe")
_ARMS = ("Left-arm", "Right-arm")
_LEGS = ("Left-leg", "Right-leg")
_ABOVE = ("Upper-clothes", "Coat", "Scarf")
_BELOW = ("Pants", "Skirt", "Socks")
_WHOLE = ("Dress", "Jumpsuits")

_ARM_LINES = (
    ("right_shoulder", "right_elbow", "right_wrist"),
    ("left_shoulder", "left_elbow", "left_wrist"),
)
_LEG_LINES = (
    ("right_hip", "right_knee", "right_ankle"),
    ("left_hip", "left_knee", "left_ankle"),
)
_TRUNK = ("right_shoulder", "left_shoulder", "left_hip", "right_hip")
_WRISTS = ("right_wrist", "left_wrist")
_NECK = ("upper_neck", "thorax")

# Of the height of the person in the picture.
_MARGIN = 0.015
_ARM_WIDTH = 0.055
_LEG_WIDTH = 0.085
_HAND = 0.05


@dataclasses.dataclass(frozen=True)
class _Kind:
    """What goes, what stays, and along which joints."""

    goes: tuple[str, ...]
    stays: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    width: float
    has_trunk: bool


_KINDS = {
    UPPER_BODY: _Kind(
        (*_ABOVE, *_WHOLE, *_ARMS),
        (*_HEAD, *_SHOES, *_BELOW, *_LEGS, "Glove"),
        _ARM_LINES,
        _ARM_WIDTH,
        True,
    ),
    LOWER_BODY: _Kind(
        (*_BELOW, *_WHOLE, *_LEGS),
        (*_HEAD, *_SHOES, *_ABOVE, *_ARMS, "Glove"),
        _LEG_LINES,
        _LEG_WIDTH,
        False,
    ),
    DRESSES: _Kind(
        (*_ABOVE, *_BELOW, *_WHOLE, *_ARMS, *_LEGS),
        (*_HEAD, *_SHOES, "Glove"),
        (*_ARM_LINES, *_LEG_LINES),
        _ARM_WIDTH,
        True,
    ),
}
KINDS = tuple(_KINDS)


def agnostic_mask(
    label_map: np.ndarray,
    joints: dict[str, tuple[float, float]],
    kind: str,
) -> np.ndarray:
    """Returns where a garment of a kind may be.

    Args:
        label_map: Uint8 [H, W], LIP's classes of one person.
        joints: Places in pixels of the joints that were found, by name.
        kind: One of `KINDS`.

    Returns:
        Bool [H, W]; nothing where the picture shows no person.
    """
    # Here: its import takes longer than all that flags are checked by.
    from scipy import ndimage

    rows = np.flatnonzero((label_map > 0).any(axis=1))
    if not rows.size:
        return np.zeros(label_map.shape, bool)
    unit = float(rows[-1] - rows[0] + 1)
    rule = _KINDS[kind]
    mask = _is_of(label_map, rule.goes)
    margin = max(1, round(_MARGIN * unit))
    mask = ndimage.binary_dilation(mask, iterations=margin)
    mask |= _limbs(label_map.shape, joints, rule, unit)
    mask = ndimage.binary_fill_holes(mask)
    stays = _is_of(label_map, rule.stays)
    if UPPER_BODY == kind or DRESSES == kind:
        stays |= _is_of(label_map, _ARMS) & _hands(
            label_map.shape, joints, unit
        )
    return mask & ~stays


def _is_of(label_map: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    return np.isin(label_map, LIP.class_indices(classes))


def _limbs(
    size: tuple[int, int],
    joints: dict[str, tuple[float, float]],
    rule: _Kind,
    unit: float,
) -> np.ndarray:
    """Strokes along the limbs, and what lies between shoulders and hips."""
    image = Image.new("1", size[::-1])
    draw = ImageDraw.Draw(image)
    width = max(1, round(rule.width * unit))
    for line in rule.lines:
        _stroke(draw, [joints.get(name) for name in line], width)
    if rule.has_trunk:
        corners = [joints.get(name) for name in _TRUNK]
        if all(corners):
            draw.polygon(corners, fill=1)
        _stroke(draw, [joints.get(name) for name in _NECK], width)
    return np.array(image)


def _stroke(
    draw: ImageDraw.ImageDraw,
    points: list[tuple[float, float] | None],
    width: int,
) -> None:
    radius = width / 2
    for start, end in zip(points, points[1:], strict=False):
        if start is not None and end is not None:
            draw.line([start, end], fill=1, width=width)
    for point in filter(None, points):
        x, y = point
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)


def _hands(
    size: tuple[int, int],
    joints: dict[str, tuple[float, float]],
    unit: float,
) -> np.ndarray:
    """Discs beyond the wrists, in the direction of the forearm."""
    image = Image.new("1", size[::-1])
    draw = ImageDraw.Draw(image)
    for wrist_name in _WRISTS:
        elbow = joints.get(wrist_name.replace("wrist", "elbow"))
        wrist = joints.get(wrist_name)
        if wrist is None or elbow is None:
            continue
        away = np.subtract(wrist, elbow)
        length = max(float(np.hypot(*away)), 1e-6)
        radius = _HAND * unit
        x, y = np.array(wrist) + away / length * radius
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    return np.array(image)
