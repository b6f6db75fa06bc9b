"""Files that are no picture, or not the one that they say: by seed, endless.

Real files of every kind, changed: bytes and pieces of them exchanged, doubled,
left out and cut off; sizes that headers lie about; small files of enormous
pictures; formats that nobody asked for; noise.
"""

import io
import random
import struct
import zlib
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
from PIL import Image

# Of the pictures that are changed.
_SIZE = (96, 72)

# Sides that headers lie about.
_SIDES = (0, 1, 7, 8191, 8193, 20_000, 65_535)
_LONG_SIDES = (1 << 31, (1 << 31) - 1, (1 << 32) - 1)

# One file in so many unpacks to a picture of millions of pixels, of which a
# server decodes some: seconds each.
_BOMB_EVERY = 250
_BOMB_SIDES = ((4000, 4000), (8192, 8192), (8193, 8192), (60_000, 60_000))

_SCANS = 100
_CHUNKS = 9000

Kind = tuple[str, bytes]


def hostile_pictures(seed: int) -> Iterator[Kind]:
    """Yields kinds and files without end.

    Args:
        seed: Seed of all choices.
    """
    choose = random.Random(seed)
    bases = _bases(seed)
    changes = (
        _exchange_bytes,
        _exchange_bytes,
        _cut_off,
        _leave_out,
        _double,
        _insert_noise,
        _mix,
        _lie_about_size,
        _foreign,
    )
    number = 0
    while True:
        number += 1
        if number % _BOMB_EVERY == 0:
            yield _bomb(choose)
            continue
        name = choose.choice(sorted(bases))
        change = choose.choice(changes)
        data = change(bases[name], choose, bases)
        yield f"{name} {change.__name__.strip('_')}", data


def good_picture(seed: int) -> bytes:
    """Returns a whole JPEG."""
    return _save(_image(seed), "JPEG", quality=90)


def _bases(seed: int) -> dict[str, bytes]:
    """Whole files of all kinds that are read, and of some that are not."""
    image = _image(seed)
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "jpeg": _save(image, "JPEG"),
        "jpeg progressive": _save(image, "JPEG", progressive=True),
        "jpeg turned": _save(image, "JPEG", exif=exif),
        "jpeg gray": _save(image.convert("L"), "JPEG"),
        "jpeg cmyk": _save(image.convert("CMYK"), "JPEG"),
        "png": _save(image, "PNG"),
        "png palette": _save(image.quantize(16), "PNG"),
        "png alpha": _save(image.convert("RGBA"), "PNG", exif=exif),
        "png 1 bit": _save(image.convert("1"), "PNG"),
        "png 16 bit": _save(image.convert("I;16"), "PNG"),
        "gif": _save(image, "GIF"),
        "bmp": _save(image, "BMP"),
        "webp": _save(image, "WEBP"),
        "tiff": _save(image, "TIFF"),
    }


def _image(seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (6, 5, 3), np.uint8)
    return Image.fromarray(noise).resize(_SIZE[::-1], Image.Resampling.BICUBIC)


def _save(image: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def _place(data: bytes, choose: random.Random) -> int:
    """A place in a file; half of them in its first bytes, where headers are."""
    end = len(data) if choose.random() < 0.5 else min(len(data), 200)
    return choose.randrange(max(end, 1))


def _exchange_bytes(
    data: bytes, choose: random.Random, bases: dict[str, bytes]
) -> bytes:
    del bases
    changed = bytearray(data)
    for _ in range(choose.choice((1, 2, 4, 16, 64))):
        value = choose.choice((0, 0x7F, 0xFF, choose.randrange(256)))
        changed[_place(data, choose)] = value
    return bytes(changed)


def _cut_off(
    data: bytes, choose: random.Random, bases: dict[str, bytes]
) -> bytes:
    del bases
    return data[: _place(data, choose)]


def _leave_out(
    data: bytes, choose: random.Random, bases: dict[str, bytes]
) -> bytes:
    del bases
    place = _place(data, choose)
    return data[:place] + data[place + choose.choice((1, 4, 30)) :]


def _double(
    data: bytes, choose: random.Random, bases: dict[str, bytes]
) -> bytes:
    """A piece again and again, up to scans and chunks without number."""
    del bases
    if choose.random() < 0.1:
        return _many_scans(data) if data[:2] == b"\xff\xd8" else _many_chunks()
    place = _place(data, choose)
    piece = data[place : place + choose.choice((1, 12, 200))]
    return data[:place] + piece * choose.choice((2, 50)) + data[place:]


def _many_scans(data: bytes) -> bytes:
    start = data.rfind(b"\xff\xda")
    return data[:start] + data[start:-2] * _SCANS + data[-2:]


def _many_chunks() -> bytes:
    whole = _save(_image(0), "PNG")
    # Behind the signature and the header.
    return whole[:33] + _chunk(b"tEXt", b"a\0b") * _CHUNKS + whole[33:]


def _insert_noise(
    data: bytes, choose: random.Random, bases: dict[str, bytes]
) -> bytes:
    del bases
    place = _place(data, choose)
    noise = choose.randbytes(choose.choice((1, 4, 64, 1024)))
    return data[:place] + noise + data[place:]


def _mix(data: bytes, choose: random.Random, bases: dict[str, bytes]) -> bytes:
    """The beginning of one file and the end of another."""
    other = bases[choose.choice(sorted(bases))]
    return data[: _place(data, choose)] + other[_place(other, choose) :]


def _lie_about_size(
    data: bytes, choose: random.Random, bases: dict[str, bytes]
) -> bytes:
    if data[:2] == b"\xff\xd8":
        for marker in (b"\xff\xc0", b"\xff\xc2"):
            start = data.find(marker)
            if start >= 0:
                sides = struct.pack(
                    ">HH", choose.choice(_SIDES), choose.choice(_SIDES)
                )
                return data[: start + 5] + sides + data[start + 9 :]
    if data[:4] != b"\x89PNG":
        return _exchange_bytes(data, choose, bases)
    sides = _SIDES + _LONG_SIDES
    header = struct.pack(">II", choose.choice(sides), choose.choice(sides))
    return data[:8] + _chunk(b"IHDR", header + data[24:29]) + data[33:]


def _foreign(
    data: bytes, choose: random.Random, bases: dict[str, bytes]
) -> bytes:
    """What is no picture at all."""
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: b"",
        lambda: b"\x89PNG\r\n\x1a\n",
        lambda: b"\xff\xd8\xff",
        lambda: choose.randbytes(choose.choice((1, 100, 5000))),
        lambda: b"\0" * 1000,
        lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        lambda: b"../../etc/passwd\0.png",
        lambda: b"https://example.invalid/picture.jpg",
        lambda: data[:4] + choose.randbytes(300),
        lambda: bases["gif"],
        lambda: bases["bmp"],
        lambda: bases["webp"],
        lambda: bases["tiff"],
    )
    return choose.choice(makers)()


def _bomb(choose: random.Random) -> Kind:
    """A PNG of one color, a thousandth of what it unpacks to."""
    height, width = choose.choice(_BOMB_SIDES)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = bytes(width + 1)
    # Files of pictures beyond the limit need not be whole to lie.
    packed = b"".join(packer.compress(rows) for _ in range(min(height, 8192)))
    packed += packer.flush()
    data = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", packed)
        + _chunk(b"IEND", b"")
    )
    return f"bomb {height} x {width}", data


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum
