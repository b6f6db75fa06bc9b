"""What a JPEG or PNG file says before a pixel is decoded.

Walks the parts of a file, from its first marker to its end marker, by the rule
of `docs/pictures.md`. `nppnet_tf.inference.encoded_structure` follows the same
rule in a graph: a change here is a change there, and of that page. Needs no
TensorFlow.
"""

import dataclasses
import re
import struct
import zlib
from collections.abc import Iterator

from nppnet_tf.errors import TooLargeError
from nppnet_tf.errors import UnreadableError
from nppnet_tf.pictures import picture_orientation

# Status of a picture, an output of the serving signatures.
READ = 0
UNREADABLE = 1
TOO_LARGE = 2
DOES_NOT_FIT = 3
# Of pixels that a client has decoded.
OUT_OF_RANGE = 4

# 8192 x 8192: four times what a telephone makes, and 200 MB decoded. A file
# of some kilobytes can claim thousands of times as much.
MAX_PIXELS = 1 << 26
# The most that a JPEG can have; a PNG could claim 2^31.
MAX_SIDE = 65535
# One for every pixel of the largest picture.
MAX_BYTES = 1 << 26
# Segments or chunks: programs that write PNG put 8 KB into one.
MAX_PARTS = 8192
# Each scan of a progressive JPEG visits all of its pixels; usual are ten.
MAX_SCANS = 64

JPEG_START = b"\xff\xd8\xff"
PNG_START = b"\x89PNG\r\n\x1a\n"

# Where a segment can begin: what is left out stands among the pixels.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]", re.DOTALL)
END_OF_JPEG = 0xD9
START_OF_JPEG = 0xD8
SCAN = 0xDA
APPLICATION_1 = 0xE1
FRAMES = tuple(sorted(set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}))
EXIF_START = picture_orientation.EXIF_START
XMP_START = b"http://ns.adobe.com/xap/1.0/\x00"

# Color types of a PNG.
GRAY = 0
COLORS = 2
PALETTE = 3

PNG_HEADER_BYTES = 13
# Length, name and checksum of a chunk.
PNG_FRAME_BYTES = 12
PNG_EXIF = b"eXIf"
PNG_RAW_PROFILE = b"Raw profile type exif\x00"
PNG_XMP = b"XML:com.adobe.xmp\x00"
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
SMALL_LETTER = 0x20

_WHOLE = "a whole JPEG or PNG"
_NO_END = "no end marker: it is truncated"


class PictureError(UnreadableError):
    """A picture cannot be read.

    Attributes:
        status: `UNREADABLE` or `TOO_LARGE`.
    """

    def __init__(
        self,
        problem: str,
        where: object = None,
        expected: object = None,
        found: object = None,
        status: int = UNREADABLE,
    ) -> None:
        super().__init__(problem, where, expected, found)
        self.status = status


class LargePictureError(PictureError, TooLargeError):
    """A picture is beyond a limit."""


@dataclasses.dataclass(frozen=True)
class PictureStructure:
    """A file whose parts are whole; its pixels may still be damaged.

    Attributes:
        is_png: Whether it is a PNG, else a JPEG.
        size: (height, width) as stored.
        orientation: Orientation by EXIF, 1 to 8.
        decodable: What a decoder needs of the file, again a JPEG or PNG.
        bit_depth: Bit depth of a PNG.
        color_type: Color type of a PNG.
        is_sound: Whether every checksum of a PNG is right; those of the parts
            that are decoded are.
    """

    is_png: bool
    size: tuple[int, int]
    orientation: int
    decodable: bytes
    bit_depth: int = 8
    color_type: int = COLORS
    is_sound: bool = True

    @property
    def upright_size(self) -> tuple[int, int]:
        """(height, width) of the picture as people see it."""
        # Orientations 5 to 8 turn by a right angle.
        return self.size[::-1] if self.orientation > 4 else self.size


def read(
    data: bytes, where: object = None, max_pixels: int = MAX_PIXELS
) -> PictureStructure:
    """Walks the parts of a file.

    Args:
        data: Content of the file.
        where: File or record, for messages.
        max_pixels: Larger pictures are refused.

    Raises:
        PictureError: It is neither JPEG nor PNG, not whole, or beyond a limit.
    """
    if len(data) > MAX_BYTES:
        raise _beyond(where, f"at most {MAX_BYTES} bytes", str(len(data)))
    if data.startswith(JPEG_START):
        return _JpegWalk(data, where, max_pixels).structure()
    if data.startswith(PNG_START):
        return _PngWalk(data, where, max_pixels).structure()
    raise PictureError(
        "picture is neither JPEG nor PNG",
        where,
        "a JPEG or PNG file",
        "an empty file" if not data else f"bytes {data[:8].hex(' ')}",
    )


def stated_pixels(data: bytes) -> int:
    """Returns how many pixels a decoder would go over, as the headers state it.

    A JPEG's once for each scan. 0 where there is no header; nothing says that
    the rest is whole.
    """
    if data.startswith(PNG_START):
        width, height = data[16:20], data[20:24]
        return int.from_bytes(width) * int.from_bytes(height)
    if data.startswith(JPEG_START):
        # Among the pixels 0xff is followed by 0.
        scans = data.count(bytes((0xFF, SCAN)))
        return _stated_by_jpeg(data) * max(1, scans)
    return 0


def _stated_by_jpeg(data: bytes) -> int:
    end = 2
    for _ in range(MAX_PARTS):
        found = _JPEG_MARKER.search(data, end)
        if found is None:
            return 0
        start = found.end()
        if data[start - 1] in FRAMES:
            height, width = (
                data[start + 3 : start + 5],
                data[start + 5 : start + 7],
            )
            return int.from_bytes(height) * int.from_bytes(width)
        end = start + max(2, int.from_bytes(data[start : start + 2]))
    return 0


class _Walk:
    """What the walks of both kinds share."""

    def __init__(self, data: bytes, where: object, max_pixels: int) -> None:
        self._data = data
        self._where = where
        self._max_pixels = max_pixels
        self._parts = 0
        self._size: tuple[int, int] | None = None

    def _count_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _beyond(self._where, f"at most {MAX_PARTS} parts", "more")

    def _take_size(self, height: int, width: int) -> None:
        if height == 0 or width == 0:
            raise damaged(self._where, "a picture without pixels")
        size = f"{height} x {width}"
        if max(height, width) > MAX_SIDE:
            raise _beyond(self._where, f"sides of at most {MAX_SIDE}", size)
        if height * width > self._max_pixels:
            raise _beyond(
                self._where, f"at most {self._max_pixels} pixels", size
            )
        self._size = (height, width)


class _JpegWalk(_Walk):
    def structure(self) -> PictureStructure:
        notes: dict[bytes, bytes] = {}
        scans = 0
        end = 0
        for marker, start, end in self._segments():
            if marker in FRAMES and self._size is None:
                if end - start < 5:
                    raise damaged(self._where, "a frame without a size")
                self._take_size(
                    *struct.unpack_from(">HH", self._data, start + 1)
                )
            scans += marker == SCAN
            if scans > MAX_SCANS:
                raise _beyond(self._where, f"at most {MAX_SCANS} scans", "more")
            if marker == APPLICATION_1:
                for key in (EXIF_START, XMP_START):
                    if self._data.startswith(key, start, end):
                        notes.setdefault(key, self._data[start:end])
        if self._size is None or not scans:
            raise damaged(self._where, "a JPEG without pixels")
        orientation = picture_orientation.first(
            picture_orientation.of_exif(notes.get(EXIF_START, b"")),
            picture_orientation.of_xmp(notes.get(XMP_START, b"")),
        )
        return PictureStructure(
            False, self._size, orientation, self._data[:end]
        )

    def _segments(self) -> Iterator[tuple[int, int, int]]:
        """Yields marker, start and end of the content of every segment."""
        marker = START_OF_JPEG
        end = 2
        while marker != END_OF_JPEG:
            found = _JPEG_MARKER.search(self._data, end)
            if found is None:
                raise damaged(self._where, _NO_END)
            self._count_part()
            start = end = found.end()
            marker = self._data[start - 1]
            if marker != END_OF_JPEG:
                length = int.from_bytes(self._data[start : start + 2], "big")
                start, end = start + 2, start + length
                if marker == START_OF_JPEG or not start <= end <= len(
                    self._data
                ):
                    raise damaged(
                        self._where, f"a broken part at byte {start - 4}"
                    )
            yield marker, start, end


class _PngWalk(_Walk):
    def structure(self) -> PictureStructure:
        self._read_header()
        kept = [PNG_START]
        notes: dict[bytes, tuple[bytes, bytes]] = {}
        wrong = []
        is_sound = True
        for name, start, end in self._chunks():
            # A capital begins the name of what a decoder must know.
            is_critical = not name[0] & SMALL_LETTER
            if is_critical:
                kept.append(self._data[start:end])
            key = self._note_of(name, start, end)
            is_note = key is not None and key not in notes
            if is_note:
                notes[key] = (name, self._data[start + 8 : end - 4])
            if not self._checksum_is_right(start, end):
                is_sound = False
                if is_critical or is_note:
                    wrong.append(name)
        if wrong:
            raise damaged(
                self._where,
                f"a wrong checksum of part {wrong[0].decode('latin-1')}",
            )
        return PictureStructure(
            True,
            self._size,
            self._orientation(notes),
            b"".join(kept),
            self._data[24],
            self._data[25],
            is_sound,
        )

    def _read_header(self) -> None:
        header = self._data[8:24]
        if header[:8] != struct.pack(">I4s", PNG_HEADER_BYTES, b"IHDR"):
            raise damaged(self._where, "a PNG that begins without a header")
        if len(self._data) < 8 + PNG_FRAME_BYTES + PNG_HEADER_BYTES:
            raise damaged(self._where, _NO_END)
        width, height = struct.unpack(">II", header[8:])
        self._take_size(height, width)

    def _chunks(self) -> Iterator[tuple[bytes, int, int]]:
        """Yields name, start and end of every chunk with its frame."""
        name = b""
        end = len(PNG_START)
        while name != b"IEND":
            start = end
            end += PNG_FRAME_BYTES + int.from_bytes(
                self._data[start : start + 4], "big"
            )
            if end > len(self._data):
                raise damaged(self._where, _NO_END)
            self._count_part()
            name = self._data[start + 4 : start + 8]
            yield name, start, end

    def _checksum_is_right(self, start: int, end: int) -> bool:
        stated = int.from_bytes(self._data[end - 4 : end], "big")
        return zlib.crc32(memoryview(self._data)[start + 4 : end - 4]) == stated

    def _note_of(self, name: bytes, start: int, end: int) -> bytes | None:
        """What a chunk may tell of the orientation, by its first letters."""
        if name == PNG_EXIF:
            return PNG_EXIF
        if name in TEXTS:
            for key in (PNG_RAW_PROFILE, PNG_XMP):
                if self._data.startswith(key, start + 8, end - 4):
                    return key
        return None

    def _orientation(self, notes: dict[bytes, tuple[bytes, bytes]]) -> int:
        nothing = (b"", b"")
        try:
            return picture_orientation.first(
                picture_orientation.of_exif(notes.get(PNG_EXIF, nothing)[1]),
                picture_orientation.of_raw_profile(
                    *notes.get(PNG_RAW_PROFILE, nothing)
                ),
                picture_orientation.of_xmp_text(*notes.get(PNG_XMP, nothing)),
            )
        except zlib.error as error:
            raise damaged(self._where, f"a compressed text: {error}") from error


def damaged(where: object, found: object) -> PictureError:
    """Returns the error of a picture that is not whole."""
    return PictureError("picture is damaged", where, _WHOLE, found)


def _beyond(where: object, expected: str, found: str) -> LargePictureError:
    return LargePictureError(
        "picture is too large", where, expected, found, TOO_LARGE
    )
