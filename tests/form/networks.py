"""Derived networks whose every weight shows a mistake."""

import functools

import keras
import numpy as np

from nppnet_tf.config import NetworkConfig
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import pruning
from nppnet_tf.search_space import published
from nppnet_tf.search_space import relaxation as relaxations
from nppnet_tf.search_space.space import PAPER

CONFIG = NetworkConfig(channels=8, cells=4, num_fusion_cells=2)


@functools.cache
def settled(genotype, config=CONFIG, seed=0):
    """Returns a network that looks as after training; one for all tests."""
    return settle(NPPNet(genotype, config), seed)


def settle(network, seed=0):
    """Gives a network weights as after training, the same in every run."""
    generator = np.random.default_rng(seed)
    for number, variable in enumerate(network.variables):
        name = variable.path.rsplit("/", 1)[-1]
        if name in ("moving_variance", "gain"):
            value = generator.uniform(0.5, 2, variable.shape)
        elif name in ("moving_mean", "offset", "bias"):
            value = generator.normal(0, 0.3, variable.shape)
        else:
            draw = keras.initializers.GlorotNormal(seed=seed + number)
            value = draw(variable.shape)
        variable.assign(np.asarray(value, np.float32))
    return network


def random_genotype(seed):
    """Draws a genotype of the paper's space: pruned from random parameters."""
    generator = np.random.default_rng(seed)
    searched = genotypes.Genotype(
        genotypes.SEARCH, genotypes.SEARCH, genotypes.SEARCH
    )
    parameters = {
        part.name: (
            generator.normal(size=(len(part.edges), len(PAPER.primitives))),
            generator.normal(size=len(part.edges)),
        )
        for part in genotypes.searched_parts(searched)
    }
    return pruning.derive(
        searched,
        parameters,
        PAPER.primitives,
        relaxations.named(relaxations.SOFTMAX),
    )


_RELEASED = published.released()

# Published, ablated, drawn at random; each operation is in one at least.
GENOTYPES = {
    "released": _RELEASED,
    "unet": published.unet(),
    "no_fusion": genotypes.Genotype(
        genotypes.BASELINE, _RELEASED.interaction, genotypes.OMIT
    ),
    "no_interaction": genotypes.Genotype(
        _RELEASED.encoder_decoder, genotypes.OMIT, _RELEASED.fusion
    ),
    "random": random_genotype(0),
}
