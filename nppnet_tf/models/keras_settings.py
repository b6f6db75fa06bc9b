"""What a program, or a keras.json of the user's, has set for all of Keras.

The order of dimensions that Keras calls `image_data_format` has no part here:
layers compute with TensorFlow, channels last. The type of numbers has one.
"""

import keras

from nppnet_tf.errors import UserError

# The second for tests of gradients by finite differences.
_TYPES = ("float32", "float64")


def require_usable() -> None:
    """Refuses settings under which a network would be another one.

    Weights of the float16 that a keras.json asks for overflow in training and
    answer differently; another backend has no TensorFlow graph.

    Raises:
        UserError: The backend is another, or layers would not compute in
            float32.
    """
    policy = keras.config.dtype_policy()
    found = (
        keras.config.backend(),
        policy.variable_dtype,
        policy.compute_dtype,
    )
    if found[0] != "tensorflow" or not set(found[1:]) <= set(_TYPES):
        raise UserError(
            "Keras is set up for other networks",
            "keras.json, KERAS_BACKEND or keras.config",
            "the backend tensorflow and floatx float32",
            f"{found[0]}, variables in {found[1]}, computed in {found[2]}",
        )
