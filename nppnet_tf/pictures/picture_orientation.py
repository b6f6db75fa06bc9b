"""How a picture is to be turned, as notes in its file say.

The numbers are those of EXIF, 1 to 8; 0 stands for a note that names none.
`nppnet_tf.inference.encoded_orientation` reads the same in a graph.

Reference:
    Exif 2.32, Sec. 4.6.4, tag 0x0112; TIFF 6.0, Sec. 2; XMP Part 1 and 3; PNG
    3rd edition, Sec. 11.3; text chunks as ImageMagick writes them.
"""

import re
import zlib

UPRIGHT = 1

EXIF_START = b"Exif\x00\x00"
TIFF_STARTS = {b"II*\x00": "little", b"MM\x00*": "big"}
TAG = 0x0112
SHORT = 3
LONG = 4
ENTRY_BYTES = 12
MAX_ENTRIES = 512

# Of a note that is searched, and of one that is inflated for that (deflate
# makes at most a thousand bytes of one).
MAX_NOTE_BYTES = 1 << 20
MAX_DEFLATED_BYTES = 1 << 16

XMP_NAME = b"tiff:Orientation"
_XMP_VALUE = re.compile(re.escape(XMP_NAME) + rb"(?:=[\"']|>)([0-9])")
_NOT_HEXADECIMAL = re.compile(rb"[^0-9a-fA-F]")
# A raw profile begins with an empty line, its name and its length.
PROFILE_LINES = 3


def first(*orientations: int) -> int:
    """Returns the first that is named, `UPRIGHT` where none is."""
    return next(filter(None, orientations), UPRIGHT)


def of_exif(block: bytes) -> int:
    """Returns what an EXIF block says, with or without its own start."""
    block = block.removeprefix(EXIF_START)
    order = TIFF_STARTS.get(block[:4])
    if order is None or len(block) < 8:
        return 0

    def number(position: int, num_bytes: int) -> int:
        return int.from_bytes(block[position : position + num_bytes], order)

    directory = number(4, 4)
    if directory + 2 > len(block):
        return 0
    entries = min(
        number(directory, 2),
        (len(block) - directory - 2) // ENTRY_BYTES,
        MAX_ENTRIES,
    )
    for index in range(entries):
        entry = directory + 2 + ENTRY_BYTES * index
        if number(entry, 2) == TAG:
            kind, count = number(entry + 2, 2), number(entry + 4, 4)
            if count != 1 or kind not in (SHORT, LONG):
                return 0
            return _known(number(entry + 8, 2 if kind == SHORT else 4))
    return 0


def of_xmp(packet: bytes) -> int:
    """Returns what an XMP packet says."""
    found = _XMP_VALUE.search(packet[:MAX_NOTE_BYTES])
    return _known(int(found[1])) if found else 0


def of_xmp_text(name: bytes, content: bytes) -> int:
    """Returns what a text chunk of XMP says; see `text_of`."""
    return of_xmp(text_of(name, content))


def of_raw_profile(name: bytes, content: bytes) -> int:
    """Returns what a text chunk with EXIF in hexadecimal says."""
    lines = text_of(name, content)[:MAX_NOTE_BYTES].split(b"\n", PROFILE_LINES)
    if len(lines) <= PROFILE_LINES:
        return 0
    digits = _NOT_HEXADECIMAL.sub(b"", lines[-1])
    digits = digits[: len(digits) // 2 * 2]
    return of_exif(bytes.fromhex(digits.decode("ascii")))


def text_of(name: bytes, content: bytes) -> bytes:
    """Returns the text of a text chunk of PNG, inflated.

    Args:
        name: `tEXt`, `zTXt` or `iTXt`; others have no text.
        content: Key of the chunk, zero, and what follows.

    Returns:
        The text; nothing of a compressed one that is too long to be inflated.

    Raises:
        zlib.error: It is no compressed text.
    """
    key, _, rest = content.partition(b"\0")
    if name == b"tEXt":
        return rest
    if name == b"zTXt":
        return _inflated(rest[1:])
    if name != b"iTXt":
        return b""
    is_compressed = rest[:1] == b"\1"
    # Language and translated key end in a zero each.
    parts = rest[2:].split(b"\0", 2)
    text = parts[2] if len(parts) == 3 else b""
    return _inflated(text) if is_compressed else text


def _inflated(data: bytes) -> bytes:
    if len(data) > MAX_DEFLATED_BYTES:
        return b""
    return zlib.decompressobj().decompress(data)


def _known(value: int) -> int:
    return value if 1 <= value <= 8 else 0
