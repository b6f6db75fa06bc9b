"""From a network in memory to the function that answers: one place."""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import tensorflow as tf

from nppnet_tf.form import description
from nppnet_tf.form import rules
from nppnet_tf.form.execution import Form
from nppnet_tf.models.nppnet import NPPNet

Answers = Mapping[str, tf.Tensor]


class Answering(NamedTuple):
    """What answers.

    Attributes:
        function: From float32 [B, H, W, 3], normalized, to the heatmaps [B,
            H/4, W/4, K] and parsing logits [B, H/4, W/4, classes] of the last
            stage.
        variables: What the function reads.
    """

    function: Callable[[tf.Tensor], Answers]
    variables: list[tf.Variable]


def answering(network: Any, image_size: tuple[int, int]) -> Answering:
    """Returns what answers for a network with its present weights.

    Args:
        network: NPPNet, or a Keras model that is called alike; a derived
            network answers by its inference form, anything else, such as a
            class with a `call` of its own, as it is.
        image_size: (height, width) of the pictures that it is made for.
    """
    is_ours = getattr(type(network), "call", None) is NPPNet.call
    if is_ours and not network.is_supernet:
        form = Form(rules.inference(description.describe(network), image_size))
        return Answering(form, form.network_variables)
    variables = [variable.value for variable in network.variables]
    return Answering(last_stage(network), variables)


def last_stage(network: Callable[..., Mapping]) -> Callable[..., dict]:
    """Turns a network with stages into a function of its last stage alone.

    Args:
        network: Called with float32 [B, H, W, 3] and `training=False`; returns
            tuples over stages under the names of `keys`.
    """

    def answer(image: tf.Tensor) -> dict[str, tf.Tensor]:
        prediction = network(image, training=False)
        return {name: prediction[name][-1] for name in rules.ANSWERS}

    return answer
