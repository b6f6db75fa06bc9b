r"""Measures what the README states, and writes it as JSON.

python -m tools.benchmark --what=search_step \
        --stage=interaction_fusion --channels=64 --cells=12 \
        --image_size=192 --batch_size=2 --output=FILE
python -m tools.benchmark --what=inference --preset=released \
        --channels=128 --cells=16 --image_size=384
python -m tools.benchmark --what=input_pipeline --records=DIR \
        --image_size=384
python -m tools.benchmark --what=import --channels=128 --cells=16
"""

import dataclasses
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.search_space import topology
from nppnet_tf.search_space.space import PAPER

from .command_line import app
from .command_line import config_flags
from .command_line import console
from .command_line import paths
from .command_line.tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.config import InputConfig
    from nppnet_tf.data.records.record_set import RecordSet
    from nppnet_tf.models.nppnet import NPPNet

SEARCH_STEP = "search_step"
INFERENCE = "inference"
INPUT_PIPELINE = "input_pipeline"
IMPORT = "import"

_POLL_SECONDS = 0.05

# Of input_pipeline: until its threads have all begun, and for its parts.
_WARM_UP_BATCHES = 4
_MEASURED_SAMPLES = 200

FLAGS = ToolFlags()

WHAT = FLAGS.define_choice(
    "what",
    None,
    [SEARCH_STEP, INFERENCE, INPUT_PIPELINE, IMPORT],
    "One weight and one architecture step of the search; one forward pass of "
    "a derived network; training samples with all targets; or import_npp of a "
    "file of the authors' form, in a process of its own.",
)
STAGE = FLAGS.define_choice(
    "stage",
    "interaction_fusion",
    stages.NAMES,
    "Stage of the search, of search_step. The second keeps the encoder-decoder "
    "of --genotype.",
)
GENOTYPE = FLAGS.define_path(
    "genotype",
    "released",
    "released, baseline or a file, of a known part.",
    paths.require_genotype,
)
PRESET = FLAGS.define_choice(
    "preset",
    None,
    list(published.PRESETS),
    "Of inference: the release's network instead of that of --genotype.",
)
config_flags.define(
    FLAGS,
    configuration.NetworkConfig(channels=64, cells=12),
    "channels",
    "cells",
)
IMAGE_SIZE = FLAGS.define_side(
    "image_size", 192, "Side of the input, in pixels."
)
BATCH_SIZE = FLAGS.define_count(
    "batch_size",
    0,
    "Pictures; 0: 2, or 1 in inference, or 8 in input_pipeline.",
    0,
    configuration.MOST_BATCH,
)
REPEATS = FLAGS.define_count(
    "repeats", 5, "Steps measured; seconds, of input_pipeline.", 1
)
RECORDS = FLAGS.define_path(
    "records",
    None,
    "Records, of input_pipeline.",
    paths.require_records,
)
OUTPUT = FLAGS.define_output(
    "output", None, "JSON file; else only the screen.", paths.new_file
)
FLAGS.require_batch("batch_size", "image_size")


def _run(_: list[str]) -> None:
    if WHAT.value is None:
        raise UserError(
            "nothing to measure",
            "--what",
            f"{SEARCH_STEP}, {INFERENCE}, {INPUT_PIPELINE} or {IMPORT}",
            "nothing",
        )
    _check_size()
    if WHAT.value == INPUT_PIPELINE:
        FLAGS.require_given("records")
    output = None
    if OUTPUT.value is not None:
        output = paths.new_file(
            OUTPUT.value, "--output", (RECORDS.value, GENOTYPE.value)
        )
    measure = {
        SEARCH_STEP: _search_step,
        INFERENCE: _inference,
        INPUT_PIPELINE: _input_pipeline,
        IMPORT: _import,
    }[WHAT.value]
    result = {"what": WHAT.value, **measure(), **_circumstances()}
    text = json.dumps(result, indent=2)
    console.say(text)
    if output is not None:
        atomic.write_text(output, f"{text}\n")


def _check_size() -> None:
    """Refuses sizes and genotypes that give no network."""
    if WHAT.value == INPUT_PIPELINE:
        return
    config = configuration.NetworkConfig(
        channels=FLAGS["channels"].value, cells=FLAGS["cells"].value
    )
    genotype = _genotype()
    multiple = genotype.channel_multiple(PAPER.channel_proportion)
    topology.check_sizes(config, multiple)


def _genotype() -> genotypes.Genotype:
    """Returns the genotype that is measured, searched parts as such."""
    if WHAT.value == IMPORT or (WHAT.value == INFERENCE and PRESET.value):
        return published.released()
    if WHAT.value == INFERENCE:
        return published.resolve(GENOTYPE.value)
    if STAGE.value == stages.ENCODER_DECODER:
        return genotypes.Genotype(genotypes.SEARCH)
    return dataclasses.replace(
        published.resolve(GENOTYPE.value),
        interaction=genotypes.SEARCH,
        fusion=genotypes.SEARCH,
    )


def _search_step() -> dict:
    """Times the steps that `fit` takes, on a batch of noise."""
    import tensorflow as tf

    from nppnet_tf import config
    from nppnet_tf import keys
    from nppnet_tf.training import distribution
    from nppnet_tf.training import search

    batch_size = BATCH_SIZE.value or 2
    strategy = distribution.make_strategy(distribution.DEFAULT)
    known = None
    if STAGE.value != stages.ENCODER_DECODER:
        known = published.resolve(GENOTYPE.value)
    model = search.make_search_model(
        stages.start(STAGE.value, known),
        config.NetworkConfig(
            channels=FLAGS["channels"].value, cells=FLAGS["cells"].value
        ),
        config.LossConfig(),
        config.SearchConfig(warmup_epochs=0),
        strategy,
    )
    batch = _noise(batch_size, IMAGE_SIZE.value)
    data = {keys.WEIGHT_SPLIT: batch, keys.ARCHITECTURE_SPLIT: batch}
    dataset = tf.data.Dataset.from_tensors(data).repeat()
    model.make_train_function()
    iterator = iter(dataset)

    def step() -> None:
        logs = model.train_function(iterator)
        float(logs[keys.TOTAL_LOSS])

    measured = {**_first(step), **_repeat(step)}
    # Before the nodes are counted, on a copy of the graphs.
    peak = _peak_memory_gb()
    return {
        "stage": STAGE.value,
        **_sizes(batch_size),
        "search_weights": len(model.network.network_weights),
        **measured,
        "graph_nodes": {
            step.__name__: _nodes(model.traced(step), data)
            for step in model.steps
        },
        "peak_memory_gb": peak,
    }


def _nodes(function, arguments: object) -> int:
    """Nodes of a traced function, with those of functions that it calls."""
    graph = function.get_concrete_function(arguments).graph
    definition = graph.as_graph_def()
    return len(definition.node) + sum(
        len(called.node_def) for called in definition.library.function
    )


def _inference() -> dict:
    import tensorflow as tf

    from nppnet_tf import keys
    from nppnet_tf.config import NetworkConfig
    from nppnet_tf.models.cost import cost
    from nppnet_tf.models.nppnet import NPPNet

    batch_size = BATCH_SIZE.value or 1
    size = IMAGE_SIZE.value
    sizes = {"channels": FLAGS["channels"].value, "cells": FLAGS["cells"].value}
    if PRESET.value:
        network = NPPNet.from_preset(PRESET.value, **sizes)
    else:
        genotype = published.resolve(GENOTYPE.value)
        network = NPPNet(genotype, NetworkConfig(**sizes))
    image = tf.random.stateless_normal([batch_size, size, size, 3], [1, 2])
    forward = tf.function(lambda image: network(image, training=False))

    def step() -> None:
        forward(image)[keys.PARSING_LOGITS][-1].numpy()

    first = _first(step)
    found = cost(network, (size, size))
    return {
        "genotype": PRESET.value or GENOTYPE.value,
        **_sizes(batch_size),
        "parameters": found.parameters,
        "gmac": round(found.macs / 1e9, 2),
        "published_gmac": round(found.published_macs / 1e9, 2),
        **_work_by_part(network),
        **first,
        **_repeat(step),
        "graph_nodes": _nodes(forward, image),
        "peak_memory_gb": _peak_memory_gb(),
    }


def _work_by_part(network: "NPPNet") -> dict[str, dict[str, float]]:
    """Where the work of a derived network is done."""
    from nppnet_tf.models.cost import published_macs_by_part

    size = IMAGE_SIZE.value
    if network.is_supernet:
        return {}
    macs = published_macs_by_part(network, (size, size))
    rounded = {part: round(value / 1e9, 2) for part, value in macs.items()}
    return {"published_gmac_by_part": rounded}


def _input_pipeline() -> dict:
    """Times whole training batches, as `fit` gets them."""
    from nppnet_tf.config import InputConfig
    from nppnet_tf.data.records.record_set import RecordSet
    from nppnet_tf.data.samples import batches

    record_set = RecordSet.open(RECORDS.value)
    config = dataclasses.replace(
        InputConfig(),
        image_size=(IMAGE_SIZE.value, IMAGE_SIZE.value),
        batch_size=BATCH_SIZE.value or 8,
    )
    steps = batches.steps_per_epoch(record_set, config)
    # More than any repeats take.
    dataset = batches.make_dataset(
        record_set, config, training=True, num_epochs=1_000_000 // steps
    )
    iterator = iter(dataset)
    for _ in range(_WARM_UP_BATCHES):
        next(iterator)
    started, cpu_started = time.perf_counter(), time.process_time()
    count = 0
    while time.perf_counter() - started < REPEATS.value:
        next(iterator)
        count += config.batch_size
    seconds = time.perf_counter() - started
    cpu_seconds = time.process_time() - cpu_started
    return {
        "image_size": IMAGE_SIZE.value,
        "batch_size": config.batch_size,
        "samples": count,
        "samples_per_second": round(count / seconds, 1),
        # What one core makes, whatever else the machine does.
        "samples_per_cpu_second": round(count / cpu_seconds, 1),
        "milliseconds_of_one_sample": _parts(record_set, config),
        "pictures": _describe_pictures(record_set),
        "targets": {
            name: f"{spec.dtype.name} {list(spec.shape[1:])}"
            for name, spec in dataset.element_spec.items()
        },
        "peak_memory_gb": _peak_memory_gb(),
    }


def _parts(record_set: "RecordSet", config: "InputConfig") -> dict[str, float]:
    """CPU time of the parts of a sample, one after the other."""
    from nppnet_tf.data.samples import augmentation
    from nppnet_tf.data.samples import random_streams
    from nppnet_tf.data.samples import sample as samples
    from nppnet_tf.pictures import pixels

    spent: dict[str, float] = {}

    def timed(part: str, function: Callable[..., Any], *arguments: Any) -> Any:
        started = time.thread_time()
        result = function(*arguments)
        spent[part] = spent.get(part, 0) + time.thread_time() - started
        return result

    count = min(record_set.count, _MEASURED_SAMPLES)
    for number in range(count):
        record = timed("read", record_set.read, number)
        transform = augmentation.draw(
            config, random_streams.generator(0, "benchmark", number)
        )
        warped = timed(
            "decode_and_warp",
            samples.warp,
            record,
            transform,
            record_set.descriptor,
            config,
        )
        timed("normalize", pixels.normalize, warped.image)
        timed(
            "parsing_targets",
            samples.parsing_targets,
            warped,
            record_set.descriptor,
            config,
        )
        timed("pose_targets", samples.pose_targets, warped, config)
    return {part: round(1e3 * each / count, 3) for part, each in spent.items()}


def _describe_pictures(record_set: "RecordSet") -> dict[str, Any]:
    from nppnet_tf.pictures import picture_files

    count = min(record_set.count, _MEASURED_SAMPLES)
    encoded = [record_set.read(number).image_bytes for number in range(count)]
    sizes = [picture_files.picture_size(data) for data in encoded]
    return {
        "records": record_set.count,
        "median_height": statistics.median(height for height, _ in sizes),
        "median_width": statistics.median(width for _, width in sizes),
        "median_bytes": statistics.median(map(len, encoded)),
    }


def _import() -> dict:
    """Writes a file of the authors' form and imports it, all in all."""
    from nppnet_tf.importing import state_dict
    from nppnet_tf.importing import torch_writer
    from nppnet_tf.models.nppnet import NPPNet

    network = NPPNet.from_preset(
        published.RELEASED_NAME,
        channels=FLAGS["channels"].value,
        cells=FLAGS["cells"].value,
    )
    entries = state_dict.network_entries(network)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = folder / "checkpoint.pth"
        torch_writer.write(path, state_dict.to_state_dict(entries))
        size = path.stat().st_size
        seconds, peak = _measure_child(
            "import_npp", f"--checkpoint={path}", f"--output={folder / 'run'}"
        )
        report = json.loads((folder / "run" / "import.json").read_text())
    return {
        "channels": FLAGS["channels"].value,
        "cells": FLAGS["cells"].value,
        "parameters": report["network"]["parameters"],
        "file_mb": round(size / 1e6, 1),
        "seconds": round(seconds, 2),
        "peak_memory_gb": peak,
    }


def _measure_child(tool: str, *arguments: str) -> tuple[float, float]:
    """Runs a sibling tool; returns its seconds and its peak memory in GB."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.{tool}", *arguments],
        stdout=subprocess.DEVNULL,
    )
    peak = 0.0
    while process.poll() is None:
        # What the system tells behind a child's end is never less than the
        # parent's own peak.
        peak = max(peak, _resident_peak_gb(process.pid))
        time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise UserError(f"{tool} failed", found=f"status {process.returncode}")
    return time.perf_counter() - started, peak


def _resident_peak_gb(process_id: int) -> float:
    try:
        status = pathlib.Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0.0
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return round(int(match[1]) * 1024 / 1e9, 2) if match else 0.0


def _noise(batch_size: int, size: int) -> dict:
    """A batch with all targets, full of noise."""
    import tensorflow as tf

    from nppnet_tf import keys
    from nppnet_tf.config import NetworkConfig

    config = NetworkConfig()
    shape = [batch_size, size, size]
    small = [batch_size, size // 4, size // 4, config.num_keypoints]
    ones = tf.ones([batch_size])

    def labels(count: int) -> tf.Tensor:
        return tf.random.stateless_uniform(
            shape, [3, 4], maxval=count, dtype=tf.int32
        )

    return {
        keys.IMAGE: tf.random.stateless_normal([*shape, 3], [1, 2]),
        keys.LABEL_MAP: labels(config.num_classes),
        keys.BOUNDARY_MAP: labels(2),
        keys.HEATMAPS: tf.random.stateless_uniform(small, [5, 6]),
        keys.AUXILIARY_HEATMAPS: tf.random.stateless_uniform(small, [7, 8]),
        keys.HAS_LABEL_MAP: ones,
        keys.HAS_KEYPOINTS: ones,
    }


def _first(step: Callable[[], None]) -> dict:
    """Takes the first step, which traces; seconds count from the start."""
    step()
    return {"seconds_to_first_step": round(_seconds_since_start(), 2)}


def _repeat(step: Callable[[], None]) -> dict:
    seconds = []
    for _ in range(REPEATS.value):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return {
        "seconds_per_step": round(statistics.median(seconds), 3),
        "seconds_of_each_step": [round(value, 3) for value in seconds],
    }


def _sizes(batch_size: int) -> dict:
    return {
        "channels": FLAGS["channels"].value,
        "cells": FLAGS["cells"].value,
        "image_size": IMAGE_SIZE.value,
        "batch_size": batch_size,
    }


def _seconds_since_start() -> float:
    """Seconds since the process was started, imports included."""
    fields = pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1]
    started = int(fields.split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def _peak_memory_gb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * 1024 / 1e9, 2)


def _circumstances() -> dict:
    """What the figures depend on besides the code."""
    import importlib.metadata

    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 1),
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("tensorflow", "keras", "numpy")
        },
    }


def main() -> None:
    """Runs the tool."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
