"""What a file of the authors held, for programs and for people."""

import dataclasses
import math
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.files import file_digests
from nppnet_tf.files import restricted_pickle
from nppnet_tf.importing import checkpoint
from nppnet_tf.importing import state_dict
from nppnet_tf.importing.checkpoint import Checkpoint
from nppnet_tf.importing.checkpoint import Fit
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published

FORMAT = "nppnet_tf.import"
FORMAT_VERSION = 1

# Of all keys that do not fit; a hostile file may have any number.
_SAID_KEYS = 100


def document(
    found: Checkpoint, network: NPPNet, fit: Fit, descriptor: DatasetDescriptor
) -> dict[str, Any]:
    """Returns the report of an import, plain values for JSON.

    Args:
        found: What was read.
        network: The network that it filled.
        fit: How both fit.
        descriptor: Names of the network's classes and joints.
    """
    used = set(found.tensors) - {
        *fit.unused,
        *fit.unused_normalizations,
        *fit.batch_counts,
    }
    order = state_dict.keypoint_order(descriptor.keypoints)
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "checkpoint": _source(found),
        "network": _network(network),
        "descriptor": descriptor.name,
        "joints_reordered": order is not None,
        "kinds_of_numbers": checkpoint.number_kinds(found),
        "non_finite": checkpoint.non_finite(found, sorted(used)),
        "keys": {
            "used": len(used),
            "missing": list(fit.missing),
            "misshapen": [list(entry) for entry in fit.misshapen],
            "unused": list(fit.unused),
            "unused_normalizations": list(fit.unused_normalizations),
            "unused_normalization_parameters": fit.unused_numbers,
            "batch_counts": len(fit.batch_counts),
        },
    }


def unfit_lines(fit: Fit) -> list[str]:
    """Returns a line for each key that does not fit, of many for the first."""
    return [
        *_key_lines("missing", fit.missing),
        *_key_lines("misshapen", [key for key, *_ in fit.misshapen]),
        *_key_lines("unknown", fit.unused),
    ]


def lines(report: Mapping[str, Any]) -> list[str]:
    """Returns a report as people read it."""
    names = report["keys"]
    return [
        _source_line(report["checkpoint"]),
        _network_line(report["network"]),
        f"names: {report['descriptor']}"
        + (", joints reordered" if report["joints_reordered"] else ""),
        *_variance_lines(report["checkpoint"]["log_variances"]),
        f"keys: {names['used']} used, none missing or misshapen; unused as "
        f"expected: {len(names['unused_normalizations'])} of normalizations "
        f"beside excitations ({names['unused_normalization_parameters']} "
        f"parameters), {names['batch_counts']} counts of batches; unknown: "
        f"{len(names['unused'])}",
        *_key_lines("unknown", names["unused"]),
        *_key_lines("warning: NaN or infinity in", report["non_finite"]),
    ]


def _source(found: Checkpoint) -> dict[str, Any]:
    return {
        "name": found.path.name,
        "sha256": file_digests.sha256(found.path),
        "weights": found.source or "plain state dict",
        **found.facts,
        "log_variances": {
            branch: list(values)
            for branch, values in found.log_variances.items()
        },
    }


def _network(network: NPPNet) -> dict[str, Any]:
    released = published.released()
    of_the_authors = (
        released,
        dataclasses.replace(released, fusion=genotypes.OMIT),
    )
    return {
        **dataclasses.asdict(network.config),
        "init_channels": network.config.channels // 2,
        "num_refinements": network.num_stages - 1,
        "parameters": sum(
            math.prod(variable.shape) for variable in network.trainable_weights
        ),
        "is_published_genotype": network.genotype in of_the_authors,
    }


def _source_line(source: Mapping[str, Any]) -> str:
    facts = [
        f"{name} {source[name]}" for name in checkpoint.FACTS if name in source
    ]
    found = ", ".join([source["weights"], *facts])
    return f"checkpoint: {source['name']}, {found}"


def _network_line(network: Mapping[str, Any]) -> str:
    refined = f"refined in {network['num_fusion_cells']} rounds"
    if not network["num_refinements"]:
        refined = "no refinement"
    genotype = "the published genotype"
    if not network["is_published_genotype"]:
        genotype = "another genotype"
    return (
        f"network: C = {network['channels']} (INIT_CHANNELS "
        f"{network['init_channels']}), {network['cells']} cells, "
        f"{network['num_classes']} classes, {network['num_keypoints']} joints, "
        f"{refined}, {genotype}, {network['parameters']} parameters"
    )


def _variance_lines(
    log_variances: Mapping[str, Sequence[float]],
) -> Iterator[str]:
    for branch, values in log_variances.items():
        shown = ", ".join(f"{value:g}" for value in values)
        yield f"learned log variances of {branch}: {shown}"


def _key_lines(what: str, names: Sequence[str]) -> list[str]:
    said = [
        f"{what}: {restricted_pickle.printable(name, 200)}"
        for name in names[:_SAID_KEYS]
    ]
    if len(names) > _SAID_KEYS:
        said.append(f"{what}: {len(names) - _SAID_KEYS} more")
    return said
