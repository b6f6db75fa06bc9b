"""The exact rewritings that make a network cheaper to answer with.

A rule takes a network and returns one of equal answers, up to rounding. Each
stands for itself and can be left out; `rules_for` gives their order, and
`cost_table` tells what each saves.

Measured and not taken, since they take the same time: a sum of convolutions in
place of a concatenation before one, which copies less and adds more; and one
wider convolution in place of narrow ones that read the same value, whose
output has to be divided.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nppnet_tf import keys
from nppnet_tf.form import nodes
from nppnet_tf.form.nodes import Concatenation
from nppnet_tf.form.nodes import Convolution
from nppnet_tf.form.nodes import Node
from nppnet_tf.form.nodes import Outputs
from nppnet_tf.form.nodes import Resizing
from nppnet_tf.form.nodes import Scaling
from nppnet_tf.form.nodes import Sum

# What an answer is made of.
ANSWERS = (keys.HEATMAPS, keys.PARSING_LOGITS)

Rule = Callable[[Outputs], dict[str, Node]]

# What is read once is not computed for anybody else.
ReadOnce = Callable[[Node], bool]

# Multiply-accumulates that take as long as what an operation costs besides its
# arithmetic: 50 us on a core that does 50 a nanosecond.
_OPERATION = 2_500_000

_WITHOUT_WEIGHTS = (
    nodes.Rectification,
    nodes.Slice,
    nodes.Resizing,
    nodes.MaxPooling,
    nodes.AveragePooling,
    nodes.GlobalMean,
    nodes.Concatenation,
)


def last_stage(predictions: Mapping[str, Sequence[Node]]) -> dict[str, Node]:
    """Keeps what an answer needs: heatmaps and parts of the last stage.

    Everything that only other stages and auxiliary outputs need is gone with
    them.

    Args:
        predictions: Nodes by key and stage, as `description.describe` returns.
    """
    return {key: predictions[key][-1] for key in ANSWERS}


def fold_scalings(outputs: Outputs) -> dict[str, Node]:
    """Folds normalizations into the convolutions before or behind them."""
    return nodes.rewrite(outputs, _folded)


def _folded(node: Node, is_read_once: ReadOnce) -> Node:
    match node:
        case Scaling(inputs=(Convolution() as before,)):
            if is_read_once(before):
                return dataclasses.replace(
                    before,
                    kernel=before.kernel * node.scale,
                    bias=before.bias * node.scale + node.shift,
                )
        case Scaling(inputs=(Concatenation() as before,)):
            if is_read_once(before):
                return _scaled_parts(node, before, is_read_once)
        case Convolution(inputs=(Scaling() as before,)):
            # Padding is not scaled: only where there is none.
            if node.is_pointwise and is_read_once(before):
                kernel = node.kernel[0, 0]
                return Convolution(
                    before.inputs,
                    (before.scale[:, np.newaxis] * kernel)[None, None],
                    node.bias + before.shift @ kernel,
                )
    return node


def _scaled_parts(
    node: Scaling, before: Concatenation, is_read_once: ReadOnce
) -> Node:
    ends = np.cumsum([part.channels for part in before.inputs])[:-1]
    parts = zip(
        before.inputs,
        np.split(node.scale, ends),
        np.split(node.shift, ends),
        strict=True,
    )
    return Concatenation(
        tuple(
            _folded(Scaling((part,), scale, shift), is_read_once)
            for part, scale, shift in parts
        )
    )


def reorder_resizings(outputs: Outputs) -> dict[str, Node]:
    """Convolves pixel by pixel where there are fewer pixels.

    Bilinear weights add up to 1, so that a resize changes places with a 1x1
    convolution, its bias included.
    """
    return nodes.rewrite(outputs, _reordered)


def _reordered(node: Node, is_read_once: ReadOnce) -> Node:
    match node:
        case Convolution(inputs=(Resizing(enlarges=True) as before,)):
            if node.is_pointwise and is_read_once(before):
                inner = dataclasses.replace(node, inputs=before.inputs)
                return dataclasses.replace(before, inputs=(inner,))
        case Resizing(inputs=(Convolution(is_pointwise=True) as before,)):
            if not node.enlarges and is_read_once(before):
                inner = dataclasses.replace(node, inputs=before.inputs)
                return dataclasses.replace(before, inputs=(inner,))
    return node


def merge_convolutions(outputs: Outputs) -> dict[str, Node]:
    """Makes one convolution of two, where nothing lies between them.

    Only where the one costs no more than the two.
    """
    return nodes.rewrite(outputs, _merged)


def _merged(node: Node, is_read_once: ReadOnce) -> Node:
    match node:
        case Convolution(
            inputs=(Convolution() as before,), is_pointwise=True
        ) if is_read_once(before):
            kernel = np.einsum(
                "hwcm,mf->hwcf", before.kernel, node.kernel[0, 0]
            )
            if kernel.size <= before.kernel.size + node.kernel.size:
                return dataclasses.replace(
                    before,
                    kernel=kernel,
                    bias=before.bias @ node.kernel[0, 0] + node.bias,
                )
    return node


def gather_sums(outputs: Outputs) -> dict[str, Node]:
    """Adds before enlarging, and puts summands of constants into a bias."""
    return nodes.rewrite(outputs, _gathered)


def _gathered(node: Node, is_read_once: ReadOnce) -> Node:
    if not isinstance(node, Sum):
        return node
    terms: list[Node] = []
    for term in node.inputs:
        is_inner = isinstance(term, Sum) and is_read_once(term)
        terms.extend(term.inputs if is_inner else (term,))

    def enlarged_from(term: Node) -> float:
        is_enlarged = isinstance(term, Resizing) and term.enlarges
        if is_enlarged and is_read_once(term):
            return term.inputs[0].stride
        return 0

    # Stable: equal strides keep their order, and what is not enlarged leads.
    terms.sort(key=enlarged_from)
    gathered: list[Node] = []
    for stride, group in itertools.groupby(terms, enlarged_from):
        members = list(group)
        if stride and len(members) > 1:
            inner = Sum(tuple(term.inputs[0] for term in members))
            members = [Resizing((inner,), members[0].target)]
        gathered.extend(members)
    gathered = _without_shifts(gathered, is_read_once)
    return gathered[0] if len(gathered) == 1 else Sum(tuple(gathered))


def _without_shifts(terms: list[Node], is_read_once: ReadOnce) -> list[Node]:
    """Moves the summands of scalings into the bias of a convolution."""
    holder = next(
        (
            number
            for number, term in enumerate(terms)
            if isinstance(term, Convolution) and is_read_once(term)
        ),
        None,
    )
    if holder is None:
        return terms
    for number, term in enumerate(terms):
        if isinstance(term, Scaling) and is_read_once(term):
            terms[holder] = dataclasses.replace(
                terms[holder], bias=terms[holder].bias + term.shift
            )
            terms[number] = dataclasses.replace(
                term, shift=np.zeros_like(term.shift)
            )
    return terms


def share_equal(outputs: Outputs) -> dict[str, Node]:
    """Computes once what several read, a ReLU above all."""
    known: dict[tuple, Node] = {}

    def shared(node: Node, is_read_once: ReadOnce) -> Node:
        del is_read_once
        if not isinstance(node, _WITHOUT_WEIGHTS):
            return node
        settings = tuple(
            getattr(node, field.name)
            for field in dataclasses.fields(node)
            if field.name != "inputs"
        )
        identity = (type(node), settings, *map(id, node.inputs))
        return known.setdefault(identity, node)

    return nodes.rewrite(outputs, shared)


def densify_dilations(
    outputs: Outputs, image_size: tuple[int, int]
) -> dict[str, Node]:
    """Convolves densely where that costs less than the steps of a factor each.

    Args:
        outputs: The network.
        image_size: (height, width) of the picture.
    """

    def densified(node: Node, is_read_once: ReadOnce) -> Node:
        match node:
            case Convolution(
                inputs=(nodes.Depthwise() as before,), is_pointwise=True
            ) if is_read_once(before):
                dense = dataclasses.replace(
                    node,
                    inputs=before.inputs,
                    kernel=before.kernel * node.kernel[0, 0],
                    rate=before.rate,
                )
                factors = node.macs(image_size) + before.macs(image_size)
                # Layout, depthwise, layout.
                if dense.macs(image_size) < factors + 3 * _OPERATION:
                    return dense
        return node

    return nodes.rewrite(outputs, densified)


def rules_for(image_size: tuple[int, int]) -> tuple[Rule, ...]:
    """Returns the rules in the order in which they find most to do.

    Args:
        image_size: (height, width) of the pictures that the network is made
            for; rewritten, it answers at any other size as well.
    """
    return (
        fold_scalings,
        reorder_resizings,
        merge_convolutions,
        gather_sums,
        share_equal,
        functools.partial(densify_dilations, image_size=image_size),
    )


def inference(
    predictions: Mapping[str, Sequence[Node]], image_size: tuple[int, int]
) -> dict[str, Node]:
    """Returns the inference form of a described network.

    Args:
        predictions: Nodes by key and stage, as `description.describe` returns.
        image_size: See `rules_for`.
    """
    outputs = last_stage(predictions)
    for rule in rules_for(image_size):
        outputs = rule(outputs)
    return outputs


class Saving(NamedTuple):
    """What a network costs after a rule.

    Attributes:
        rule: Name of the rule.
        macs: Multiply-accumulates for one picture.
        nodes: Values that are computed.
    """

    rule: str
    macs: int
    nodes: int


def cost_table(
    predictions: Mapping[str, Sequence[Node]], image_size: tuple[int, int]
) -> list[Saving]:
    """Tells what each rule saves, one after the other.

    Args:
        predictions: Nodes by key and stage, as `description.describe` returns.
        image_size: (height, width) of the picture.

    Returns:
        The network as published first, then a row for each rule.
    """
    published = nodes.by_stage(predictions)
    table = [_saving("as published", published, image_size)]
    outputs = last_stage(predictions)
    table.append(_saving(last_stage.__name__, outputs, image_size))
    for rule in rules_for(image_size):
        outputs = rule(outputs)
        name = getattr(rule, "func", rule).__name__
        table.append(_saving(name, outputs, image_size))
    return table


def _saving(rule: str, outputs: Outputs, image_size: tuple[int, int]) -> Saving:
    count = sum(1 for _ in nodes.in_order(outputs.values()))
    return Saving(rule, nodes.total_macs(outputs, image_size), count)
