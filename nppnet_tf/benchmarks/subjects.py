"""What can be measured, and of which network; needs no TensorFlow."""

import importlib.util
from collections.abc import Iterator

from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.search_space.genotype import Genotype

SEARCH_STEP = "search_step"
TRAIN_STEP = "train_step"
EQUAL_COST = "equal_cost"
INFERENCE = "inference"
ROOFLINE = "roofline"
READING = "reading"
INPUT_PIPELINE = "input_pipeline"
IMPORT = "import"
LATENCY_TABLE = "latency_table"
SERVING = "serving"
HOSTILITY = "hostility"

NAMES = (
    SEARCH_STEP,
    TRAIN_STEP,
    EQUAL_COST,
    INFERENCE,
    ROOFLINE,
    READING,
    INPUT_PIPELINE,
    IMPORT,
    LATENCY_TABLE,
    SERVING,
    HOSTILITY,
)

MEANING = (
    "Both steps of the search; a step of training of a derived network; such "
    "steps in turns with those of a U-Net and of ResNet-50 + FPN of its cost; "
    "a forward pass of it, or its convolutions alone; reading of encoded "
    "pictures; training samples; import_npp of a file of the authors' form, "
    "in a process of its own; every operation that a derived network may "
    "have, for a search with --target_ms; a derived network behind "
    "tools.serve, under load and under hostile pictures. Or every figure of "
    "docs/performance.md, each in a process of its own and with the sizes "
    "that stand there."
)

REPEATS = (
    "Steps to measure; seconds in input_pipeline and serving, pictures in "
    "hostility."
)

# Fields of `NetworkConfig` that are flags; all but C and L of latency_table and
# equal_cost.
SIZES = ("channels", "cells", "num_fusion_cells", "head_channels")

# What operations of latency_table are timed in.
TENSORFLOW, ONNX_RUNTIME = RUNTIMES = ("tensorflow", "onnxruntime")

# Whose steps are measured beside ours; names of packages and of extras.
TORCH = "torch"
PEERS = (TORCH,)

# Stands for every figure of `figures.TABLE`.
ALL = "all"

# Pictures of a batch where nobody says how many.
BATCH_SIZES = {
    SEARCH_STEP: 2,
    TRAIN_STEP: 2,
    EQUAL_COST: 2,
    INFERENCE: 1,
    ROOFLINE: 1,
    READING: 1,
    INPUT_PIPELINE: 8,
    IMPORT: 1,
    LATENCY_TABLE: 1,
    SERVING: 1,
    HOSTILITY: 1,
}

_ANSWERS = (INFERENCE, ROOFLINE, SERVING, HOSTILITY)
_STEPS = (SEARCH_STEP, TRAIN_STEP, EQUAL_COST)
_SEARCHED = (SEARCH_STEP, LATENCY_TABLE)
_NETWORKS = (*_STEPS, *_ANSWERS, LATENCY_TABLE)

# What takes each setting; of all else it says nothing.
TAKEN_BY = {
    "stage": _SEARCHED,
    "genotype": _NETWORKS,
    "preset": _ANSWERS,
    "channels": (*_NETWORKS, IMPORT),
    "cells": (*_NETWORKS, IMPORT),
    "num_fusion_cells": (EQUAL_COST, LATENCY_TABLE),
    "head_channels": (EQUAL_COST, LATENCY_TABLE),
    "runtime": (LATENCY_TABLE,),
    "peer": (SEARCH_STEP, TRAIN_STEP),
    "image_size": (*_NETWORKS, READING, INPUT_PIPELINE),
    "batch_size": (*_STEPS, INFERENCE, ROOFLINE, INPUT_PIPELINE),
    "repeats": NAMES,
    "num_replicas": (TRAIN_STEP,),
    "records": (INPUT_PIPELINE,),
    "input_workers": (INPUT_PIPELINE,),
}


def require(what: str | None, peer: str | None) -> None:
    """Raises a UserError if nothing can be measured.

    Args:
        what: What is measured, of `NAMES`, or None.
        peer: Who is measured beside it, of `PEERS`, or None.
    """
    if what is None:
        expected = f"{', '.join(NAMES)} or {ALL}"
        raise UserError("nothing to measure", "`what`", expected, "nothing")
    if peer is not None and not has_peer(peer):
        expected = f"pip install 'nppnet_tf[{peer}]'"
        found = f"no package {peer}"
        raise UserError("peer is not installed", "`peer`", expected, found)


def has_peer(name: str) -> bool:
    """Returns whether a peer is installed.

    Args:
        name: One of `PEERS`.
    """
    return importlib.util.find_spec(name) is not None


def idle_settings(
    what: str | None, stage: str, preset: str | None
) -> Iterator[tuple[str, str]]:
    """Yields every setting that says nothing here, and what it would need.

    Args:
        what: What is measured, one of `NAMES`, or None.
        stage: Stage of the search, of `stages.NAMES`.
        preset: Preset that takes the place of the genotype, or None.
    """
    for setting, taken_by in TAKEN_BY.items():
        if what not in taken_by:
            yield setting, f"`what`={' or '.join(taken_by)}"
    if preset is not None:
        yield "genotype", "no `preset`"
    if what in _SEARCHED and stage == stages.ENCODER_DECODER:
        yield "genotype", f"`stage`={stages.INTERACTION_FUSION}"


def genotype_of(
    what: str, stage: str, genotype: str, preset: str | None
) -> Genotype | None:
    """Returns the genotype that is measured, searched parts as such.

    Args:
        what: What is measured, of `NAMES`.
        stage: Stage of the search, of `stages.NAMES`.
        genotype: Published name or file.
        preset: Preset that takes its place in inference, or None.

    Returns:
        The genotype; None where no network is measured.
    """
    if what in (READING, INPUT_PIPELINE):
        return None
    if what == IMPORT or (what in _ANSWERS and preset):
        return published.released()
    if what in (*_ANSWERS, TRAIN_STEP, EQUAL_COST):
        return published.resolve(genotype)
    if stage == stages.ENCODER_DECODER:
        return stages.start(stage)
    return stages.start(stage, published.resolve(genotype))


def network_of(
    genotype: Genotype, preset: str | None, size: Size
) -> published.Preset:
    """Returns the network that answers are measured of.

    Args:
        genotype: What `genotype_of` returned.
        preset: Preset whose other sizes it takes, or None.
        size: Gives C and L.
    """
    sizes = {"channels": size.channels, "cells": size.cells}
    if preset:
        return published.preset(preset, **sizes)
    return published.Preset(genotype, NetworkConfig(**sizes))


def check_size(genotype: Genotype | None, size: Size) -> None:
    """Refuses sizes of which there is no network.

    Args:
        genotype: What `genotype_of` returned.
        size: Gives C and L.

    Raises:
        UserError: Names the size that is impossible.
    """
    if genotype is not None:
        config = NetworkConfig(channels=size.channels, cells=size.cells)
        genotype.check_size(config)
