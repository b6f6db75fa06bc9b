"""Backgrounds, furniture, things in the hand and things in the way."""

import math
import random

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFilter

from nppnet_tf.drawn_people import canvas as canvas_lib
from nppnet_tf.drawn_people import clothing
from nppnet_tf.drawn_people.canvas import Canvas
from nppnet_tf.drawn_people.canvas import Color
from nppnet_tf.drawn_people.canvas import noise_patch
from nppnet_tf.drawn_people.clothing import jitter
from nppnet_tf.drawn_people.clothing import scaled
from nppnet_tf.drawn_people.figure import Figure
from nppnet_tf.drawn_people.figure import flat

_WALLS = (
    (214, 206, 190),
    (186, 194, 198),
    (228, 224, 216),
    (168, 150, 130),
    (142, 158, 150),
    (118, 124, 136),
    (196, 178, 170),
    (90, 84, 84),
)
_FLOORS = (
    (140, 104, 72),
    (168, 140, 108),
    (120, 116, 112),
    (92, 78, 66),
    (176, 168, 158),
)
_GROUNDS = (
    (112, 136, 72),
    (94, 112, 62),
    (148, 144, 138),
    (176, 160, 128),
    (110, 108, 106),
    (208, 196, 168),
    (226, 230, 236),
    (168, 92, 62),
)
_SKIES = (
    ((110, 160, 220), (206, 224, 240)),
    ((170, 184, 200), (222, 226, 228)),
    ((90, 120, 176), (240, 206, 170)),
    ((130, 150, 170), (190, 200, 206)),
)
_GREENS = ((58, 88, 42), (78, 108, 54), (44, 66, 40), (104, 120, 62))
_OBJECTS = (
    (132, 88, 54),
    (70, 72, 78),
    (196, 62, 52),
    (52, 98, 150),
    (222, 218, 208),
    (66, 118, 84),
    (228, 178, 62),
    (40, 40, 46),
)
SCENES = ("room", "street", "nature", "studio", "blurred")
_SCENE_WEIGHTS = (30, 24, 26, 8, 12)


def _gradient(size: tuple[int, int], top: Color, bottom: Color) -> Image.Image:
    rows = np.linspace(0, 1, 16, dtype=np.float32)[:, None, None]
    column = np.array(top, np.float32) * (1 - rows) + rows * np.array(
        bottom, np.float32
    )
    small = Image.fromarray(column.astype(np.uint8))
    return small.resize((size[1], size[0]), Image.Resampling.BILINEAR)


class _Scene:
    """A background in the making, in pixels at half the picture's size."""

    def __init__(
        self, size: tuple[int, int], horizon: float, rng: random.Random
    ) -> None:
        self.size = size
        self.horizon = horizon
        self.rng = rng
        self.image = Image.new("RGB", (size[1], size[0]))
        self.draw = ImageDraw.Draw(self.image)

    def use(self, image: Image.Image, corner: tuple[int, int]) -> None:
        self.image.paste(image, corner)

    def ground(self, color: Color) -> None:
        height, width = self.size
        top = min(max(int(self.horizon), 0), height - 1)
        image = _gradient(
            (height - top, width), scaled(color, 0.9), scaled(color, 1.08)
        )
        self.use(image, (0, top))

    def box(
        self, x0: float, y0: float, x1: float, y1: float, color: Color
    ) -> None:
        self.draw.rectangle(
            [min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)], fill=color
        )


def _draw_room(scene: _Scene) -> None:
    rng, (height, width) = scene.rng, scene.size
    wall = jitter(rng, rng.choice(_WALLS))
    scene.use(
        _gradient(scene.size, scaled(wall, 1.05), scaled(wall, 0.86)), (0, 0)
    )
    if rng.random() < 0.3:
        step = width / rng.uniform(5, 14)
        for index in range(int(width / step) + 1):
            scene.box(
                index * step, 0, index * step + step * 0.4, height,
                scaled(wall, 0.93),
            )  # fmt: skip
    floor = jitter(rng, rng.choice(_FLOORS))
    scene.ground(floor)
    line = scene.horizon
    scene.box(0, line - height * 0.02, width, line, scaled(wall, 0.6))
    if rng.random() < 0.6:
        for index in range(-6, 14):
            scene.draw.line(
                [(width * index / 8, line),
                 (width * (0.5 + (index / 8 - 0.5) * 2.4), height)],
                fill=scaled(floor, 0.8),
            )  # fmt: skip
    for _ in range(rng.randrange(1, 5)):
        _draw_furniture(scene)


def _draw_furniture(scene: _Scene) -> None:
    rng, (height, width) = scene.rng, scene.size
    x = rng.uniform(-0.2, 1.0) * width
    color = jitter(rng, rng.choice(_OBJECTS))
    kind = rng.choice(("window", "frame", "shelf", "cabinet", "lamp", "door"))
    line = scene.horizon
    if kind in ("window", "frame"):
        wide = rng.uniform(0.15, 0.4) * width
        tall = rng.uniform(0.12, 0.35) * height
        y = rng.uniform(0.02, 0.35) * height
        scene.box(x, y, x + wide, y + tall, scaled(color, 1.1))
        inner = rng.choice(_SKIES)[1] if kind == "window" else color
        edge = max(1.0, wide * 0.07)
        scene.box(x + edge, y + edge, x + wide - edge, y + tall - edge,
                  jitter(rng, inner, 25))  # fmt: skip
        if kind == "window":
            scene.box(x + wide / 2 - edge / 2, y, x + wide / 2 + edge / 2,
                      y + tall, scaled(color, 1.1))  # fmt: skip
    elif kind == "shelf":
        wide = rng.uniform(0.25, 0.5) * width
        for row in range(rng.randrange(2, 5)):
            y = line - height * (0.12 + 0.15 * row)
            scene.box(x, y, x + wide, y + height * 0.015, scaled(color, 0.7))
            place = x
            while place < x + wide:
                step = rng.uniform(0.015, 0.05) * width + 1
                tall = rng.uniform(0.05, 0.11) * height
                scene.box(place, y - tall, place + step * 0.9, y,
                          jitter(rng, rng.choice(_OBJECTS), 25))  # fmt: skip
                place += step
    elif kind == "lamp":
        scene.box(x, height * 0.3, x + width * 0.015, line, (60, 56, 52))
        w = width * 0.08
        scene.draw.polygon(
            [(x - w, height * 0.32), (x + w, height * 0.32),
             (x + w * 0.6, height * 0.2), (x - w * 0.6, height * 0.2)],
            fill=(240, 224, 176),
        )  # fmt: skip
    else:
        wide = rng.uniform(0.2, 0.45) * width
        tall = rng.uniform(0.6, 0.75) if kind == "door" else 0.3
        scene.box(x, line - tall * height, x + wide, line + 2, color)
        scene.box(x + wide * 0.08, line - tall * height * 0.93,
                  x + wide * 0.92, line - tall * height * 0.5,
                  scaled(color, 0.88))  # fmt: skip
        scene.box(x + wide * 0.08, line - tall * height * 0.45,
                  x + wide * 0.92, line - 2, scaled(color, 0.88))  # fmt: skip


def _draw_sky(scene: _Scene) -> None:
    top, bottom = scene.rng.choice(_SKIES)
    shift = scene.rng.uniform(0.75, 1.05)
    scene.use(
        _gradient(scene.size, scaled(top, shift), scaled(bottom, shift)),
        (0, 0),
    )


def _draw_street(scene: _Scene) -> None:
    rng, (height, width) = scene.rng, scene.size
    _draw_sky(scene)
    line = scene.horizon
    x = -rng.uniform(0, 0.3) * width
    while x < width:
        wide = rng.uniform(0.2, 0.6) * width
        top = line - rng.uniform(0.3, 1.0) * height
        color = jitter(rng, rng.choice(_WALLS), 20)
        scene.box(x, top, x + wide, line, color)
        glass = jitter(rng, (90, 104, 120), 25)
        column = max(wide / rng.randrange(3, 7), 3)
        row = max(height * rng.uniform(0.07, 0.13), 3)
        y = top + row * 0.4
        while y < line - row:
            place = x + column * 0.3
            while place < x + wide - column * 0.4:
                scene.box(place, y, place + column * 0.5, y + row * 0.55,
                          scaled(glass, rng.uniform(0.8, 1.25)))  # fmt: skip
                place += column
            y += row
        x += wide
    scene.ground(jitter(rng, rng.choice(_GROUNDS[2:6]), 15))
    if rng.random() < 0.5:
        for _ in range(rng.randrange(1, 3)):
            _draw_car(scene)
    if rng.random() < 0.5:
        _draw_tree(scene)


def _draw_car(scene: _Scene) -> None:
    rng, (height, width) = scene.rng, scene.size
    color = jitter(rng, rng.choice(_OBJECTS), 20)
    x, wide = rng.uniform(-0.3, 0.8) * width, rng.uniform(0.4, 0.8) * width
    tall = wide * 0.22
    base = scene.horizon + height * 0.04
    scene.draw.polygon(
        [(x + wide * 0.2, base - tall), (x + wide * 0.32, base - tall * 1.8),
         (x + wide * 0.7, base - tall * 1.8), (x + wide * 0.85, base - tall)],
        fill=(70, 82, 92),
    )  # fmt: skip
    scene.box(x, base - tall, x + wide, base, color)
    for share in (0.2, 0.78):
        center, radius = x + wide * share, tall * 0.4
        scene.draw.ellipse(
            [center - radius, base - radius, center + radius, base + radius],
            fill=(30, 30, 32),
        )


def _draw_tree(scene: _Scene) -> None:
    rng, (height, width) = scene.rng, scene.size
    x = rng.uniform(0, 1) * width
    trunk = rng.uniform(0.02, 0.06) * width
    base = scene.horizon + rng.uniform(0, 0.08) * height
    scene.box(x - trunk, base - height * 0.55, x + trunk, base, (82, 62, 46))
    green = jitter(rng, rng.choice(_GREENS), 15)
    for _ in range(14):
        radius = rng.uniform(0.06, 0.16) * width
        cx = x + rng.gauss(0, 0.13) * width
        cy = base - height * rng.uniform(0.35, 0.85)
        scene.draw.ellipse(
            [cx - radius, cy - radius, cx + radius, cy + radius],
            fill=scaled(green, rng.uniform(0.75, 1.3)),
        )


def _draw_nature(scene: _Scene) -> None:
    rng, (height, width) = scene.rng, scene.size
    _draw_sky(scene)
    line = scene.horizon
    for depth in range(rng.randrange(1, 4)):
        green = jitter(rng, rng.choice(_GREENS), 20)
        top = line - height * rng.uniform(0.03, 0.22)
        points = [(0.0, line)]
        for index in range(9):
            points.append(
                (width * index / 8, top + rng.gauss(0, 0.03) * height)
            )
        scene.draw.polygon(
            [*points, (width, line)], fill=scaled(green, 1.3 - 0.2 * depth)
        )
    scene.ground(jitter(rng, rng.choice(_GROUNDS), 15))
    for _ in range(rng.randrange(0, 4)):
        _draw_tree(scene)
    for _ in range(rng.randrange(0, 14)):
        y = rng.uniform(line, height)
        x, wide = rng.uniform(0, width), rng.uniform(0.01, 0.09) * width
        pixel = scene.image.getpixel(
            (min(int(x), width - 1), min(max(int(y), 0), height - 1))
        )
        scene.draw.ellipse(
            [x - wide, y - wide * 0.3, x + wide, y + wide * 0.3],
            fill=scaled(pixel, rng.uniform(0.8, 1.15)),
        )
    if rng.random() < 0.25:
        color = jitter(rng, (150, 140, 126), 25)
        for index in range(int(width / 6) + 1):
            scene.box(index * 6, line - height * 0.12, index * 6 + 2,
                      line + 2, color)  # fmt: skip
        scene.box(0, line - height * 0.10, width, line - height * 0.085, color)


def _draw_studio(scene: _Scene) -> None:
    color = jitter(scene.rng, scene.rng.choice(_WALLS), 25)
    scene.use(
        _gradient(scene.size, scaled(color, 0.8), scaled(color, 1.12)), (0, 0)
    )


def _draw_blurred(scene: _Scene) -> None:
    """Draws a crowd of unclear shapes, people's among them."""
    rng, (height, width) = scene.rng, scene.size
    base = jitter(rng, rng.choice(_WALLS + _GROUNDS), 25)
    scene.use(
        _gradient(scene.size, scaled(base, 0.8), scaled(base, 1.1)), (0, 0)
    )
    for _ in range(rng.randrange(6, 18)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        wide = rng.uniform(0.04, 0.25) * width
        tall = rng.uniform(0.04, 0.25) * height
        color = jitter(rng, rng.choice(_OBJECTS + _WALLS), 30)
        if rng.random() < 0.5:
            scene.box(x, y, x + wide, y + tall, color)
        else:
            scene.draw.ellipse([x, y, x + wide, y + wide], fill=color)
    for _ in range(rng.randrange(0, 4)):
        _draw_bystander(scene)


def _draw_bystander(scene: _Scene) -> None:
    """Draws a far and unclear person, which is background in LIP too."""
    rng, (height, width) = scene.rng, scene.size
    x = rng.uniform(0, 1) * width
    tall = rng.uniform(0.3, 0.6) * height
    # On the ground, somewhere behind the person.
    top = scene.horizon + rng.uniform(0.01, 0.12) * height - tall
    shirt = jitter(rng, rng.choice(_OBJECTS), 30)
    half = tall * 0.10
    trousers = jitter(rng, (50, 54, 70), 20)
    for side in (-1, 1):
        hip = x + side * half * 0.45
        foot = x + side * half * rng.uniform(0.4, 1.1)
        scene.draw.line(
            [(hip, top + tall * 0.5), (foot, top + tall)],
            fill=trousers,
            width=max(1, int(half * 0.8)),
        )
        scene.draw.line(
            [(x + side * half * 0.8, top + tall * 0.22),
             (x + side * half * rng.uniform(0.9, 1.7), top + tall * 0.52)],
            fill=scaled(shirt, 0.9),
            width=max(1, int(half * 0.5)),
        )  # fmt: skip
    scene.draw.polygon(
        [(x - half * 0.5, top + tall * 0.15),
         (x + half * 0.5, top + tall * 0.15),
         (x + half, top + tall * 0.21), (x + half * 0.8, top + tall * 0.55),
         (x - half * 0.8, top + tall * 0.55), (x - half, top + tall * 0.21)],
        fill=shirt,
    )  # fmt: skip
    radius = tall * 0.055
    skin = jitter(rng, (180, 140, 112), 30)
    scene.draw.ellipse(
        [x - radius, top, x + radius, top + radius * 2.6], fill=skin
    )
    scene.draw.ellipse(
        [x - radius, top - radius * 0.1, x + radius, top + radius * 1.2],
        fill=(60, 46, 38),
    )


_DRAWERS = {
    "room": _draw_room,
    "street": _draw_street,
    "nature": _draw_nature,
    "studio": _draw_studio,
    "blurred": _draw_blurred,
}


def draw_background(
    size: tuple[int, int], horizon: float, rng: random.Random
) -> np.ndarray:
    """Draws the scene behind a person.

    Args:
        size: (height, width) in pixels.
        horizon: Row at which wall and floor, or land and sky, meet.
        rng: Source of every draw.

    Returns:
        Uint8 [height, width, 3].
    """
    # Backgrounds are out of focus: half the size is enough.
    half = ((size[0] + 1) // 2 + 1, (size[1] + 1) // 2 + 1)
    name = rng.choices(SCENES, _SCENE_WEIGHTS)[0]
    scene = _Scene(half, horizon / 2, rng)
    _DRAWERS[name](scene)
    if name != "studio" and rng.random() < 0.2:
        for _ in range(rng.randrange(1, 3)):
            _draw_bystander(scene)
    blur = half[0] / 128 * rng.choice((0.4, 0.8, 1.4, 2.5))
    if name == "blurred":
        blur = half[0] / 128 * rng.uniform(3, 7)
    image = scene.image.filter(ImageFilter.GaussianBlur(blur))
    image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    texture = noise_patch(
        size, rng.choice((0, 2, 5)), (rng.randrange(512), rng.randrange(512))
    )
    pixels = np.asarray(image, np.float32)
    pixels = (
        pixels * (1 + texture * np.float32(rng.uniform(0.0, 0.025)))[:, :, None]
    )
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _object_part(canvas: Canvas, color: Color) -> int:
    return canvas.part(clothing.BACKGROUND, canvas_lib.OBJECT, color)


def _box(
    canvas: Canvas, x0: float, y0: float, x1: float, y1: float, part: int
) -> None:
    left = np.array([[x0, y0], [x0, (y0 + y1) / 2], [x0, y1]])
    canvas.band(left, left + np.array([x1 - x0, 0.0]), part, (-0.4, 0.4))


def paint_seat(
    canvas: Canvas, figure: Figure, rng: random.Random, before: bool
) -> None:
    """Paints what a sitting person sits on.

    Args:
        canvas: What is painted on.
        figure: The person.
        rng: Source of colors; the same for both calls.
        before: True paints what is behind the person, False what is before
            it: the back of a chair that is seen from behind.
    """
    if figure.pose.name != "sitting":
        return
    color = jitter(rng, rng.choice(_OBJECTS), 20)
    kind = rng.choice(("chair", "bench", "box"))
    wide = rng.uniform(0.13, 0.17) if kind == "chair" else 0.3
    seat = 0.062 * figure.body.girth
    facing = float(figure.pelvis_frame[2, 2])
    base = flat(figure.pelvis_frame[:, 2]) * 0.05
    floor = max(flat(leg.points[2])[1] for leg in figure.legs) + 0.02
    part = _object_part(canvas, color)
    dark = _object_part(canvas, scaled(color, 0.66))
    x, y = float(base[0]), float(base[1]) + seat
    behind = flat(-figure.pelvis_frame[:, 2])
    if before:
        _box(canvas, x - wide, y + 0.03, x + wide, floor, dark)
        _box(canvas, x - wide, y, x + wide, y + 0.045, part)
    if kind != "chair" or (facing < -0.3) == before:
        return
    # The back of the chair stands behind the person's back.
    shift = float(behind[0]) * 0.16
    half = 0.02 + 0.11 * abs(facing)
    _box(canvas, x + shift - half, y - rng.uniform(0.26, 0.34),
         x + shift + half, y + 0.03, part)  # fmt: skip


def paint_held(canvas: Canvas, figure: Figure, rng: random.Random) -> None:
    """Paints a thing in one hand: it hides what is behind it."""
    arm = rng.choice(figure.arms)
    hand = flat(arm.points[2] * 0.45 + arm.points[3] * 0.55)
    color = jitter(rng, rng.choice(_OBJECTS), 25)
    part = _object_part(canvas, color)
    dark = _object_part(canvas, scaled(color, 0.6))
    x, y = float(hand[0]), float(hand[1])
    hanging = arm.points[2, 1] < arm.points[0, 1] - 0.15
    if hanging and rng.random() < 0.7:
        wide, tall = rng.uniform(0.05, 0.10), rng.uniform(0.09, 0.16)
        strap = np.array([[x, y], [x - wide * 0.5, y + 0.06]])
        for side in (-1, 1):
            strap[1, 0] = x + side * wide * 0.5
            canvas.band(strap - [0.004, 0], strap + [0.004, 0], dark)
        _box(canvas, x - wide, y + 0.055, x + wide, y + 0.055 + tall, part)
        return
    kind = rng.choice(("ball", "phone", "racket", "cup"))
    if kind == "ball":
        radius = rng.uniform(0.035, 0.07)
        canvas.disc((x, y), radius, part)
        canvas.tone_disc((x, y), radius, 116)
        canvas.tone_disc((x - radius * 0.2, y - radius * 0.3), radius / 2, 150)
    elif kind == "racket":
        angle = rng.uniform(-0.8, 0.8)
        axis = np.array([math.sin(angle), -math.cos(angle)])
        aside = np.array([axis[1], -axis[0]]) * 0.006
        start, end = hand - axis * 0.02, hand + axis * 0.13
        ends = np.stack([start, end])
        canvas.band(ends - aside, ends + aside, dark)
        head = end + axis * 0.075
        turns = np.linspace(0, 2 * math.pi, 20)
        ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
        points = head + ring * np.array([0.058, 0.075])
        for first, last in zip(points[:-1], points[1:], strict=True):
            piece = np.stack([first, last])
            normal = (piece.mean(axis=0) - head) * 0.09
            canvas.band(piece - normal, piece + normal, part)
    elif kind == "cup":
        left = np.array([[x - 0.018, y - 0.035], [x - 0.014, y + 0.025]])
        right = np.array([[x + 0.018, y - 0.035], [x + 0.014, y + 0.025]])
        canvas.band(left, right, part)
    else:
        _box(canvas, x - 0.017, y - 0.035, x + 0.017, y + 0.03, dark)


def paint_obstacle(
    canvas: Canvas,
    window: tuple[float, float, float, float],
    rng: random.Random,
) -> None:
    """Paints a thing between the viewer and the person.

    Args:
        canvas: What is painted on.
        window: Left, top, right and bottom of the picture, figure units.
        rng: Source of every draw.
    """
    x0, y0, x1, y1 = window
    wide, tall = x1 - x0, y1 - y0
    color = jitter(rng, rng.choice(_OBJECTS), 25)
    part = _object_part(canvas, color)
    dark = _object_part(canvas, scaled(color, 0.7))
    kind = rng.choice(("pole", "table", "box", "plant", "rail", "wheel"))
    if kind == "pole":
        x = x0 + wide * rng.uniform(0.1, 0.9)
        half = wide * rng.uniform(0.03, 0.09)
        left = np.array([[x - half, y0 - 0.1], [x - half, y1 + 0.1]])
        canvas.band(left, left + np.array([2 * half, 0.0]), part)
    elif kind == "table":
        y = y0 + tall * rng.uniform(0.58, 0.85)
        _box(canvas, x0 - 0.1, y, x1 + 0.1, y + tall * 0.05, part)
        if rng.random() < 0.6:
            _box(canvas, x0 - 0.1, y + tall * 0.05, x1 + 0.1, y1 + 0.1, dark)
        for _ in range(rng.randrange(0, 3)):
            x, size = x0 + wide * rng.random(), tall * rng.uniform(0.03, 0.08)
            thing = _object_part(canvas, jitter(rng, rng.choice(_OBJECTS), 25))
            _box(canvas, x, y - size, x + size, y, thing)
    elif kind == "box":
        x, w = x0 + wide * rng.uniform(-0.1, 0.7), wide * rng.uniform(0.3, 0.6)
        y = y0 + tall * rng.uniform(0.55, 0.8)
        _box(canvas, x, y, x + w, y1 + 0.1, part)
        _box(canvas, x, y, x + w, y + tall * 0.04, dark)
    elif kind == "plant":
        x = x0 + wide * rng.uniform(0.0, 1.0)
        for _ in range(rng.randrange(8, 18)):
            green = jitter(rng, rng.choice(_GREENS), 20)
            start = np.array([x + rng.gauss(0, 0.04), y1])
            angle = rng.gauss(0, 0.5)
            reach = tall * rng.uniform(0.15, 0.45)
            axis = np.array([math.sin(angle), -math.cos(angle)])
            aside = np.array([axis[1], -axis[0]])
            steps = np.linspace(0, 1, 5)[:, None]
            centers = start + steps * axis * reach
            radii = np.array([0.004, 0.018, 0.022, 0.014, 0.001])[:, None]
            canvas.band(
                centers - aside * radii, centers + aside * radii,
                _object_part(canvas, green),
            )  # fmt: skip
    elif kind == "rail":
        y = y0 + tall * rng.uniform(0.5, 0.75)
        for row in range(rng.randrange(1, 4)):
            level = y + row * tall * 0.1
            _box(canvas, x0 - 0.1, level, x1 + 0.1, level + tall * 0.022, part)
        for share in (rng.uniform(0, 0.3), rng.uniform(0.7, 1)):
            x = x0 + wide * share
            _box(canvas, x, y, x + tall * 0.025, y1 + 0.1, part)
    else:
        center = np.array([x0 + wide * rng.random(), y1 - tall * 0.08])
        radius = tall * rng.uniform(0.12, 0.2)
        turns = np.linspace(0, 2 * math.pi, 26)
        ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
        outer, inner = center + ring * radius, center + ring * radius * 0.86
        for index in range(25):
            canvas.band(
                inner[index : index + 2], outer[index : index + 2], part
            )
