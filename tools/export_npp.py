"""Writes a network of the preset `released` as a file of the authors.

    python -m tools.export_npp --run=runs/trained --output=FILE.pth

The file is a state dict with the keys and shapes of the authors' release,
unused normalizations included, as its strict loader wants it; PyTorch's own
torch.load(weights_only=True) opens it. Joints of LIP go into the authors'
order. Needs no PyTorch. import_npp reads it back, bit by bit.
"""

import pathlib

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published

from .command_line import app
from .command_line import console
from .command_line import paths
from .command_line.tool_flags import ToolFlags

FLAGS = ToolFlags()

RUN = FLAGS.define_path(
    "run", None, "Working directory of a run.", paths.require_run
)
OUTPUT = FLAGS.define_output(
    "output", None, "File of the authors' form to write, .pth.", paths.new_file
)


def _run(argv: list[str]) -> None:
    del argv
    folder = pathlib.Path(RUN.value)
    output = paths.new_file(
        OUTPUT.value, "--output", (folder,), lambda path: path.suffix == ".pth"
    )

    from nppnet_tf.importing import state_dict
    from nppnet_tf.importing import torch_writer
    from nppnet_tf.inference import predictor

    network, descriptor, _ = predictor.load_run(folder)
    _require_released(network, folder)
    order = state_dict.keypoint_order(descriptor.keypoints)
    tensors = state_dict.to_state_dict(
        state_dict.network_entries(network, order)
    )
    torch_writer.write(output, tensors)
    console.say(f"{len(tensors)} tensors written to {output}")


def _require_released(network, folder: pathlib.Path) -> None:
    """The authors have keys for derived parts in the form of their release."""
    levels = published.PRESETS[published.RELEASED_NAME]["high_level_inputs"]
    genotype = network.genotype
    odd = [
        f"{part.name} {getattr(genotype, part.name)}"
        for part in genotypes.FIELDS
        if isinstance(getattr(genotype, part.name), str)
    ]
    config = network.config
    if config.high_level_inputs != levels:
        odd.append(f"high_level_inputs {config.high_level_inputs}")
    if config.head_channels != type(config)().head_channels:
        odd.append(f"head_channels {config.head_channels}")
    if odd:
        raise UserError(
            "no network of the authors' form",
            folder,
            "a derived network of --preset=released",
            "; ".join(odd),
        )


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS, required=("run", "output"))


if __name__ == "__main__":
    main()
