"""Makes JPEG and PNG files of every form, sound and damaged ones.

Tests read them on two sides and compare. Every file is made by rules and a
fixed seed; nothing is stored.
"""

import io
import random
import struct
import zlib
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.inference import stand_in

PNG_START = b"\x89PNG\r\n\x1a\n"
_SIZE = (17, 22)
_ADAM7 = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def corpus() -> dict[str, bytes]:
    """Returns every file by its name."""
    files = dict(sound_files())
    for name, data in list(files.items()):
        is_png = data.startswith(PNG_START)
        for damage, change in _damages(is_png).items():
            files[f"{name}.{damage}"] = change(data)
    files.update(_turned_files())
    files.update(_odd_files())
    return files


def sound_files() -> Iterator[tuple[str, bytes]]:
    """Yields name and bytes of pictures of every form that is read."""
    yield from _jpeg_files()
    for color_type, depths in (
        (0, (1, 2, 4, 8, 16)),
        (2, (8, 16)),
        (3, (1, 2, 4, 8)),
        (4, (8, 16)),
        (6, (8, 16)),
    ):
        for depth in depths:
            for interlaced in (0, 1):
                name = f"png_{color_type}_{depth}_{interlaced}"
                yield name, png(color_type, depth, interlaced)
    yield "png_transparent_gray", png(0, 8, 0, chunk(b"tRNS", b"\0\7"))
    yield "png_transparent_palette", png(3, 4, 0, chunk(b"tRNS", b"\0\7"))
    yield "png_gamma", png(2, 8, 0, chunk(b"gAMA", struct.pack(">I", 99999)))


def jpeg(mode: str = "RGB", picture=None, **options: object) -> bytes:
    """Returns a JPEG of a small picture."""
    stream = io.BytesIO()
    picture = picture or Image.fromarray(stand_in.picture(*_SIZE))
    image = picture.convert(mode)
    image.save(stream, "JPEG", **{"quality": 90, **options})
    return stream.getvalue()


def png(
    color_type: int = 2,
    depth: int = 8,
    interlaced: int = 0,
    before: bytes = b"",
    after: bytes = b"",
    size: tuple[int, int] = _SIZE,
) -> bytes:
    """Returns a PNG of random samples.

    Args:
        color_type: Color type of PNG: 0 gray, 2 colors, 3 palette, 4 and 6 with
            alpha.
        depth: Bits of a sample.
        interlaced: 1 for Adam7.
        before: Chunks to stand before the pixels.
        after: Chunks to stand behind them.
        size: (height, width).
    """
    header = struct.pack(
        ">IIBBBBB", size[1], size[0], depth, color_type, 0, 0, interlaced
    )
    palette = b""
    if color_type == 3:
        colors = np.random.default_rng(depth).bytes(3 * 2**depth)
        palette = chunk(b"PLTE", colors)
    rows = _rows(samples(color_type, depth, size), depth, interlaced)
    pixels = zlib.compress(rows)
    half = len(pixels) // 2
    return b"".join(
        [
            PNG_START,
            chunk(b"IHDR", header),
            palette,
            before,
            chunk(b"IDAT", pixels[:half]),
            chunk(b"IDAT", pixels[half:]),
            after,
            chunk(b"IEND", b""),
        ]
    )


def samples(
    color_type: int, depth: int, size: tuple[int, int] = _SIZE
) -> np.ndarray:
    """Returns the samples of `png`, uint16 [height, width, channels]."""
    rng = np.random.default_rng(depth + color_type)
    shape = (*size, _CHANNELS[color_type])
    return rng.integers(0, 2**depth, shape).astype(np.uint16)


def flat_png(height: int, width: int) -> bytes:
    """Returns a PNG of black pixels of one bit: few bytes, many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    row = bytes(1 + (width + 7) // 8)
    compressor = zlib.compressobj(9)
    parts = [
        compressor.compress(row * min(4096, height - start))
        for start in range(0, height, 4096)
    ]
    return b"".join(
        [
            PNG_START,
            chunk(b"IHDR", header),
            chunk(b"IDAT", b"".join(parts) + compressor.flush()),
            chunk(b"IEND", b""),
        ]
    )


def chunk(name: bytes, content: bytes) -> bytes:
    """Returns a chunk of PNG with its checksum."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I4s", len(content), name) + (
        content + struct.pack(">I", checksum)
    )


def segment(marker: int, content: bytes) -> bytes:
    """Returns a segment of JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def behind_start(data: bytes, *segments: bytes) -> bytes:
    """Puts segments behind the first marker of a JPEG."""
    return data[:2] + b"".join(segments) + data[2:]


def tiff(value: int, order: str = "<", kind: int = 3, magic: int = 42) -> bytes:
    """Returns EXIF data with an orientation.

    Args:
        value: The orientation.
        order: "<" for little-endian, ">" for big-endian.
        kind: 3 for SHORT, 4 for LONG.
        magic: 42 in every sound file.
    """
    mark = b"II" if order == "<" else b"MM"
    maker = struct.pack(order + "HHI4s", 0x010F, 2, 2, b"N\0")
    number = struct.pack(order + ("I" if kind == 4 else "H2x"), value)
    entry = struct.pack(order + "HHI4s", 0x0112, kind, 1, number)
    directory = struct.pack(order + "H", 2) + maker + entry + bytes(4)
    return mark + struct.pack(order + "HI", magic, 8) + directory


def exif(value: int, order: str = "<", kind: int = 3, magic: int = 42) -> bytes:
    """Returns the EXIF segment of a JPEG; arguments as of `tiff`."""
    block = b"Exif\0\0" + tiff(value, order, kind, magic)
    return segment(0xE1, block)


def xmp(value: int, as_element: bool = False) -> bytes:
    """Returns an XMP packet with an orientation."""
    if as_element:
        inside = f"><tiff:Orientation>{value}</tiff:Orientation>"
    else:
        inside = f' tiff:Orientation="{value}">'
    text = f"<x:xmpmeta><rdf:Description{inside}</rdf:Description></x:xmpmeta>"
    return text.encode()


def raw_profile(value: int) -> bytes:
    """Returns EXIF data in hexadecimal, as ImageMagick writes it."""
    block = b"Exif\0\0" + tiff(value, ">")
    digits = block.hex()
    lines = [digits[i : i + 72] for i in range(0, len(digits), 72)]
    return "\n".join(["", "exif", f"{len(block):8}", *lines, ""]).encode()


def text(
    name: bytes, key: bytes, content: bytes, deflated: bool = False
) -> bytes:
    """Returns a text chunk of PNG of any of the three names."""
    if name == b"tEXt":
        return chunk(name, key + b"\0" + content)
    if name == b"zTXt":
        return chunk(name, key + b"\0\0" + zlib.compress(content))
    flags = bytes([deflated, 0])
    content = zlib.compress(content) if deflated else content
    return chunk(name, key + b"\0" + flags + b"en\0key\0" + content)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Returns a file with some of it changed, lost, doubled or cut."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(max(len(changed) - 1, 1))
        length = rng.randrange(1, 9)
        kind = rng.randrange(6)
        if kind == 0:
            changed[at : at + 1] = [
                data[at % len(data)] ^ 1 << rng.randrange(8)
            ]
        elif kind == 1:
            changed[at : at + 1] = [rng.choice((0, 0xFF, 0xD9, 0xDA, 0x80))]
        elif kind == 2:
            changed[at : at + length] = rng.randbytes(length)
        elif kind == 3:
            del changed[at : at + length]
        elif kind == 4:
            changed[at:at] = changed[at : at + 5 * length]
        elif kind == 5 and rng.random() < 0.3:
            del changed[at + 1 :]
    return bytes(changed)


def _rows(stored: np.ndarray, depth: int, interlaced: int) -> bytes:
    """Returns the rows of a PNG before they are deflated, filter 0."""
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = []
    for top, left, down, right in passes:
        for row in stored[top::down, left::right]:
            if row.size:
                rows.append(b"\0" + _packed(row.ravel(), depth))
    return b"".join(rows)


def _packed(values: np.ndarray, depth: int) -> bytes:
    if depth == 16:
        return values.astype(">u2").tobytes()
    bits = values[:, np.newaxis] >> np.arange(depth - 1, -1, -1) & 1
    return np.packbits(bits.astype(np.uint8)).tobytes()


def _jpeg_files() -> Iterator[tuple[str, bytes]]:
    yield "jpeg_gray", jpeg("L")
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        yield f"jpeg_{name}", jpeg(subsampling=subsampling)
        yield (
            f"jpeg_progressive_{name}",
            jpeg(subsampling=subsampling, progressive=True),
        )
    yield "jpeg_rgb", jpeg(keep_rgb=True)
    yield "jpeg_restarts", jpeg(restart_marker_blocks=1)
    cmyk = jpeg("CMYK")
    at = cmyk.index(b"\xff\xee")
    yield "jpeg_cmyk_adobe", cmyk
    yield "jpeg_cmyk_without_adobe", cmyk[:at] + cmyk[at + 16 :]
    # Adobe's marker ends in how colors are stored: 2 for YCCK.
    yield "jpeg_ycck", cmyk[: at + 15] + b"\2" + cmyk[at + 16 :]


def _damages(is_png: bool) -> dict[str, Callable[[bytes], bytes]]:
    either = {
        "cut_in_half": lambda data: data[: len(data) // 2],
        "cut_in_header": lambda data: data[:20],
        "last_bytes_lost": lambda data: data[:-1],
        "garbage_behind": lambda data: data + bytes(range(256)),
        "garbage_before": lambda data: b"\0" + data,
    }
    if not is_png:
        return either | {
            "no_end": lambda data: data[:-2],
            "twice": lambda data: data + data,
            "filled": lambda data: data[:2] + b"\xff\xff" + data[2:],
            "large_note": lambda data: behind_start(
                data, *[segment(0xFE, bytes(60000))] * 4
            ),
        }
    return either | {
        "no_end": lambda data: data[:-12],
        "wrong_checksum_of_pixels": lambda data: _flip(data, b"IDAT", 9),
        "wrong_checksum_of_header": lambda data: _flip(data, b"IHDR", 18),
        "wrong_checksum_of_note": lambda data: _flip(
            _with(data, chunk(b"tEXt", b"a\0b")), b"tEXt", 5
        ),
        "unknown_first": lambda data: (
            PNG_START + chunk(b"abCd", b"") + data[8:]
        ),
        "unknown_critical": lambda data: _with(data, chunk(b"ABCD", b"")),
        "large_text": lambda data: _with(
            data, chunk(b"tEXt", b"a\0" + bytes(100_000))
        ),
        "animated": lambda data: _with(data, chunk(b"acTL", bytes(8))),
    }


def _with(data: bytes, added: bytes) -> bytes:
    """Puts chunks behind the header."""
    return data[:33] + added + data[33:]


def _flip(data: bytes, name: bytes, offset: int) -> bytes:
    at = data.index(name) + offset
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _turned_files() -> Iterator[tuple[str, bytes]]:
    for value in range(10):
        for mode in ("L", "RGB"):
            data = jpeg(mode)
            for place, segments in _jpeg_notes(value).items():
                yield (
                    f"jpeg_{mode}_{place}_{value}",
                    behind_start(data, *segments),
                )
        for color_type in (2, 3):
            for place, notes in _png_notes(value).items():
                yield (
                    f"png_{color_type}_{place}_{value}",
                    png(color_type, 8, 0, *notes),
                )


def _jpeg_notes(value: int) -> dict[str, tuple[bytes, ...]]:
    start = b"http://ns.adobe.com/xap/1.0/\0"
    packet = segment(0xE1, start + xmp(value))
    profile = segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(60000))
    comment = segment(0xFE, b"Exif\0\0" + tiff(value))
    return {
        "short_little": (exif(value),),
        "short_big": (exif(value, ">"),),
        "long_little": (exif(value, "<", 4),),
        "long_big": (exif(value, ">", 4),),
        "wrong_magic": (exif(value, "<", 3, 43),),
        "other_kind": (exif(value, "<", 1),),
        "xmp": (packet,),
        "xmp_element": (segment(0xE1, start + xmp(value, True)),),
        "xmp_and_exif": (packet, exif(3)),
        "exif_twice": (exif(value), exif(3)),
        "in_comment": (comment,),
        "behind_profile": (*[profile] * (6 if value == 6 else 1), exif(value)),
    }


def _png_notes(value: int) -> dict[str, tuple[bytes, ...]]:
    raw = b"Raw profile type exif"
    key = b"XML:com.adobe.xmp"
    note = chunk(b"eXIf", tiff(value))
    return {
        "short": (note,),
        "long_big": (chunk(b"eXIf", tiff(value, ">", 4)),),
        "with_start": (chunk(b"eXIf", b"Exif\0\0" + tiff(value)),),
        "behind_pixels": (b"", note),
        "twice": (note, chunk(b"eXIf", tiff(3))),
        "wrong_checksum": (note[:-1] + bytes([note[-1] ^ 1]),),
        "raw_text": (text(b"tEXt", raw, raw_profile(value)),),
        "raw_deflated": (text(b"zTXt", raw, raw_profile(value)),),
        "raw_international": (text(b"iTXt", raw, raw_profile(value), True),),
        "raw_broken": (chunk(b"zTXt", raw + b"\0\0broken"),),
        "xmp": (text(b"iTXt", key, xmp(value)),),
        "xmp_deflated": (text(b"iTXt", key, xmp(value), True),),
        "xmp_and_exif": (text(b"iTXt", key, xmp(3)), note),
        "in_text": (text(b"tEXt", b"Comment", b"eXIf" + tiff(value)),),
    }


def _odd_files() -> Iterator[tuple[str, bytes]]:
    data = jpeg()
    frame = data.index(b"\xff\xc0")
    yield "empty", b""
    yield "text", b"no picture"
    for kind in ("GIF", "BMP", "WEBP", "TIFF"):
        stream = io.BytesIO()
        Image.fromarray(stand_in.picture(*_SIZE)).save(stream, kind)
        yield f"named_jpg_but_{kind}", stream.getvalue()
    for name, size in (("no_height", (0, 9)), ("huge", (65535, 65535))):
        stated = struct.pack(">HH", *size)
        yield f"jpeg_{name}", data[: frame + 5] + stated + data[frame + 9 :]
    for name, marker in (("lossless", 0xC3), ("arithmetic", 0xC9)):
        changed = bytes([0xFF, marker])
        yield f"jpeg_{name}", data[:frame] + changed + data[frame + 2 :]
    yield "jpeg_12_bits", data[: frame + 4] + b"\x0c" + data[frame + 5 :]
    scan = data.index(b"\xff\xda")
    yield "jpeg_many_scans", data[:scan] + data[scan:-2] * 65 + data[-2:]
    yield "jpeg_starts_twice", data[:2] + data
    header = png()
    for name, size in (
        ("no_width", (0, 9)),
        ("wide", (65536, 1)),
        ("largest", (2**32 - 1, 1)),
        ("too_many_pixels", (65535, 65535)),
    ):
        start = chunk(b"IHDR", struct.pack(">II", *size) + header[24:29])
        yield f"png_{name}", PNG_START + start + header[33:]
    yield "png_no_pixels", header[:33] + header[-12:]
    yield "png_many_parts", _with(header, chunk(b"teSt", b"") * 8192)
    yield "png_bare_start", PNG_START
    yield "jpeg_bare_start", b"\xff\xd8\xff"
