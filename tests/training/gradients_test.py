"""Tests of nppnet_tf.training.gradients."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import config
from nppnet_tf import keys
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.record import Record
from nppnet_tf.data.samples.augmentation import Transform
from nppnet_tf.data.samples.sample import augmented_sample
from nppnet_tf.pictures import picture_files
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.training import gradients
from nppnet_tf.training import retrain
from nppnet_tf.training import search

_NETWORK = config.NetworkConfig(channels=16, cells=4, num_fusion_cells=1)
_LOSS = config.LossConfig(class_weights=tuple(LIP.class_weights))


def _sums(graph):
    """Numbers of summands of every AddN of a graph and its functions."""
    definition = graph.as_graph_def()
    nodes = [
        *definition.node,
        *(n for f in definition.library.function for n in f.node_def),
    ]
    return [node.attr["N"].i for node in nodes if node.op == "AddN"]


class AddInOrderTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        gradients.add_in_order()

    @parameterized.parameters(1, 2, 3, 9)
    def test_gradients_of_many_readers_are_their_sum(self, readers):
        @tf.function
        def slope(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.add_n([x**power for power in range(1, readers + 1)])
            return tape.gradient(y, x)

        x = tf.constant([0.5, -2.0])

        np.testing.assert_allclose(
            slope(x),
            sum(p * x.numpy() ** (p - 1) for p in range(1, readers + 1)),
            rtol=1e-6,
        )

    def test_slices_of_a_table_still_add_up(self):
        table = tf.Variable([[1.0], [2.0], [3.0]])
        with tf.GradientTape() as tape:
            y = tf.add_n(
                [tf.reduce_sum(tf.gather(table, [i, 0])) for i in (0, 1, 2)]
            )

        found = tf.convert_to_tensor(tape.gradient(y, table))
        np.testing.assert_array_equal(found, [[4.0], [1.0], [1.0]])


# Of a step through cells and a fusion; 9,781 today.
MOST_NODES = 11_000


class TracedStepTest(absltest.TestCase):
    """Of several summands, AddN chooses the first."""

    def _assert_ordered(self, model, step, data):
        function = tf.function(getattr(model, step), autograph=False)
        graph = function.get_concrete_function(data).graph

        self.assertEmpty(_sums(graph))
        return graph

    def test_a_training_step_has_few_nodes_and_no_open_sum(self):
        released = published.released()
        model = retrain.make_retrain_model(
            # Most readers have the cells of the encoder-decoder.
            genotypes.Genotype(
                released.encoder_decoder, genotypes.OMIT, released.fusion
            ),
            _NETWORK,
            _LOSS,
            config.RetrainConfig(),
            LIP,
            tf.distribute.get_strategy(),
        )

        graph = self._assert_ordered(model, "train_step", _batch())

        self.assertLess(len(graph.get_operations()), MOST_NODES)

    def test_no_sum_of_a_descent_of_alpha_is_left_open(self):
        model = search.make_search_model(
            # Edges of one kind: every node adds up all operations of its edges.
            genotypes.Genotype(
                genotypes.UNET, genotypes.OMIT, genotypes.SEARCH
            ),
            _NETWORK,
            _LOSS,
            config.SearchConfig(),
            tf.distribute.get_strategy(),
        )

        self._assert_ordered(
            model, "architecture_step", {keys.ARCHITECTURE_SPLIT: _batch()}
        )


def _batch():
    record = Record(
        "a", picture_files.encode_png(np.zeros((64, 64, 3), np.uint8))
    )
    inputs = config.InputConfig(
        image_size=(64, 64), batch_size=2, heatmap_sigma=3.0
    )
    sample = augmented_sample(record, Transform(), LIP, inputs)
    batch = {
        name: tf.constant(np.stack([value, value]))
        for name, value in sample.items()
    }
    batch[keys.IMAGE] = tf.cast(batch[keys.IMAGE], tf.float32)
    for name in (keys.LABEL_MAP, keys.BOUNDARY_MAP):
        batch[name] = tf.cast(batch[name], tf.int32)
    return batch


if __name__ == "__main__":
    absltest.main()
