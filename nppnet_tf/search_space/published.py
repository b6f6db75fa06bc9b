"""The genotype that the authors published, as data."""

import functools
import pathlib

from nppnet_tf.search_space import genotype

RELEASED_NAME = "released"

# Genotypes that a command line takes by name instead of by file.
BASELINE_NAME = "baseline"
NAMES = (RELEASED_NAME, BASELINE_NAME)


@functools.cache
def released() -> genotype.Genotype:
    """Returns the published genotype: one encoder gene in both branches."""
    return genotype.load(pathlib.Path(__file__).with_name("released.json"))


def baseline() -> genotype.Genotype:
    """Returns row 1 of Table 5: ResNet-50 and FPN, nothing searched."""
    return genotype.Genotype(encoder_decoder=genotype.BASELINE)


def resolve(name_or_path: str) -> genotype.Genotype:
    """Returns the genotype of a name in `NAMES` or of a file.

    Raises:
        UserError: If it is neither a name nor a readable, valid file.
    """
    if name_or_path == RELEASED_NAME:
        return released()
    if name_or_path == BASELINE_NAME:
        return baseline()
    return genotype.load(name_or_path)
