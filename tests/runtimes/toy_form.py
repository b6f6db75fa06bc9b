"""A form of every kind of node that answers as a network of people does."""

import dataclasses
import functools
import pathlib

import numpy as np
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.form import nodes
from nppnet_tf.form.execution import Form
from nppnet_tf.inference.model_description import ModelDescription
from nppnet_tf.runtimes import packages
from nppnet_tf.runtimes import runtime as runtimes
from nppnet_tf.runtimes import table

SIZE = (64, 96)

DESCRIPTION = ModelDescription(
    name="toy",
    version=1,
    descriptor=LIP,
    image_size=SIZE,
    weights_sha256="0" * 64,
    software_version="1.2",
)


def outputs():
    """Returns the form: some kernels, and every other kind of node once."""
    generator = np.random.default_rng(3)

    def convolution(node, filters, size=3, **settings):
        shape = (size, size, node.channels, filters)
        kernel = generator.normal(0, 0.2, shape).astype(np.float32)
        bias = generator.normal(size=filters).astype(np.float32)
        return nodes.Convolution((node,), kernel, bias, **settings)

    half = nodes.Rectification((convolution(nodes.Picture(()), 8, step=2),))
    quarter = nodes.MaxPooling((half,), 2)
    depthwise = generator.normal(0, 0.3, (3, 3, 8, 1)).astype(np.float32)
    dilated = nodes.Depthwise((quarter,), depthwise, 2)
    scaled = nodes.Scaling(
        (dilated,),
        generator.uniform(0.5, 2, 8).astype(np.float32),
        generator.normal(size=8).astype(np.float32),
    )
    low = nodes.Resizing((convolution(nodes.AveragePooling((half,)), 8),), 4)
    up = nodes.Resizing((nodes.AveragePooling((quarter,)),), 4)
    factor = nodes.Sigmoid((convolution(nodes.GlobalMean((quarter,)), 8, 1),))
    product = nodes.Product((nodes.Slice((half,), 1, 2), factor))
    both = nodes.Concatenation((nodes.Sum((scaled, low, up)), product))
    return {
        keys.HEATMAPS: convolution(both, LIP.num_keypoints, 1),
        keys.PARSING_LOGITS: convolution(both, LIP.num_classes),
    }


@functools.cache
def inputs(count=4):
    """Returns inputs, float32 [1, height, width, 3] each."""
    generator = np.random.default_rng(5)
    return [
        generator.normal(size=(1, *SIZE, 3)).astype(np.float32)
        for _ in range(count)
    ]


@functools.cache
def form():
    """Returns the function that TensorFlow computes."""
    return tf.function(Form(outputs()))


def write(folder, name, precision=runtimes.FLOAT32):
    """Writes a model of a runtime with its description; returns its file."""
    runtime = table.RUNTIMES[name]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source = runtimes.Source(outputs(), SIZE, inputs())
    entry = packages.write(runtime, source, precision, folder)
    description = dataclasses.replace(DESCRIPTION, runtime=entry)
    (folder / packages.DESCRIPTION_FILE).write_text(description.to_json())
    return folder / runtime.file
