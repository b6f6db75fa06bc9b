"""A file of the authors as a run of ours: network, names and a report.

`read` makes the network and fills it; `write` makes the folder that the tools
take as a run.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data import descriptors
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.importing import checkpoint
from nppnet_tf.importing import import_report
from nppnet_tf.importing import state_dict
from nppnet_tf.inference import export
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published

REPORT_FILE = "import.json"
MODELS_FOLDER = "savedmodels"


@dataclasses.dataclass(frozen=True)
class ImportedRun:
    """A network that was filled from a file.

    Attributes:
        network: The network, with the file's weights.
        descriptor: Names of its classes and joints.
        report: What was found, plain values; see `import_report.document`.
    """

    network: NPPNet
    descriptor: DatasetDescriptor
    report: dict[str, Any]

    @property
    def keypoint_order(self) -> tuple[int, ...] | None:
        """Where each joint stands among the authors'; None for the same."""
        return state_dict.keypoint_order(self.descriptor.keypoints)


def read(
    path: str | os.PathLike[str],
    weights: str = checkpoint.BEST,
    genotype: str | None = None,
    num_refinements: int | None = None,
    descriptor: str | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> ImportedRun:
    """Makes the network of a file; what the file maps is free behind it.

    Args:
        path: File of the authors' form.
        weights: `checkpoint.BEST` or `checkpoint.LAST`.
        genotype: Name or file of another genotype than the published one.
        num_refinements: Predictions after the initial one; the file's if None.
        descriptor: Name or file of another descriptor than that of the
            numbers of classes and joints.
        say: Takes a line for each key that does not fit.

    Raises:
        UserError: If the file is damaged, foreign, or does not fit.
    """
    found = checkpoint.read(path, weights)
    gene = published.resolve(genotype) if genotype else None
    gene, config = checkpoint.infer(found, gene, num_refinements)
    names = _descriptor(config, descriptor)
    network = NPPNet(gene, config)
    entries = list(
        state_dict.network_entries(
            network, state_dict.keypoint_order(names.keypoints)
        )
    )
    fit = checkpoint.fit(found, entries)
    if not fit.is_complete:
        for line in import_report.unfit_lines(fit):
            say(line)
    checkpoint.require_fit(found, fit, genotype or "the published genotype")
    state_dict.assign(entries, found.tensors)
    report = import_report.document(found, network, fit, names)
    return ImportedRun(network, names, report)


def write(
    output: pathlib.Path,
    imported: ImportedRun,
    image_size: tuple[int, int],
    model_name: str | None = None,
) -> None:
    """Writes the folder of a run, whole or not at all.

    Args:
        output: Folder to make; an empty one that is there gives way.
        imported: What `read` returned.
        image_size: (height, width) of the network's input.
        model_name: Name of the SavedModel to write below `MODELS_FOLDER`; none
            is written if absent.
    """
    source = imported.report["checkpoint"]
    extra = {
        "descriptor": imported.descriptor.to_values(),
        "image_size": list(image_size),
        "log_variances": source["log_variances"],
    }
    if "epoch" in source:
        extra["epoch"] = source["epoch"]
    with atomic.atomic_path(output) as temporary:
        saved_network.save_network(imported.network, temporary, extra)
        genotypes.save(imported.network.genotype, temporary / "genotype.json")
        text = json.dumps(imported.report, indent=1)
        (temporary / REPORT_FILE).write_text(f"{text}\n", encoding="utf-8")
        if model_name is not None:
            export.export_saved_model(
                imported.network,
                imported.descriptor,
                image_size,
                temporary / MODELS_FOLDER,
                model_name,
            )
        if output.is_dir():
            output.rmdir()


def _descriptor(config: NetworkConfig, given: str | None) -> DatasetDescriptor:
    """Returns the names of the classes and joints of a network."""
    sizes = (config.num_classes, config.num_keypoints)
    if given is None:
        for known in (descriptors.LIP, descriptors.PASCAL_PERSON_PART):
            if sizes == (known.num_classes, known.num_keypoints):
                return known
        return _numbered_descriptor(*sizes)
    descriptor = descriptors.resolve(given)
    if sizes != (descriptor.num_classes, descriptor.num_keypoints):
        raise UserError(
            "descriptor of another network",
            f"`descriptor`={given}",
            f"{sizes[0]} classes and {sizes[1]} joints",
            f"{descriptor.num_classes} and {descriptor.num_keypoints}",
        )
    return descriptor


def _numbered_descriptor(
    num_classes: int, num_keypoints: int
) -> DatasetDescriptor:
    return DatasetDescriptor(
        name="imported",
        classes=tuple(f"class_{number}" for number in range(num_classes)),
        # Strides without a factor in common with 256: colors differ.
        palette=tuple(
            (number * 37 % 256, number * 101 % 256, number * 173 % 256)
            for number in range(num_classes)
        ),
        keypoints=tuple(f"joint_{number}" for number in range(num_keypoints)),
    )
