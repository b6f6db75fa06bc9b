"""What a supernet's derived network is expected to cost, as a tensor.

`choice_costs` adds up what a genotype keeps; which choices those are follows
from alpha and beta by a rule that knows only yes and no (`pruning`). Here every
choice is kept to a degree instead, so that its cost has a gradient: near 1
above what decides between kept and dropped, near 0 below.

Where alpha and beta have decided, that is the cost of the derived network to
rounding. Before, it is a smooth stand-in: docs/search.md has its error.
"""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.models.choice_costs import ChoiceCosts
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import pruning

# A choice whose share is a fifth above what decides is kept to 0.8. Flatter,
# and the cost is that of the mixture, far from that of what is kept; steeper,
# and no gradient is left but at ties.
SHARPNESS = 8.0

# As pruning tells kept from dropped, but for shares that are all but equal.
DECIDED = 100.0

# Of shares, whose logarithm is taken.
_LEAST = 1e-20


def expected_cost(
    architecture: Mapping[str, ArchitectureParameters],
    costs: ChoiceCosts,
    sharpness: float = SHARPNESS,
) -> tf.Tensor:
    """Returns the cost of what pruning will keep, in the unit of the costs.

    Args:
        architecture: Parameters of every searched part, by its name.
        costs: What every choice costs.
        sharpness: How sharply kept and dropped are told apart; with `DECIDED`
            it is what pruning would find now, and has little gradient.
    """
    total = tf.constant(float(costs.fixed))
    for name, parameters in architecture.items():
        part = parts.named(name)
        operations = parameters.relaxation.operation_weights(
            parameters.alpha.value
        )
        edges = parameters.relaxation.edge_weights(
            parameters.beta.value, parameters.edges
        )
        table = tf.constant(costs.tables[name].astype(np.float32))
        total += cost_of_part(part, operations, edges, table, sharpness)
    return total


def cost_of_part(
    part: parts.Part, operations, edges, table, sharpness: float = SHARPNESS
) -> tf.Tensor:
    """Returns the expected cost of one part.

    Args:
        part: The part.
        operations: Weight of every operation on its edge, [edges, primitives].
        edges: Weight of every edge in its node, [edges].
        table: Cost of every choice, [edges, primitives].
        sharpness: See `expected_cost`.
    """
    of_part = _interaction if part.kind == parts.INTERACTION else _cell
    costs = [
        of_part(
            tf.gather(operations, rows),
            tf.gather(edges, rows),
            tf.gather(table, rows),
            sharpness,
        )
        for rows in part.node_rows
    ]
    return tf.add_n(costs)


def _cell(operations, edges, table, sharpness):
    """Two edges of a node, the strongest operation on each."""
    chosen = tf.nn.softmax(sharpness * _logarithm(operations))
    strengths = edges * tf.reduce_max(operations, -1)
    count = min(pruning.EDGES_PER_CELL_NODE, strengths.shape[0])
    kept = _kept(strengths, count, sharpness)
    return tf.reduce_sum(kept[:, None] * chosen * table)


def _interaction(operations, edges, table, sharpness):
    """The strongest operations of a level, wherever they are."""
    shares = tf.reshape(operations * edges[:, None], [-1])
    largest = tf.math.top_k(
        shares, min(pruning.MAX_INTERACTION_CHOICES, shares.shape[0])
    ).values
    before = tf.cumsum(largest, exclusive=True)
    count = tf.reduce_sum(tf.cast(before < pruning.INTERACTION_SHARE, tf.int32))
    kept = _kept(shares, count, sharpness)
    return tf.reduce_sum(kept * tf.reshape(table, [-1]))


def _kept(strengths, count, sharpness):
    """To what degree each is among the strongest; sums to their number."""
    logarithms = _logarithm(strengths)
    ordered = tf.sort(logarithms, direction="DESCENDING")
    # What decides: halfway between the last that is kept and the next.
    last = ordered[count - 1]
    following = ordered[tf.minimum(count, strengths.shape[0] - 1)]
    threshold = tf.stop_gradient((last + following) / 2)
    degrees = tf.sigmoid(sharpness * (logarithms - threshold))
    count = tf.cast(count, degrees.dtype)
    return degrees * count / tf.reduce_sum(degrees)


def _logarithm(shares: tf.Tensor | Sequence[float]):
    return tf.math.log(tf.maximum(shares, _LEAST))
