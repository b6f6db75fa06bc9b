"""What is asked to be measured, and whoever measures it."""

import dataclasses
import pathlib
import tempfile
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from nppnet_tf.benchmarks import measuring
from nppnet_tf.benchmarks import subjects
from nppnet_tf.config import InputConfig
from nppnet_tf.config import NetworkConfig
from nppnet_tf.search_space import published
from nppnet_tf.search_space.genotype import Genotype

# Of input_pipeline where no records are given; as many are read again and
# again as any number is.
_DRAWN_PEOPLE = 64


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be measured.

    Attributes:
        what: One of `subjects.NAMES`.
        stage: Stage of the search, of `stages.NAMES`.
        genotype: Published name or file.
        preset: Preset that takes its place in inference, or None.
        size: Network and batch; a batch of 0 is what `what` takes.
        repeats: Steps to measure; seconds in input_pipeline and serving,
            pictures in hostility.
        num_replicas: Replicas of train_step; 0 takes no strategy.
        records: Folder of records, or None.
        input_workers: Processes that make batches, as of `InputConfig`.
        config: Size of the derived network that latency_table and equal_cost
            take; C and L are those of `size`.
        runtime: What runs them, one of `subjects.RUNTIMES`.
        peer: Who takes steps in turns, one of `subjects.PEERS`, or None.
        say: Takes lines of what takes very long.
    """

    what: str
    stage: str
    genotype: str
    preset: str | None
    size: measuring.Size
    repeats: int
    num_replicas: int = 0
    records: str | None = None
    input_workers: int | None = None
    config: NetworkConfig = NetworkConfig()
    runtime: str = subjects.TENSORFLOW
    peer: str | None = None
    say: Callable[[str], object] = lambda line: None

    def network(self) -> Genotype | None:
        """Returns what is measured; refuses what gives no network.

        Raises:
            UserError: Names what is impossible.
        """
        genotype = subjects.genotype_of(
            self.what, self.stage, self.genotype, self.preset
        )
        subjects.check_size(genotype, self.size)
        return genotype

    def answers(self) -> tuple[str, published.Preset, measuring.Size, int]:
        """Returns what measures of answers take: name, network and the rest."""
        network = subjects.network_of(self.network(), self.preset, self.size)
        name = self.preset or self.genotype
        return name, network, self.size, self.repeats


def measure(request: Request, tools: str) -> dict[str, Any]:
    """Measures what is asked for.

    Args:
        request: What that is; `network` has been called before.
        tools: Package of the tools, which some figures run.

    Returns:
        Plain values for JSON, with what they depend on besides the code.
    """
    take = {
        subjects.SEARCH_STEP: _search_step,
        subjects.TRAIN_STEP: _train_step,
        subjects.EQUAL_COST: _equal_cost,
        subjects.INFERENCE: _inference,
        subjects.ROOFLINE: _roofline,
        subjects.READING: _reading,
        subjects.INPUT_PIPELINE: _input_pipeline,
        subjects.IMPORT: _import,
        subjects.LATENCY_TABLE: _latency_table,
        subjects.SERVING: _serving,
        subjects.HOSTILITY: _hostility,
    }[request.what]
    batch = request.size.batch_size or subjects.BATCH_SIZES[request.what]
    size = dataclasses.replace(request.size, batch_size=batch)
    return {
        "what": request.what,
        **take(dataclasses.replace(request, size=size), tools),
        **measuring.circumstances(),
    }


def _search_step(request: Request, _: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import search_step

    return search_step.measure(
        request.stage,
        request.network(),
        request.size,
        request.repeats,
        request.peer,
    )


def _train_step(request: Request, _: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import train_step

    return train_step.measure(
        request.genotype,
        request.size,
        request.repeats,
        request.num_replicas,
        request.peer,
    )


def _equal_cost(request: Request, _: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import equal_cost_steps

    return equal_cost_steps.measure(
        request.genotype, request.config, request.size, request.repeats
    )


def _inference(request: Request, _: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import forward_pass

    return forward_pass.measure(*request.answers())


def _roofline(request: Request, _: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import roofline

    return roofline.measure(*request.answers())


def _reading(request: Request, _: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import reading

    return reading.measure(request.size.image_size, request.repeats)


def _input_pipeline(request: Request, tools: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import input_pipeline

    inputs = InputConfig(
        request.size.image_size,
        request.size.batch_size,
        input_workers=request.input_workers,
    )
    with tempfile.TemporaryDirectory() as folder:
        records = request.records or _draw(pathlib.Path(folder), tools)
        return input_pipeline.measure(records, inputs, request.repeats)


def _draw(folder: pathlib.Path, tools: str) -> pathlib.Path:
    """Makes records of drawn people of LIP's sizes."""
    lip, records = folder / "lip", folder / "records"
    run = measuring.run_child
    counts = f"--train={_DRAWN_PEOPLE}", "--val=1"
    run([*_tool(tools, "draw_people"), f"--root={lip}", *counts])
    words = "--dataset=lip", f"--root={lip}", "--split=train"
    run([*_tool(tools, "build_records"), *words, f"--output={records}"])
    return records


def _import(request: Request, tools: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import checkpoint_import

    size = request.size
    tool = _tool(tools, "import_npp")
    return checkpoint_import.measure(
        size.channels, size.cells, tool, request.repeats
    )


def _latency_table(request: Request, _: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import latency_table

    size = request.size
    config = dataclasses.replace(
        request.config, channels=size.channels, cells=size.cells
    )
    return latency_table.measure(
        request.network(),
        config,
        size.image_size,
        request.runtime,
        request.repeats,
    )


def _serving(request: Request, tools: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import serving

    tool = _tool(tools, "serve")
    return serving.measure(*request.answers(), tool, request.say)


def _hostility(request: Request, tools: str) -> dict[str, Any]:
    from nppnet_tf.benchmarks import hostility

    tool = _tool(tools, "serve")
    return hostility.measure(*request.answers(), tool, request.say)


def _tool(tools: str, name: str) -> Sequence[str]:
    return measuring.python("-m", f"{tools}.{name}")
