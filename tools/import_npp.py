r"""Turns a checkpoint of the authors' PyTorch release into a run of ours.

    python -m tools.import_npp --checkpoint=FILE.pth --output=runs/authors
    python -m tools.import_npp --checkpoint=FILE.pth --output=runs/authors \
        --export --compare=ARRAYS.npz

Needs no PyTorch and executes nothing in the file. Says what it found: sizes,
epoch, measured values, keys that nobody uses. The output is a folder that
evaluate, predict, export and export_npp take as a run; import.json in it is
the report. A file that is damaged, foreign or does not fit the network ends
with one line and status 2, and nothing is written.

--compare runs the imported network on the inputs of an .npz file, "<tag>/x"
[N, 3, H, W], and compares with PyTorch's outputs beside them, joints in the
authors' order: "<tag>/pose_0_map", "<tag>/pose_0_aux", "<tag>/par_0_map" and
"<tag>/par_0_edge", and the same of stage 1. All that it prints is one JSON
object with the largest difference of every output; the status is 1 where one is
above --tolerance. Without --output it only compares.
"""

import json
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from nppnet_tf.data import descriptors
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import file_digests
from nppnet_tf.inference import model_folders
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

REPORT_FILE = "import.json"
FORMAT = "nppnet_tf.import"
FORMAT_VERSION = 1

# Of all keys that do not fit; a hostile file may have any number.
_SAID_KEYS = 100


def _check_compare(path: str, flag: str) -> None:
    """Refuses what holds no arrays; importing a network first takes long."""
    # Here, so that --help needs no NumPy.
    from nppnet_tf.files import array_archives

    array_archives.read(paths.require_file(path, flag))


def _check_output(path: str, flag: str) -> None:
    """Refuses a folder with files; an empty one that is there gives way."""
    output = paths.require_place(path, flag)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(
            "output is already there",
            f"{flag}={output}",
            "a new or empty folder",
            "a folder with files" if output.is_dir() else "a file",
        )


CHECKPOINT = FLAGS.define_path(
    "checkpoint",
    None,
    "File of torch.save: .pth, .pth.tar.",
    paths.require_file,
)
OUTPUT = FLAGS.define_output("output", None, "Folder to make.", _check_output)
WEIGHTS = FLAGS.define_choice(
    "weights",
    "best",
    ("best", "last"),
    "Which of a training checkpoint: best_state_dict, where it has one, or "
    "state_dict.",
)
NUM_REFINEMENTS = FLAGS.define_count(
    "num_refinements",
    None,
    "1 for an initial and a refined prediction, 0 for the initial one alone; "
    "by default what the file has.",
    0,
    1,
)
GENOTYPE = FLAGS.define_path(
    "genotype",
    None,
    "Another genotype than the published one: a JSON file, or one of "
    f"{', '.join(published.NAMES)}.",
    paths.require_genotype,
)
DESCRIPTOR = FLAGS.define_path(
    "descriptor",
    None,
    f"Names of classes and joints: a JSON file, or one of "
    f"{', '.join(descriptors.names())}. By "
    "default by their numbers: 20 and 16 are lip's, 7 and 14 those of "
    "pascal_person_part, others get numbers for names.",
    paths.require_descriptor,
)
IMAGE_SIZE = FLAGS.define_size("image_size", (384, 384), "Network input.")
EXPORT = FLAGS.define_switch(
    "export", False, "Also write a SavedModel, to <output>/savedmodels."
)
NAME = FLAGS.define_text("name", "nppnet", "Name of the SavedModel.")
COMPARE = FLAGS.define_path(
    "compare",
    None,
    "Inputs and PyTorch's outputs, .npz.",
    _check_compare,
)
TOLERANCE = FLAGS.define_number(
    "tolerance", 1e-4, "Largest difference of outputs that is none.", 0, 1e6
)


def _run(argv: list[str]) -> None:
    del argv
    _check_flags()
    size = IMAGE_SIZE.value
    output = pathlib.Path(OUTPUT.value) if OUTPUT.value else None
    genotype = GENOTYPE.value and published.resolve(GENOTYPE.value)

    from nppnet_tf.importing import parity
    from nppnet_tf.importing import state_dict

    network, descriptor, report = _read(genotype)
    if COMPARE.value:
        report["parity"] = parity.compare(
            network,
            COMPARE.value,
            TOLERANCE.value,
            state_dict.keypoint_order(descriptor.keypoints),
        )
    if output is not None:
        _write(output, network, descriptor, size, report)
    _finish(report)


def _read(genotype: genotypes.Genotype | None):
    """Makes the network of the file; what the file maps is free behind it."""
    from nppnet_tf.importing import checkpoint
    from nppnet_tf.importing import state_dict
    from nppnet_tf.models.nppnet import NPPNet

    found = checkpoint.read(CHECKPOINT.value, WEIGHTS.value)
    genotype, config = checkpoint.infer(found, genotype, NUM_REFINEMENTS.value)
    descriptor = _descriptor(config)
    order = state_dict.keypoint_order(descriptor.keypoints)
    network = NPPNet(genotype, config)
    entries = list(state_dict.network_entries(network, order))
    fit = checkpoint.fit(found, entries)
    if not fit.is_complete:
        for line in (
            *_key_lines("missing", fit.missing),
            *_key_lines("misshapen", [key for key, *_ in fit.misshapen]),
            *_key_lines("unknown", fit.unused),
        ):
            console.say(line)
    checkpoint.require_fit(
        found, fit, GENOTYPE.value or "the published genotype"
    )
    state_dict.assign(entries, found.tensors)
    return network, descriptor, _report(found, network, fit, descriptor)


def _check_flags() -> None:
    if not OUTPUT.value and (EXPORT.value or not COMPARE.value):
        raise UserError("flag is missing", "--output", "a folder", "nothing")
    if EXPORT.value:
        model_folders.checked_name(NAME.value)


def _descriptor(config):
    """Returns the names of the classes and joints of a network."""
    sizes = (config.num_classes, config.num_keypoints)
    if DESCRIPTOR.value is None:
        for known in (descriptors.LIP, descriptors.PASCAL_PERSON_PART):
            if sizes == (known.num_classes, known.num_keypoints):
                return known
        return _numbered_descriptor(*sizes)
    descriptor = descriptors.resolve(DESCRIPTOR.value)
    if sizes != (descriptor.num_classes, descriptor.num_keypoints):
        raise UserError(
            "descriptor of another network",
            f"--descriptor={DESCRIPTOR.value}",
            f"{sizes[0]} classes and {sizes[1]} joints",
            f"{descriptor.num_classes} and {descriptor.num_keypoints}",
        )
    return descriptor


def _numbered_descriptor(num_classes: int, num_keypoints: int):
    return descriptors.DatasetDescriptor(
        name="imported",
        classes=tuple(f"class_{number}" for number in range(num_classes)),
        # Strides without a factor in common with 256: colors differ.
        palette=tuple(
            (number * 37 % 256, number * 101 % 256, number * 173 % 256)
            for number in range(num_classes)
        ),
        keypoints=tuple(f"joint_{number}" for number in range(num_keypoints)),
    )


def _key_lines(what: str, names: Sequence[str]) -> list[str]:
    from nppnet_tf.files import restricted_pickle

    lines = [
        f"{what}: {restricted_pickle.printable(name, 200)}"
        for name in names[:_SAID_KEYS]
    ]
    if len(names) > _SAID_KEYS:
        lines.append(f"{what}: {len(names) - _SAID_KEYS} more")
    return lines


def _report(found, network, fit, descriptor) -> dict[str, Any]:
    import dataclasses
    import math

    from nppnet_tf.importing import checkpoint
    from nppnet_tf.importing import state_dict
    from nppnet_tf.search_space import published

    variables = network.trainable_weights
    used = set(found.tensors) - {
        *fit.unused,
        *fit.unused_normalizations,
        *fit.batch_counts,
    }
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "checkpoint": {
            "name": found.path.name,
            "sha256": file_digests.sha256(found.path),
            "weights": found.source or "plain state dict",
            **found.facts,
            "log_variances": {
                branch: list(values)
                for branch, values in found.log_variances.items()
            },
        },
        "network": {
            **dataclasses.asdict(network.config),
            "init_channels": network.config.channels // 2,
            "num_refinements": network.num_stages - 1,
            "parameters": sum(math.prod(v.shape) for v in variables),
            "is_published_genotype": network.genotype
            in (
                published.released(),
                dataclasses.replace(
                    published.released(), fusion=genotypes.OMIT
                ),
            ),
        },
        "descriptor": descriptor.name,
        "joints_reordered": state_dict.keypoint_order(descriptor.keypoints)
        is not None,
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


def _write(output, network, descriptor, size, report) -> None:
    """Writes the folder, whole or not at all."""
    from nppnet_tf.inference import export
    from nppnet_tf.models import saved_network

    extra = {
        "descriptor": json.loads(descriptor.to_json()),
        "image_size": list(size),
        "log_variances": report["checkpoint"]["log_variances"],
        **{
            name: report["checkpoint"][name]
            for name in ("epoch",)
            if name in report["checkpoint"]
        },
    }
    with atomic.atomic_path(output) as temporary:
        saved_network.save_network(network, temporary, extra)
        genotypes.save(network.genotype, temporary / "genotype.json")
        text = json.dumps(report, indent=1)
        (temporary / REPORT_FILE).write_text(f"{text}\n", encoding="utf-8")
        if EXPORT.value:
            export.export_saved_model(
                network,
                descriptor,
                size,
                temporary / "savedmodels",
                NAME.value,
            )
        if output.is_dir():
            output.rmdir()


def _finish(report: dict[str, Any]) -> None:
    """Prints the comparison as JSON, or what was found as text."""
    if "parity" in report:
        console.say(json.dumps(report["parity"], indent=2))
        if not report["parity"]["within_tolerance"]:
            sys.exit(1)
        return
    for line in _text(report):
        console.say(line)
    console.say(f"written to {OUTPUT.value}")


def _text(report: dict[str, Any]) -> list[str]:
    source, network = report["checkpoint"], report["network"]
    found, names = [source["weights"]], report["keys"]
    found += [
        f"{name} {source[name]}"
        for name in ("epoch", "perf_iou", "perf_pck")
        if name in source
    ]
    rounds = network["num_fusion_cells"]
    refined = f"refined in {rounds} rounds"
    if not network["num_refinements"]:
        refined = "no refinement"
    genotype = "the published genotype"
    if not network["is_published_genotype"]:
        genotype = "another genotype"
    lines = [
        f"checkpoint: {source['name']}, {', '.join(found)}",
        f"network: C = {network['channels']} (INIT_CHANNELS "
        f"{network['init_channels']}), {network['cells']} cells, "
        f"{network['num_classes']} classes, {network['num_keypoints']} joints, "
        f"{refined}, {genotype}, {network['parameters']} parameters",
        f"names: {report['descriptor']}"
        + (", joints reordered" if report["joints_reordered"] else ""),
    ]
    for branch, values in source["log_variances"].items():
        shown = ", ".join(f"{value:g}" for value in values)
        lines.append(f"learned log variances of {branch}: {shown}")
    lines.append(
        f"keys: {names['used']} used, none missing or misshapen; unused as "
        f"expected: {len(names['unused_normalizations'])} of normalizations "
        f"beside excitations ({names['unused_normalization_parameters']} "
        f"parameters), {names['batch_counts']} counts of batches; unknown: "
        f"{len(names['unused'])}"
    )
    lines += _key_lines("unknown", names["unused"])
    lines += _key_lines("warning: NaN or infinity in", report["non_finite"])
    return lines


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("checkpoint",))


if __name__ == "__main__":
    main()
