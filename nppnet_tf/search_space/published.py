"""What the authors published, as data: a genotype and a form of the network."""

import functools
import pathlib
from typing import NamedTuple

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes

RELEASED_NAME = "released"

# Genotypes that a command line takes by name instead of by file.
BASELINE_NAME = "baseline"
UNET_NAME = "unet"
NAMES = (RELEASED_NAME, BASELINE_NAME, UNET_NAME)

# Presets by name: what they change of `NetworkConfig`'s defaults, which are
# the paper's. The release concatenates FL1 in front of FL7, FL6 and FL5.
PRESETS = {RELEASED_NAME: {"high_level_inputs": (0, 6, 5, 4)}}


class Preset(NamedTuple):
    """A network by name, but for its weights.

    Attributes:
        genotype: Genotype of all parts.
        config: Size and form of the network.
    """

    genotype: genotypes.Genotype
    config: NetworkConfig


@functools.cache
def released() -> genotypes.Genotype:
    """Returns the published genotype: one encoder gene in both branches."""
    return genotypes.load(pathlib.Path(__file__).with_name("released.json"))


def baseline() -> genotypes.Genotype:
    """Returns row 1 of Table 5: ResNet-50 and FPN, nothing searched."""
    return genotypes.Genotype(encoder_decoder=genotypes.BASELINE)


def unet() -> genotypes.Genotype:
    """Returns a second baseline: a plain U-Net, nothing searched."""
    return genotypes.Genotype(encoder_decoder=genotypes.UNET)


def preset(name: str, **sizes: int) -> Preset:
    """Returns a published network by name, of any size.

    Args:
        name: A key of `PRESETS`: "released" is the authors' network, whose
            INIT_CHANNELS is half of our `channels`.
        **sizes: Fields of `NetworkConfig`; the paper's where left out.

    Raises:
        UserError: If there is no such preset.
    """
    if name not in PRESETS:
        raise UserError(
            "no such preset", expected=", ".join(PRESETS), found=name
        )
    return Preset(released(), NetworkConfig(**PRESETS[name], **sizes))


def resolve(name_or_path: str) -> genotypes.Genotype:
    """Returns the genotype of a name in `NAMES` or of a file.

    Raises:
        UserError: If it is neither a name nor a readable, valid file.
    """
    if name_or_path == RELEASED_NAME:
        return released()
    if name_or_path == BASELINE_NAME:
        return baseline()
    if name_or_path == UNET_NAME:
        return unet()
    return genotypes.load(name_or_path)
