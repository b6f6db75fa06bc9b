"""The pipeline: shards to pictures to answers to files of a shard.

Needs the extra `beam`.
"""

import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.ml.inference.base import KeyedModelHandler
from apache_beam.ml.inference.base import RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from nppnet_tf.bulk import pictures
from nppnet_tf.bulk import results
from nppnet_tf.bulk.answers import Answer
from nppnet_tf.bulk.answers import PictureHandler
from nppnet_tf.bulk.job import Model
from nppnet_tf.bulk.job import Shard
from nppnet_tf.files import atomic
from nppnet_tf.runtimes import quiet

_COUNTERS = "nppnet_tf"
_UNREAD = "unread"
_READ = "read"


@dataclasses.dataclass(frozen=True)
class Job:
    """What becomes of a shard.

    Attributes:
        model: What predicts.
        output: Folder of the job.
        results: One of `results.FORMATS`.
    """

    model: Model
    output: str
    results: str


def run(
    shards: Sequence[Shard],
    job: Job,
    options: PipelineOptions,
    shards_at_once: int = 0,
) -> Iterator[Shard]:
    """Works shards off, and yields those that are done.

    Args:
        shards: What is to be done.
        job: What becomes of them.
        options: Where the pipeline runs, and how.
        shards_at_once: Shards of one pipeline; the next one begins when their
            files are there. All of them in one where 0.
    """
    step = shards_at_once or len(shards) or 1
    for first in range(0, len(shards), step):
        part = shards[first : first + step]
        # Beam tells of its workers.
        with (
            # Of a full disk Beam hands on the text alone.
            atomic.naming(job.output),
            quiet.quiet(),
            beam.Pipeline(options=options) as pipeline,
        ):
            build(pipeline, part, job)
        yield from part


def build(pipeline: beam.Pipeline, shards: Sequence[Shard], job: Job) -> None:
    """Adds the steps to a pipeline; arguments as of `run`."""
    read = (
        pipeline
        | "Shards" >> beam.Create(list(shards))
        | "Spread" >> beam.Reshuffle()
        | "Read" >> beam.ParDo(_Read()).with_outputs(_UNREAD, main=_READ)
    )
    answers = read[_READ] | "Predict" >> RunInference(
        KeyedModelHandler(PictureHandler(job.model))
    )
    _ = (
        (answers, read[_UNREAD])
        | "Join" >> beam.Flatten()
        | "Collect" >> beam.GroupByKey()
        | "Write" >> beam.ParDo(_Write(job))
    )


class _Read(beam.DoFn):
    """A shard to its pictures; what cannot be read goes past the network."""

    def process(self, element: Shard) -> Iterator[Any]:
        for picture in pictures.of_shard(element):
            if picture.error is None:
                yield element.name, picture
                continue
            lost = Answer(picture.number, picture.source, error=picture.error)
            yield beam.pvalue.TaggedOutput(_UNREAD, (element.name, lost))
        # A shard without pictures has to be written as well.
        yield beam.pvalue.TaggedOutput(_UNREAD, (element.name, None))


class _Write(beam.DoFn):
    """All answers of a shard to its files."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self._counters = {
            name: Metrics.counter(_COUNTERS, name)
            for name in ("pictures", "dead_letters")
        }

    def process(self, element: tuple[str, Iterable[Answer | None]]) -> None:
        name, answers = element
        counts = results.write_shard(
            self._job.output,
            name,
            self._job.results,
            [answer for answer in answers if answer is not None],
        )
        for counter, count in counts.items():
            self._counters[counter].inc(count)
