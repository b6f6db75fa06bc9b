"""The pictures of a shard, as bytes, with what cannot be read beside them."""

import dataclasses
from collections.abc import Iterator

import tensorflow as tf

from nppnet_tf.bulk import places
from nppnet_tf.bulk.job import Shard
from nppnet_tf.data.records import example
from nppnet_tf.errors import printable
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import picture_structure


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture before it is decoded.

    Attributes:
        number: Number among the pictures of the job, or of its TFRecord file.
        source: Path of the file, or `<TFRecord file>#<number>`.
        name: Name of the picture as predictions have it.
        data: Bytes of the file.
        error: Why there are none.
    """

    number: int
    source: str
    name: str
    data: bytes = b""
    error: str | None = None


def of_shard(shard: Shard) -> Iterator[Picture]:
    """Yields the pictures of a shard in their order, unreadable ones too."""
    if shard.start is None:
        yield from _of_records(shard.path)
        return
    entries = places.lines(shard.path, shard.start, shard.pictures)
    for number, line in enumerate(entries, shard.first):
        source = line.decode("utf-8", "surrogateescape")
        name = source.rstrip("/").rpartition("/")[2]
        try:
            data = _read(source)
        except Exception as error:
            # Every file system has exceptions of its own.
            yield Picture(number, source, name, error=printable(error))
        else:
            yield Picture(number, source, name, data)


def _read(path: str) -> bytes:
    if places.is_remote(path):
        # One more than is decoded, so that it is refused.
        return places.read(path, picture_structure.MAX_BYTES + 1)
    return picture_files.read_bytes(path)


def _of_records(path: str) -> Iterator[Picture]:
    """Yields the pictures of Examples; what follows damage is lost."""
    numbered = enumerate(iter(tf.data.TFRecordDataset(path)))
    number = -1
    while True:
        try:
            number, serialized = next(numbered)
        except StopIteration:
            return
        except tf.errors.OpError as error:
            source = f"{path}#{number + 1}"
            yield Picture(
                number + 1,
                source,
                source,
                error=f"damaged from here on: {printable(error.message)}",
            )
            return
        source = f"{path}#{number}"
        parsed = tf.train.Example()
        try:
            parsed.ParseFromString(serialized.numpy())
            feature = parsed.features.feature
            (data,) = feature[example.IMAGE_ENCODED].bytes_list.value
            ids = feature[example.RECORD_ID].bytes_list.value
            name = ids[0].decode() if ids else source
        except Exception as error:
            # Of protobuf, of unpacking, of decoding.
            yield Picture(number, source, source, error=printable(error))
        else:
            yield Picture(number, source, name, data)
