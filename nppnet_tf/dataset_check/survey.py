"""Every split of a data set, examined and judged.

What `examination` knows of one sample and `dataset_check` of all together, in
the order in which a reader of the report wants it.
"""

import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping

from nppnet_tf import workers
from nppnet_tf.data.source import Source
from nppnet_tf.dataset_check import dataset_check
from nppnet_tf.dataset_check import examination
from nppnet_tf.dataset_check import findings
from nppnet_tf.dataset_check.examination import Examined
from nppnet_tf.dataset_check.findings import Finding
from nppnet_tf.errors import AbsentSplitError
from nppnet_tf.errors import UserError


def examine(
    sources: Mapping[str, Source],
    num_workers: int,
    advance: Callable[[int], object] = lambda count: None,
) -> tuple[dict[str, list[Examined]], float]:
    """Looks at every sample.

    Args:
        sources: What was read, by the name of the split.
        num_workers: Processes among which the samples are divided.
        advance: Called with the number of samples whenever some are done.

    Returns:
        What is known of each sample, by split, and how many samples were read
        in a second; 0 where there were none.
    """
    jobs = [
        (name, examination.Job(portion, source.descriptor))
        for name, source in sources.items()
        for portion in workers.portions(source.samples)
    ]
    examined: dict[str, list[Examined]] = {name: [] for name in sources}
    rate = _Rate(advance)
    results = workers.each(
        examination.examine_all,
        [job for _, job in jobs],
        num_workers,
        rate.advance,
    )
    for (name, _), result in zip(jobs, results, strict=True):
        examined[name] += result
    return examined, rate.in_a_second()


def judge(
    sources: Mapping[str, Source],
    examined: Mapping[str, list[Examined]],
    refused: Mapping[str, UserError],
    required_tasks: Callable[[Source], Collection[str]],
) -> dict[str, list[Finding]]:
    """Finds what is wrong with the samples, the splits and the whole.

    Args:
        sources: What was read, by the name of the split; all of one
            descriptor.
        examined: What `examine` found, by split.
        refused: What kept other splits from being read, by their names.
        required_tasks: Tells the tasks of which a source must have something.

    Returns:
        All findings by split, the worst first.
    """
    descriptor = next(iter(sources.values())).descriptor
    found = dataset_check.judge(examined, descriptor)
    for name, source in sources.items():
        found[name] += _without_picture(source)
        found[name] += dataset_check.absent_tasks(
            examined[name], source.annotations, required_tasks(source)
        )
    for name, error in refused.items():
        is_absent = isinstance(error, AbsentSplitError)
        kind = findings.SPLIT_ABSENT if is_absent else findings.SPLIT_UNREADABLE
        found[name] = [Finding(findings.WHOLE_SPLIT, kind, str(error))]
    return {
        name: sorted(each, key=lambda finding: findings.rank(finding.kind))
        for name, each in found.items()
    }


class _Rate:
    """Counts samples, and the time from the first of them on.

    Processes take seconds to start: that time is not of the samples.

    Args:
        advance: Called with every count.
    """

    def __init__(self, advance: Callable[[int], object]) -> None:
        self._advance = advance
        self._total = 0
        self._first: tuple[float, int] | None = None

    def advance(self, count: int) -> None:
        """Counts samples that are done."""
        self._advance(count)
        self._total += count
        if self._first is None:
            self._first = (time.perf_counter(), count)

    def in_a_second(self) -> float:
        """Returns samples per second so far."""
        if self._first is None:
            return 0.0
        began, count = self._first
        seconds = max(time.perf_counter() - began, 1e-3)
        return (self._total - count) / seconds


def _without_picture(source: Source) -> list[Finding]:
    """Finds annotations that nothing reads."""
    poses = [
        Finding(record_id, findings.POSE_WITHOUT_PICTURE, "only a pose")
        for record_id in source.poses_without_picture
    ]
    label_maps = [
        Finding(record_id, findings.LABEL_MAP_WITHOUT_PICTURE, "no picture")
        for record_id in source.label_maps_without_picture
    ]
    return [*poses, *label_maps]
