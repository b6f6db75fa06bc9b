"""Where a pipeline runs: runners by name, and their options.

Needs the extra `beam`.
"""

import contextlib
import io
import shlex

from apache_beam.options.pipeline_options import PipelineOptions

from nppnet_tf.errors import UserError

DIRECT = "direct"

RUNNERS = {
    DIRECT: "FnApiRunner",
    "flink": "FlinkRunner",
    "spark": "SparkRunner",
    "dataflow": "DataflowRunner",
}


def options(runner: str, given: str, workers: int) -> PipelineOptions:
    """Returns the options of a pipeline.

    Args:
        runner: One of `RUNNERS`.
        given: Further options as on a command line.
        workers: Processes of the direct runner; others have options for it.

    Raises:
        UserError: An option is unknown, or has no such value.
    """
    words = [f"--runner={RUNNERS[runner]}"]
    if workers > 1:
        if runner != DIRECT:
            raise UserError(
                f"{runner} has its own options for workers",
                f"`workers`={workers}",
                "`pipeline_options`",
            )
        words += [
            f"--direct_num_workers={workers}",
            "--direct_running_mode=multi_processing",
        ]
    try:
        words += shlex.split(given)
    except ValueError as error:
        raise _wrong(given, error) from error
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            found = PipelineOptions(words)
            known = found.get_all_options()
    except SystemExit as error:
        raise _wrong(given, said.getvalue().strip().split("\n")[-1]) from error
    for word in words:
        name = word.partition("=")[0].lstrip("-")
        plain = name.removeprefix("no_")
        is_known = {name, plain, name.replace("-", "_")} & known.keys()
        if word.startswith("-") and not is_known:
            raise _wrong(given, f"--{name}, which no runner knows")
    return found


def _wrong(given: str, found: object) -> UserError:
    return UserError(
        "wrong options of the pipeline",
        f"`pipeline_options`={given}",
        "options of Apache Beam",
        found,
    )
