"""What a drawn person wears: garments that go together, by LIP class."""

import colorsys
import dataclasses
import random

from nppnet_tf.drawn_people.canvas import Color
from nppnet_tf.drawn_people.canvas import Pattern

(
    BACKGROUND,
    HAT,
    HAIR,
    GLOVE,
    SUNGLASSES,
    UPPER_CLOTHES,
    DRESS,
    COAT,
    SOCKS,
    PANTS,
    JUMPSUITS,
    SCARF,
    SKIRT,
    FACE,
    LEFT_ARM,
    RIGHT_ARM,
    LEFT_LEG,
    RIGHT_LEG,
    LEFT_SHOE,
    RIGHT_SHOE,
) = range(20)

_SKIN_TONES = (
    (244, 208, 184),
    (236, 192, 164),
    (224, 172, 140),
    (208, 154, 116),
    (188, 132, 94),
    (158, 106, 72),
    (122, 80, 54),
    (92, 60, 42),
)
_HAIR_COLORS = (
    (28, 22, 20),
    (42, 30, 24),
    (66, 44, 30),
    (94, 62, 38),
    (134, 94, 54),
    (184, 146, 88),
    (214, 184, 128),
    (138, 66, 34),
    (150, 146, 142),
    (206, 202, 198),
)
_HAIR_WEIGHTS = (18, 16, 14, 12, 9, 8, 5, 5, 6, 4)
_NEUTRALS = (
    (242, 240, 236),
    (206, 204, 200),
    (142, 142, 144),
    (84, 84, 88),
    (42, 42, 46),
    (24, 24, 28),
    (30, 40, 74),
    (196, 178, 144),
    (118, 96, 70),
    (86, 90, 60),
)
_DENIM = ((58, 82, 124), (84, 112, 152), (38, 50, 82), (128, 152, 182))
_LEATHER = ((34, 30, 30), (92, 60, 38), (136, 94, 60), (62, 42, 32))


@dataclasses.dataclass(frozen=True)
class Garment:
    """One piece of clothing.

    Attributes:
        label: LIP class of the garment.
        color: RGB.
        pattern: Decoration, or None.
        sleeve: How far it reaches along the arms: 0 not at all, 1 to the
            elbows, 2 to the wrists.
        length: How far it reaches along the legs, 1 being the knees and 2
            the ankles; of socks and shoes, from where on it covers them.
        looseness: Distance from the body, in standing heights.
        hem: Lower end of a torso garment in torso lengths above the hip joints.
        kind: Cut, such as "shirt", "hooded" or "boot".
        trim: A second color: buttons, soles, prints, collars.
    """

    label: int
    color: Color
    pattern: Pattern | None = None
    sleeve: float = 0.0
    length: float = 0.0
    looseness: float = 0.008
    hem: float = 0.0
    kind: str = ""
    trim: Color = (230, 230, 230)


@dataclasses.dataclass(frozen=True)
class Outfit:
    """Everything a person wears; None is what it does not wear.

    At most one of `dress` and `jumpsuit` is worn, `bottom` (pants or skirt)
    never with either, `top` never with a dress.
    """

    skin: Color
    hair_color: Color
    hair: str
    beard: bool
    top: Garment | None
    bottom: Garment | None
    dress: Garment | None
    jumpsuit: Garment | None
    coat: Garment | None
    socks: Garment | None
    shoes: Garment | None
    hat: Garment | None
    gloves: Garment | None
    scarf: Garment | None
    sunglasses: Garment | None

    def garments(self) -> tuple[Garment, ...]:
        """Returns everything that is worn."""
        values = (getattr(self, f.name) for f in dataclasses.fields(self))
        return tuple(v for v in values if isinstance(v, Garment))


def jitter(rng: random.Random, color: Color, amount: int = 12) -> Color:
    """Returns a color close to another."""
    shift = rng.uniform(-amount, amount)
    return tuple(
        int(min(max(c + shift + rng.uniform(-amount, amount) / 2, 6), 250))
        for c in color
    )


def scaled(color: Color, factor: float) -> Color:
    """Returns a darker or lighter color."""
    return tuple(int(min(max(c * factor, 4), 252)) for c in color)


def _color(rng: random.Random, neutral: float = 0.5) -> Color:
    if rng.random() < neutral:
        return jitter(rng, rng.choice(_NEUTRALS))
    red, green, blue = colorsys.hsv_to_rgb(
        rng.random(), rng.uniform(0.35, 0.9), rng.uniform(0.3, 0.95)
    )
    return int(red * 250), int(green * 250), int(blue * 250)


def _contrast(rng: random.Random, color: Color) -> Color:
    """Returns a color that is told apart from another."""
    for _ in range(6):
        other = _color(rng, 0.6)
        if sum(abs(a - b) for a, b in zip(color, other, strict=True)) > 130:
            return other
    return (245, 245, 242) if sum(color) < 384 else (30, 30, 36)


def _pattern(rng: random.Random, color: Color, chance: float) -> Pattern | None:
    if rng.random() >= chance:
        return None
    kind = rng.choices(
        ("stripes", "checks", "dots", "camouflage", "blocks"),
        (40, 28, 16, 6, 10),
    )[0]
    second = _contrast(rng, color)
    if kind == "stripes":
        unit, duty = rng.uniform(0.022, 0.06), rng.uniform(0.2, 0.6)
        return Pattern(kind, (second, second), unit, duty)
    if kind == "checks":
        # Where two bars cross the cloth shows the pure second color.
        mixed = tuple((a + b) // 2 for a, b in zip(color, second, strict=True))
        unit, duty = rng.uniform(0.022, 0.05), rng.uniform(0.25, 0.5)
        return Pattern(kind, (mixed, second), unit, duty)
    if kind == "dots":
        unit, duty = rng.uniform(0.018, 0.035), rng.uniform(0.5, 0.75)
        return Pattern(kind, (second, second), unit, duty)
    if kind == "camouflage":
        return Pattern(kind, (scaled(color, 0.6), scaled(color, 1.3)), 1.0)
    return Pattern(kind, (second, second), rng.uniform(0.08, 0.16), 0.0)


def _torso_garment(rng: random.Random, warm: bool, feminine: bool) -> Garment:
    """Draws a shirt, sweater or the like, of class upper-clothes."""
    if warm:
        kinds = ("tee", "polo", "tank", "shirt", "jersey")
        weights = (45, 12, 22 if feminine else 10, 13, 12)
    else:
        kinds = ("sweater", "shirt", "hooded", "tee", "turtleneck")
        weights = (30, 26, 20, 14, 10)
    kind = rng.choices(kinds, weights)[0]
    color = _color(rng, 0.45)
    short = kind in ("tee", "polo", "jersey") or (
        kind == "shirt" and rng.random() < 0.35
    )
    sleeve = rng.uniform(0.5, 0.85) if short else rng.uniform(1.75, 1.98)
    if kind == "tank":
        sleeve = 0.0
    elif not short and rng.random() < 0.2:
        sleeve = rng.uniform(0.95, 1.4)
    tucked = rng.random() < 0.2
    hem = 0.30 if tucked else rng.uniform(-0.1, 0.12)
    loose = rng.uniform(0.005, 0.012)
    if kind in ("sweater", "hooded", "jersey"):
        loose += 0.005
    chance = {"hooded": 0.1, "jersey": 0.55, "tank": 0.25}.get(kind, 0.42)
    return Garment(
        UPPER_CLOTHES,
        color,
        _pattern(rng, color, chance),
        sleeve=sleeve,
        looseness=loose,
        hem=hem,
        kind=kind,
        trim=_contrast(rng, color),
    )


def _pants(rng: random.Random, warm: bool, feminine: bool) -> Garment:
    draw = rng.random()
    shorts = warm and draw < 0.55
    if shorts:
        length = rng.uniform(0.4, 0.98)
        loose = rng.uniform(0.006, 0.02)
        kind = "shorts"
    elif draw < (0.75 if feminine else 0.6):
        length, loose, kind = rng.uniform(1.8, 1.97), 0.004, "slim"
    else:
        length, loose = rng.uniform(1.88, 2.02), rng.uniform(0.008, 0.02)
        kind = "wide"
    if rng.random() < 0.42:
        color = jitter(rng, rng.choice(_DENIM))
        pattern = Pattern("denim", (scaled(color, 1.12), scaled(color, 0.9)), 1)
    else:
        color = _color(rng, 0.8)
        pattern = _pattern(rng, color, 0.25 if shorts else 0.1)
    return Garment(PANTS, color, pattern, 0, length, loose, hem=0.27, kind=kind)


def _skirt(rng: random.Random) -> Garment:
    color = _color(rng, 0.45)
    length = rng.choice((rng.uniform(0.5, 0.95), rng.uniform(0.95, 1.7)))
    flare = rng.uniform(0.004, 0.05)
    pattern = _pattern(rng, color, 0.4)
    return Garment(
        SKIRT, color, pattern, 0, length, flare, hem=0.34, kind="skirt"
    )


def _dress(rng: random.Random, warm: bool) -> Garment:
    color = _color(rng, 0.35)
    sleeve = rng.choice((0.0, rng.uniform(0.3, 0.7)))
    if not warm:
        sleeve = rng.uniform(1.2, 1.95)
    return Garment(
        DRESS,
        color,
        _pattern(rng, color, 0.5),
        sleeve,
        length=rng.uniform(0.55, 1.75),
        looseness=rng.uniform(0.005, 0.055),
        kind="dress",
        trim=_contrast(rng, color),
    )


def _jumpsuit(rng: random.Random) -> Garment:
    denim = rng.random() < 0.4
    color = jitter(rng, rng.choice(_DENIM)) if denim else _color(rng, 0.5)
    kind = rng.choice(("overall", "bib"))
    length = rng.choice((rng.uniform(0.5, 0.9), rng.uniform(1.8, 1.97)))
    pattern = _pattern(rng, color, 0.15)
    sleeve = rng.choice((0.0, 0.6, 1.9)) if kind == "overall" else 0.0
    return Garment(
        JUMPSUITS,
        color,
        pattern,
        sleeve,
        length,
        0.010,
        kind=kind,
        trim=_contrast(rng, color),
    )


def _coat(rng: random.Random, skirted: bool) -> Garment:
    kind = rng.choices(
        ("jacket", "blazer", "long", "vest", "zipped"), (30, 24, 20, 8, 18)
    )[0]
    color = _color(rng, 0.72)
    long = kind == "long"
    loose = rng.uniform(0.013, 0.024)
    if kind == "blazer":
        loose = 0.012
    length = rng.uniform(0.55, 1.25) if long else 0.0
    hem = -0.12 if long or kind == "blazer" else rng.uniform(-0.05, 0.1)
    if skirted and not long:
        hem = max(hem, 0.05)
    pattern = _pattern(rng, color, 0.14)
    sleeve = 0.0 if kind == "vest" else rng.uniform(1.85, 1.99)
    trim = _contrast(rng, color)
    return Garment(COAT, color, pattern, sleeve, length, loose, hem, kind, trim)


def _hat(rng: random.Random, warm: bool) -> Garment:
    kinds = ("cap", "sunhat", "helmet") if warm else ("beanie", "cap", "fedora")
    kind = rng.choices(kinds, (60, 25, 15))[0]
    color = _color(rng, 0.5)
    pattern = _pattern(rng, color, 0.2) if kind == "beanie" else None
    return Garment(HAT, color, pattern, kind=kind, trim=_contrast(rng, color))


def _shoes(rng: random.Random, warm: bool, feminine: bool) -> Garment:
    kinds = ("sneaker", "boot", "leather", "sandal")
    weights = (58, 4, 22, 16) if warm else (48, 27, 25, 0)
    kind = rng.choices(kinds, weights)[0]
    if kind == "leather" and feminine and rng.random() < 0.6:
        kind = "pump"
    if kind == "sneaker":
        color = _color(rng, 0.6)
    else:
        color = jitter(rng, rng.choice(_LEATHER))
    if kind == "pump" and rng.random() < 0.5:
        color = _color(rng, 0.3)
    height = rng.uniform(1.45, 1.85) if kind == "boot" else 2.0
    sole = (236, 234, 228) if rng.random() < 0.6 else scaled(color, 0.6)
    trim = sole if kind == "sneaker" else scaled(color, 0.55)
    return Garment(RIGHT_SHOE, color, length=height, kind=kind, trim=trim)


def _socks(
    rng: random.Random, bare_legs: bool, feminine: bool, shoes: Garment
) -> Garment | None:
    chance = 0.62 if bare_legs else 0.5
    if shoes.kind in ("sandal", "pump"):
        chance *= 0.25
    if rng.random() >= chance:
        return None
    color = _color(rng, 0.7)
    height = rng.choice((rng.uniform(1.72, 1.9), rng.uniform(1.3, 1.7)))
    if feminine and rng.random() < 0.2:
        height = rng.uniform(0.8, 1.1)
    pattern = _pattern(rng, color, 0.3)
    return Garment(
        SOCKS, color, pattern, length=height, looseness=0.003, kind="socks"
    )


def _hair_style(rng: random.Random, feminine: bool) -> str:
    if feminine:
        return rng.choices(
            ("long", "bob", "ponytail", "bun", "short", "curly"),
            (36, 18, 18, 10, 8, 10),
        )[0]
    return rng.choices(
        ("short", "cropped", "bald", "curly", "long", "parted"),
        (40, 18, 7, 11, 6, 18),
    )[0]


def sample_outfit(rng: random.Random, feminine: bool, child: bool) -> Outfit:
    """Draws clothes, hair and skin that go together.

    Args:
        rng: Source of every draw.
        feminine: Whether skirts, dresses and long hair are likely.
        child: Whether beards and heels are out of the question.
    """
    warm = rng.random() < 0.5
    tone = rng.randrange(len(_SKIN_TONES))
    skin = jitter(rng, _SKIN_TONES[tone], 7)
    hair_color = rng.choices(_HAIR_COLORS, _HAIR_WEIGHTS)[0]
    if tone >= 5:
        hair_color = rng.choice(_HAIR_COLORS[:3])
    top = bottom = dress = jumpsuit = None
    draw = rng.random()
    if draw < (0.28 if feminine else 0.0):
        dress = _dress(rng, warm)
    elif draw < (0.38 if feminine else 0.10):
        jumpsuit = _jumpsuit(rng)
        if jumpsuit.kind == "bib":
            top = _torso_garment(rng, warm, feminine)
    else:
        top = _torso_garment(rng, warm, feminine)
        if feminine and rng.random() < 0.36:
            bottom = _skirt(rng)
        else:
            bottom = _pants(rng, warm, feminine)
    coat = None
    if rng.random() < (0.08 if warm else 0.55):
        coat = _coat(rng, dress is not None or bottom is not None)
    shoes = None
    if rng.random() >= (0.12 if warm else 0.02):
        shoes = _shoes(rng, warm, feminine and not child)
    reach = max(g.length for g in (bottom, dress, jumpsuit) if g is not None)
    socks = None
    if shoes is not None:
        socks = _socks(rng, reach < 1.3, feminine, shoes)
    accent = _color(rng, 0.4)
    knitted = _pattern(rng, accent, 0.45)
    return Outfit(
        skin=skin,
        hair_color=jitter(rng, hair_color, 8),
        hair=_hair_style(rng, feminine),
        beard=not feminine and not child and rng.random() < 0.28,
        top=top,
        bottom=bottom,
        dress=dress,
        jumpsuit=jumpsuit,
        coat=coat,
        socks=socks,
        shoes=shoes,
        hat=_hat(rng, warm) if rng.random() < 0.24 else None,
        gloves=Garment(GLOVE, _color(rng, 0.6), length=rng.uniform(1.8, 1.95))
        if rng.random() < (0.07 if warm else 0.24)
        else None,
        scarf=Garment(SCARF, accent, knitted)
        if rng.random() < (0.05 if warm else 0.3)
        else None,
        sunglasses=Garment(SUNGLASSES, jitter(rng, (28, 28, 32), 10))
        if rng.random() < (0.24 if warm else 0.12)
        else None,
    )
