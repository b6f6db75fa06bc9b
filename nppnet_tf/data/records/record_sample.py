"""Records of a folder as the samples of a source, for who looks at both."""

import dataclasses
import functools
import os
import pathlib

from nppnet_tf.data.record import Record
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.source import Source


@dataclasses.dataclass(frozen=True)
class RecordSample:
    """One record of a folder, which any process can read.

    Attributes:
        directory: The folder.
        number: Number of the record in its shard.
        record_id: Id of the record.
    """

    directory: pathlib.Path
    number: int
    record_id: str

    @property
    def paths(self) -> tuple[pathlib.Path, ...]:
        """The shard that holds it."""
        return (_open(self.directory).shard_of(self.number),)

    def load(self) -> Record:
        """Reads the record; BadRecordError says why it cannot be read."""
        return _open(self.directory).read(self.number)

    def digest(self) -> str:
        """Checksum of the record, as the index has it."""
        return _open(self.directory).checksum_of(self.number)


def source(directory: str | os.PathLike[str]) -> Source:
    """Lists the records of a folder.

    Raises:
        UserError: For the reasons that `RecordSet.open` gives.
    """
    directory = pathlib.Path(directory)
    record_set = RecordSet.open(directory)
    samples = [
        RecordSample(directory, number, record_id)
        for number, record_id in enumerate(record_set.ids)
    ]
    names = ("dataset", "split")
    facts = {name: record_set.manifest.get(name) for name in names}
    return Source(
        record_set.descriptor,
        samples,
        facts=facts,
        annotations=record_set.annotations,
    )


@functools.lru_cache(maxsize=8)
def _open(directory: pathlib.Path) -> RecordSet:
    return RecordSet.open(directory)
