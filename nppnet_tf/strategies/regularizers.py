"""Penalties on alpha besides its entropy (Eq. 8), each a number an edge."""

import tensorflow as tf


def beta_decay(alpha):
    """Keeps alpha from growing apart: log of the sum of exp(alpha), [edges].

    Its gradient is the softmax of alpha, so that what leads is held back the
    most: the variance of alpha stays small, and with it the influence of the
    architecture on how fast weights learn.

    Reference:
        Ye et al., beta-DARTS, https://arxiv.org/abs/2203.01665, Eq. 12; in the
        authors' code its weight is half the number of the epoch, counted from
        0, beside the mean over edges: 24.5 in the last of 50 epochs.

    Args:
        alpha: Float [edges, primitives].
    """
    return tf.reduce_logsumexp(alpha, -1)


def concentration(alpha):
    """Keeps Dirichlet concentrations near 1: squared distance, [edges].

    So samples stay diverse and the search goes on exploring.

    Reference:
        Chen et al., DrNAS, https://arxiv.org/abs/2006.10355, Eq. 4, where the
        distance is left open; this is the Euclidean one, squared.

    Args:
        alpha: Float [edges, primitives].
    """
    # The concentration is elu(alpha) + 1.
    return tf.reduce_sum(tf.nn.elu(alpha) ** 2, -1)
