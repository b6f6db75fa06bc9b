"""What a program, or a keras.json of the user's, has set for all of Keras.

The order of dimensions that Keras calls `image_data_format` has no part here:
layers compute with TensorFlow, channels last. The type of numbers has one: a
network takes it from who makes it, never from there.
"""

import contextlib
from collections.abc import Iterator

import keras

from nppnet_tf import config as configuration
from nppnet_tf.errors import UserError

# The second for tests of gradients by finite differences.
_TYPES = ("float32", "float64")

_MIXED = "mixed_bfloat16"


def policy_of(precision: str) -> str | None:
    """Returns the `dtype` of a network whose run has a precision.

    Args:
        precision: One of `config.PRECISIONS`.

    Returns:
        Name of a policy of Keras; None for the one in force.
    """
    return _MIXED if precision == configuration.BFLOAT16 else None


@contextlib.contextmanager
def layers_of(policy: keras.DTypePolicy) -> Iterator[None]:
    """Gives the layers that are made meanwhile a policy.

    Keras keeps the policy in force for each thread by itself, so no other
    thread's layers get it.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def require_usable(policy: keras.DTypePolicy) -> None:
    """Refuses settings under which a network would be another one.

    Weights of the float16 that a keras.json asks for overflow in training and
    answer differently; another backend has no TensorFlow graph.

    Args:
        policy: What the network is to be made of.

    Raises:
        UserError: The backend is another, layers would not compute in float32,
            or the network has a policy that is neither float32 nor
            mixed_bfloat16.
    """
    in_force = keras.config.dtype_policy()
    backend = keras.config.backend()
    if backend != "tensorflow" or not _is_whole(in_force):
        raise UserError(
            "Keras is set up for other networks",
            "keras.json, KERAS_BACKEND or keras.config",
            "the backend tensorflow and floatx float32",
            f"{backend}, variables in {in_force.variable_dtype}, computed in "
            f"{in_force.compute_dtype}",
        )
    if policy.name != _MIXED and not _is_whole(policy):
        raise UserError(
            "no type for a network", "`dtype`", f"float32 or {_MIXED}", policy
        )


def _is_whole(policy: keras.DTypePolicy) -> bool:
    return {policy.variable_dtype, policy.compute_dtype} <= set(_TYPES)
