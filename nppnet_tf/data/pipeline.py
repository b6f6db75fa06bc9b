"""Batches made of records, for programs of others: an import path that stays.

    from nppnet_tf.data import pipeline

    dataset = pipeline.make_dataset(records, config, training=True)

Rooms of the package may change; notebooks that make batches by this path keep
working. Within the package `data.samples.batches` is imported.
"""

from nppnet_tf.data.samples.batches import make_dataset

__all__ = ["make_dataset"]
