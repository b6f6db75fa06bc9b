"""Writes what a search leaves behind, without searching."""

import json
import pathlib

import numpy as np

from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import relaxation
from nppnet_tf.training import health

START = genotypes.Genotype(genotypes.BASELINE, genotypes.OMIT, genotypes.SEARCH)
SEARCHED = ("pose/fusion", "parsing/fusion")


def derived(seed: int) -> tuple[dict, genotypes.Genotype]:
    """Returns some alpha and beta of the fusion, and what they prune to."""
    random = np.random.default_rng(seed)
    arrays = {}
    for name in SEARCHED:
        count = len(parts.named(name).edges)
        arrays[name] = pruning.ArchitectureArrays(
            random.normal(size=(count, 8)), random.normal(size=count)
        )
    return arrays, pruning.derive(
        START, arrays, primitives.PAPER, relaxation.PAPER
    )


def write(folder: pathlib.Path, seeds: tuple[int, ...] = (0, 1, 1)) -> None:
    """Writes a run whose epochs have the genotypes of these seeds."""
    (folder / "genotypes").mkdir(parents=True)
    lines = []
    for epoch, seed in enumerate(seeds):
        arrays, genotype = derived(seed)
        path = folder / "genotypes" / f"epoch_{epoch:04d}.json"
        genotypes.save(genotype, path)
        record = {
            "epoch": epoch,
            "best_epoch": 1,
            "losses": {"loss": 3.0, "architecture_loss": 3.5},
            "alarms": {"memorized": "learned by heart"} if epoch else {},
            "genotype": str(path.relative_to(folder)),
            **health.search_health(
                arrays, primitives.PAPER, relaxation.PAPER, genotype
            ),
        }
        lines.append(json.dumps(record) + "\n")
    genotypes.save(genotype, folder / "genotype.json")
    (folder / "metrics.jsonl").write_text("".join(lines))
