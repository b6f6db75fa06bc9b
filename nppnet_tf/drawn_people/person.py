"""One drawn person: picture, label map and joints, exact by making.

A picture follows from (seed, index) alone, whatever was drawn before it.
Label maps follow LIP's habits: the neck, seats, things in the hand and things
in the way are background, bare feet belong to the leg.
"""

import dataclasses
import math
import random

import numpy as np
from PIL import Image
from PIL import ImageFilter

from nppnet_tf.data import record
from nppnet_tf.drawn_people import canvas as canvas_lib
from nppnet_tf.drawn_people import clothing
from nppnet_tf.drawn_people import figure as figure_lib
from nppnet_tf.drawn_people import person_painter
from nppnet_tf.drawn_people import scenery
from nppnet_tf.drawn_people.canvas import Canvas
from nppnet_tf.drawn_people.figure import Figure
from nppnet_tf.drawn_people.figure import flat
from nppnet_tf.errors import UserError

# LIP's validation pictures: median about 290 x 150, from tens to 650 pixels.
_LIP_MEDIAN_HEIGHT = 290
_LIP_SPREAD = 0.38
_NARROW_SPREAD = 0.16
_SIZE_LIMITS = (48, 650)
_NATURAL_ASPECT = 0.52
_MIN_SIZE = 16
_MAX_SIZE = 4096
_LIGHT_BLUR = 0.009

_LEFT_ARM = canvas_lib.LEFT_ARM
_RIGHT_ARM = canvas_lib.RIGHT_ARM
_LEFT_LEG = canvas_lib.LEFT_LEG
_RIGHT_LEG = canvas_lib.RIGHT_LEG
_BOTH_LEGS = canvas_lib.BOTH_LEGS
_TRUNK = (canvas_lib.TORSO, canvas_lib.BOTH_LEGS)
# What may lie over a joint without hiding it.
_SHOWS = (
    (_RIGHT_LEG, _BOTH_LEGS),
    (_RIGHT_LEG, _BOTH_LEGS),
    (_RIGHT_LEG, *_TRUNK),
    (_LEFT_LEG, *_TRUNK),
    (_LEFT_LEG, _BOTH_LEGS),
    (_LEFT_LEG, _BOTH_LEGS),
    (_LEFT_LEG, _RIGHT_LEG, *_TRUNK),
    (canvas_lib.TORSO, canvas_lib.HEAD),
    (canvas_lib.HEAD, canvas_lib.TORSO),
    (canvas_lib.HEAD,),
    (_RIGHT_ARM,),
    (_RIGHT_ARM,),
    (_RIGHT_ARM, canvas_lib.TORSO, canvas_lib.HEAD),
    (_LEFT_ARM, canvas_lib.TORSO, canvas_lib.HEAD),
    (_LEFT_ARM,),
    (_LEFT_ARM,),
)
_LIMB_GROUP = {
    figure_lib.R_HIP: _RIGHT_LEG,
    figure_lib.L_HIP: _LEFT_LEG,
    figure_lib.R_SHOULDER: _RIGHT_ARM,
    figure_lib.L_SHOULDER: _LEFT_ARM,
}


@dataclasses.dataclass(frozen=True)
class DrawnPerson:
    """One drawn picture with everything known about it.

    Attributes:
        image: Uint8 [H, W, 3], RGB.
        label_map: Uint8 [H, W], LIP's classes 0 to 19.
        keypoints_xy: Float32 [16, 2] in LIP's order, pixels of the picture,
            (0, 0) where absent.
        visibility: Int32 [16], see `data.record`.
        view: "front", "side" or "back".
        pose: One of `figure.POSES`.
    """

    image: np.ndarray
    label_map: np.ndarray
    keypoints_xy: np.ndarray
    visibility: np.ndarray
    view: str
    pose: str


def stream(seed: int, index: int, purpose: str) -> random.Random:
    """Returns the random numbers of one purpose of one picture."""
    # Text seeds are hashed by random.Random the same way everywhere.
    return random.Random(f"nppnet-people/{seed}/{index}/{purpose}")


def extent_of(figure: Figure, outfit: clothing.Outfit) -> np.ndarray:
    """Returns left, top, right and bottom of a person in figure units.

    Args:
        figure: The body in its pose.
        outfit: What it wears.
    """
    girth = figure.body.girth
    head = figure.body.head
    loose = 0.012
    for garment in outfit.garments():
        if garment.label in (clothing.COAT, clothing.PANTS):
            loose = max(loose, garment.looseness)
    center = flat(figure.head_center)
    swell = 0.62 if outfit.hat or outfit.hair == "curly" else 0.54
    boxes = [np.concatenate([center - swell * head, center + swell * head])]
    for arm in figure.arms:
        points = flat(arm.points)
        radius = 0.02 * girth + loose * 0.5
        boxes.append(
            np.concatenate([points.min(0) - radius, points.max(0) + radius])
        )
    for leg in figure.legs:
        points = np.concatenate([flat(leg.points), flat(leg.heel)[None]])
        radius = 0.026 * girth + loose * 0.5
        boxes.append(
            np.concatenate([points.min(0) - radius, points.max(0) + radius])
        )
    hips = flat(figure.joints[[figure_lib.L_HIP, figure_lib.R_HIP]])
    wide = 0.055 * girth + loose
    boxes.append(np.concatenate([hips.min(0) - wide, hips.max(0) + wide]))
    stacked = np.array(boxes)
    return np.concatenate([stacked[:, :2].min(0), stacked[:, 2:].max(0)])


def _crop(figure: Figure, extent: np.ndarray, rng: random.Random) -> np.ndarray:
    """Returns the window of a picture: the person, or a part of it."""
    x0, y0, x1, y1 = extent
    wide, tall = x1 - x0, y1 - y0
    window = np.array(
        [
            x0 - wide * rng.uniform(0.01, 0.12),
            y0 - tall * rng.uniform(0.01, 0.08),
            x1 + wide * rng.uniform(0.01, 0.12),
            y1 + tall * rng.uniform(0.01, 0.07),
        ]
    )
    draw = rng.random()
    joints = flat(figure.joints)
    hips = joints[figure_lib.PELVIS, 1]
    knees = joints[[figure_lib.L_KNEE, figure_lib.R_KNEE], 1].mean()
    if draw < 0.11 and knees > hips:
        window[3] = knees + rng.uniform(-0.06, 0.12)
    elif draw < 0.24:
        window[3] = hips + rng.uniform(-0.06, 0.14)
    elif draw < 0.27:
        window[3] = joints[figure_lib.THORAX, 1] + rng.uniform(0.12, 0.24)
    elif draw < 0.30:
        window[1] = joints[figure_lib.UPPER_NECK, 1] + rng.uniform(-0.08, 0.1)
    elif draw < 0.38:
        side = 0 if rng.random() < 0.5 else 2
        share = rng.uniform(0.08, 0.35) * (1 if side == 0 else -1)
        window[side] += wide * share
    window[3] = max(window[3], window[1] + 0.22)
    window[2] = max(window[2], window[0] + 0.12)
    return window


def _size_for(
    window: np.ndarray,
    median_size: tuple[int, int] | None,
    rng: random.Random,
) -> tuple[int, int]:
    """Draws a picture size that suits a window."""
    height, stretch, spread = _LIP_MEDIAN_HEIGHT, 1.0, _LIP_SPREAD
    if median_size is not None:
        height = median_size[0]
        stretch = median_size[1] / median_size[0] / _NATURAL_ASPECT
        spread = _NARROW_SPREAD
    aspect = (window[2] - window[0]) / (window[3] - window[1])
    height = height * math.exp(rng.gauss(0, spread))
    # Wide windows (a sitting person, a bust) make lower pictures.
    height = height * (_NATURAL_ASPECT / aspect) ** 0.35
    width = height * min(max(aspect * stretch, 0.22), 2.2)
    low, high = _SIZE_LIMITS
    if median_size is not None:
        low, high = _MIN_SIZE, _MAX_SIZE
    return (
        int(min(max(round(height), low), high)),
        int(min(max(round(width), low), high)),
    )


def _fit(
    window: np.ndarray, size: tuple[int, int], rng: random.Random
) -> tuple[tuple[float, float], float]:
    """Returns corner and scale that show a whole window in a picture."""
    height, width = size
    wide, tall = window[2] - window[0], window[3] - window[1]
    scale = min(width / wide, height / tall)
    spare_x, spare_y = width / scale - wide, height / scale - tall
    share = 0.5 + rng.uniform(-0.3, 0.3)
    # Spare height goes above: a cut lower border stays a cut.
    return (
        float(window[0] - spare_x * share),
        float(window[1] - spare_y * rng.uniform(0.75, 1.0)),
    ), float(scale)


def check_size(size: tuple[int, int], where: str) -> None:
    """Refuses a size that is not drawn.

    Args:
        size: (height, width) in pixels.
        where: Name of the argument.

    Raises:
        UserError: A side is out of range.
    """
    good = len(size) == 2 and all(
        _MIN_SIZE <= int(value) <= _MAX_SIZE for value in size
    )
    if not good:
        raise UserError(
            "The size of a picture is out of range",
            where,
            f"height and width of {_MIN_SIZE} to {_MAX_SIZE} pixels",
            size,
        )


def draw_person(
    seed: int,
    index: int,
    height_width: tuple[int, int] | None = None,
    median_size: tuple[int, int] | None = None,
) -> DrawnPerson:
    """Draws one person; the same arguments give the same bytes.

    Args:
        seed: Names a whole set of pictures.
        index: Number of the picture in the set, 0 or more.
        height_width: Size of the picture in pixels; None draws a size.
        median_size: Median of the drawn (height, width); None means LIP's.

    Raises:
        UserError: A size is out of range.
    """
    if height_width is not None:
        check_size(height_width, "height_width")
    if median_size is not None:
        check_size(median_size, "median_size")
    shape = stream(seed, index, "shape")
    body = figure_lib.sample_body(shape)
    figure = Figure(body, figure_lib.sample_pose(shape))
    outfit = clothing.sample_outfit(
        stream(seed, index, "clothes"), body.feminine, body.child
    )
    framing = stream(seed, index, "framing")
    extent = extent_of(figure, outfit)
    window = _crop(figure, extent, framing)
    drawn_size = _size_for(window, median_size, framing)
    size = tuple(height_width) if height_width is not None else drawn_size
    origin, scale = _fit(window, size, framing)
    return draw_figure(
        Scene(size, origin, scale, _light(framing), seed, index),
        figure,
        outfit,
        extent,
    )


@dataclasses.dataclass(frozen=True)
class Scene:
    """Where a person is drawn, and how it is seen.

    Attributes:
        size: (height, width) of the picture in pixels.
        origin: Left and top of the picture in figure units.
        scale: Pixels of a figure unit.
        light: Direction of the light.
        seed, index: Where everything else comes from, as of `draw_person`.
    """

    size: tuple[int, int]
    origin: tuple[float, float]
    scale: float
    light: tuple[float, float, float]
    seed: int
    index: int


def draw_figure(
    scene: Scene,
    figure: Figure,
    outfit: clothing.Outfit,
    extent: np.ndarray,
) -> DrawnPerson:
    """Draws a person in a pose.

    Args:
        scene: Where and how.
        figure: The body in its pose.
        outfit: What it wears.
        extent: Left, top, right and bottom of the person in figure units.
    """
    canvas = Canvas(scene.size, scene.origin, scene.scale, scene.light)
    _paint(canvas, figure, outfit, scene.seed, scene.index)
    label_map, groups = canvas.maps()
    keypoints_xy, visibility = _keypoints(canvas, figure, groups)
    return DrawnPerson(
        _render(canvas, figure, extent, scene.seed, scene.index),
        label_map,
        keypoints_xy,
        visibility,
        figure.pose.view,
        figure.pose.name,
    )


def _light(rng: random.Random) -> tuple[float, float, float]:
    angle = rng.uniform(-math.pi, 0.0)
    strength = rng.uniform(0.35, 1.0)
    return (
        math.cos(angle) * strength,
        math.sin(angle) * strength * 0.8,
        rng.uniform(0.5, 0.95),
    )


def _paint(
    canvas: Canvas,
    figure: Figure,
    outfit: clothing.Outfit,
    seed: int,
    index: int,
) -> None:
    """Paints seat, person, held thing and obstacle, in this order."""
    scenery.paint_seat(canvas, figure, stream(seed, index, "seat"), True)
    person_painter.paint_person(
        canvas, figure, outfit, stream(seed, index, "folds")
    )
    scenery.paint_seat(canvas, figure, stream(seed, index, "seat"), False)
    things = stream(seed, index, "things")
    if things.random() < 0.16:
        scenery.paint_held(canvas, figure, things)
    if things.random() < 0.15:
        height, width = canvas.size
        corner = canvas.origin
        far = corner + np.array([width, height]) / canvas.scale
        scenery.paint_obstacle(canvas, (*corner, *far), things)


def _keypoints(
    canvas: Canvas, figure: Figure, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the joints in pixels and what can be seen of them."""
    height, width = canvas.size
    points = canvas.to_pixels(flat(figure.joints)).astype(np.float32)
    visibility = np.full(figure_lib.NUM_JOINTS, record.VISIBLE, np.int32)
    middle = figure.joints[figure_lib.PELVIS, 2]
    chest = figure.joints[figure_lib.THORAX, 2]
    for joint, (x, y) in enumerate(points):
        # Pixel 0 counts as outside: LIP has no coordinate 0, and readers of
        # its files take (0, 0) for an absent joint.
        if not (0.5 <= x <= width - 1 and 0.5 <= y <= height - 1):
            points[joint] = 0.0
            visibility[joint] = record.ABSENT
            continue
        group = groups[round(float(y)), round(float(x))]
        shown = group in _SHOWS[joint]
        limb = _LIMB_GROUP.get(joint)
        if limb is not None and group != limb:
            is_hip = joint in (figure_lib.L_HIP, figure_lib.R_HIP)
            depth = figure.joints[joint, 2] - (middle if is_hip else chest)
            shown = shown and depth > (-0.042 if is_hip else -0.07)
        if not shown:
            visibility[joint] = record.OCCLUDED
    return points, visibility


def _render(
    canvas: Canvas,
    figure: Figure,
    extent: np.ndarray,
    seed: int,
    index: int,
) -> np.ndarray:
    """Returns the finished picture, uint8 [H, W, 3]."""
    height, width = canvas.size
    rng = stream(seed, index, "scene")
    # Where floor and wall meet: behind the shins of a standing person.
    level = extent[3] - rng.uniform(0.03, 0.32)
    horizon = (level - canvas.origin[1]) * canvas.scale
    background = scenery.draw_background((height, width), horizon, rng)
    background = _shadow_on_floor(background, canvas, extent, rng)
    offset = (rng.randrange(512), rng.randrange(512))
    picture = canvas.compose(background, _LIGHT_BLUR, offset)
    return _photograph(picture, stream(seed, index, "camera"))


def _shadow_on_floor(
    background: np.ndarray,
    canvas: Canvas,
    extent: np.ndarray,
    rng: random.Random,
) -> np.ndarray:
    """Returns the background with a soft shadow under the feet."""
    height, width = canvas.size
    bottom = (extent[3] - 0.03 - canvas.origin[1]) * canvas.scale
    if bottom > height * 1.1:
        return background
    middle = ((extent[0] + extent[2]) / 2 - canvas.origin[0]) * canvas.scale
    middle -= canvas.light[0] * 0.1 * canvas.scale
    half = (extent[2] - extent[0]) / 2 * canvas.scale * rng.uniform(0.6, 0.9)
    top = max(int(bottom - 0.12 * canvas.scale), 0)
    rows = (np.arange(top, height, dtype=np.float32) - bottom) / (
        0.035 * canvas.scale
    )
    columns = (np.arange(width, dtype=np.float32) - middle) / half
    distance = rows[:, None] ** 2 + columns[None, :] ** 2
    strength = np.float32(rng.uniform(0.2, 0.55))
    factor = 1 - strength * np.exp(-distance)
    result = background.astype(np.float32)
    result[top:] *= factor[:, :, None]
    return result


def _photograph(picture: np.ndarray, rng: random.Random) -> np.ndarray:
    """Applies exposure, color cast, vignette, blur, noise and grayness."""
    height, width = picture.shape[:2]
    exposure = math.exp(rng.gauss(0.0, 0.12))
    warmth = rng.gauss(0, 0.05)
    gains = np.array([1 + warmth, 1.0, 1 - warmth], np.float32) * exposure
    contrast = np.float32(min(max(rng.gauss(1.0, 0.1), 0.75), 1.25))
    picture = (picture * gains - 118) * contrast + 118
    if rng.random() < 0.4:
        x = np.linspace(-1, 1, width, dtype=np.float32)
        y = np.linspace(-1, 1, height, dtype=np.float32)
        strength = np.float32(rng.uniform(0.05, 0.25))
        falloff = 1 - strength * (y[:, None] ** 2 + x[None, :] ** 2) / 2
        picture = picture * falloff[:, :, None]
    if rng.random() < 0.3:
        radius = rng.uniform(0.3, 0.9) * math.sqrt(height * width) / 220
        image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
        blurred = image.filter(ImageFilter.GaussianBlur(radius))
        picture = np.asarray(blurred, np.float32)
    grain = abs(rng.gauss(0, 3))
    offset = (rng.randrange(512), rng.randrange(512))
    noise = canvas_lib.noise_patch((height, width), 0, offset)
    other = canvas_lib.noise_patch((height, width), 2, offset[::-1])
    colored = np.float32(grain) * noise[:, :, None] + np.float32(
        0.5 * grain
    ) * other[:, :, None] * np.array([1.0, -0.4, -0.6], np.float32)
    picture = picture + colored
    if rng.random() < 0.025:
        gray = picture @ np.array([0.299, 0.587, 0.114], np.float32)
        picture = np.repeat(gray[:, :, None], 3, axis=2)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
