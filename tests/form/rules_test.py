"""Every rule changes what it says, and no answer."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.form import description
from nppnet_tf.form import nodes
from nppnet_tf.form import rules
from nppnet_tf.form.execution import Form
from tests.form import networks

SIZE = (16, 24)


def kinds(outputs):
    """Returns the names of the nodes of a network, in order."""
    found = nodes.in_order(outputs.values())
    return [type(node).__name__ for node in found]


class RulesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.generator = np.random.default_rng(0)
        self.picture = nodes.Picture(())

    def numbers(self, *shape):
        return self.generator.normal(size=shape).astype(np.float32)

    def convolution(self, read, filters=4, size=1, step=1):
        kernel = self.numbers(size, size, read.channels, filters)
        bias = self.numbers(filters)
        return nodes.Convolution((read,), kernel, bias, step)

    def scaling(self, read):
        channels = read.channels
        return nodes.Scaling(
            (read,), self.numbers(channels), self.numbers(channels)
        )

    def rewritten(self, rule, **outputs):
        """Applies a rule and holds the answers equal."""
        renewed = rule(outputs)
        picture = tf.random.stateless_normal([2, *SIZE, 3], [1, 2])
        before, after = Form(outputs)(picture), Form(renewed)(picture)
        for name, value in before.items():
            np.testing.assert_allclose(after[name], value, atol=2e-5)
        return renewed

    @parameterized.parameters([1, 1], [3, 1], [3, 2])
    def test_a_normalization_goes_into_the_convolution_before(self, size, step):
        before = self.convolution(self.picture, size=size, step=step)

        renewed = self.rewritten(rules.fold_scalings, out=self.scaling(before))

        self.assertEqual(kinds(renewed), ["Picture", "Convolution"])

    def test_a_normalization_goes_into_both_halves_of_a_reduction(self):
        odd = nodes.Slice((self.picture,), 1, 1)
        halves = [self.convolution(x, 2, step=2) for x in (self.picture, odd)]
        joined = nodes.Concatenation(tuple(halves))

        renewed = self.rewritten(rules.fold_scalings, out=self.scaling(joined))

        self.assertNotIn("Scaling", kinds(renewed))

    def test_a_normalization_goes_into_the_pointwise_convolution_behind(self):
        pooled = self.scaling(nodes.MaxPooling((self.picture,)))

        renewed = self.rewritten(
            rules.fold_scalings, out=self.convolution(pooled)
        )

        self.assertNotIn("Scaling", kinds(renewed))

    def test_a_normalization_stays_before_what_pads(self):
        pooled = self.scaling(nodes.MaxPooling((self.picture,)))

        renewed = self.rewritten(
            rules.fold_scalings, out=self.convolution(pooled, size=3)
        )

        self.assertIn("Scaling", kinds(renewed))

    def test_a_convolution_that_others_read_keeps_its_own_scale(self):
        before = self.convolution(self.picture)

        renewed = self.rewritten(
            rules.fold_scalings, out=self.scaling(before), other=before
        )

        self.assertIn("Scaling", kinds(renewed))

    @parameterized.parameters(
        [True, ["Picture", "AveragePooling", "Convolution", "Resizing"]],
        [False, ["Picture", "Resizing", "Convolution"]],
    )
    def test_convolutions_go_where_pixels_are_few(self, enlarges, order):
        if enlarges:
            small = nodes.AveragePooling((self.picture,))
            out = self.convolution(nodes.Resizing((small,), 1))
        else:
            out = nodes.Resizing((self.convolution(self.picture),), 2)

        renewed = self.rewritten(rules.reorder_resizings, out=out)

        self.assertEqual(kinds(renewed), order)

    def test_two_convolutions_become_one(self):
        first = self.convolution(self.picture, 4, size=3)

        renewed = self.rewritten(
            rules.merge_convolutions, out=self.convolution(first, 4)
        )

        self.assertEqual(kinds(renewed), ["Picture", "Convolution"])

    def test_two_that_cost_less_stay_two(self):
        narrow = self.convolution(self.picture, 1, size=3)
        outputs = {"out": self.convolution(narrow, 64)}

        renewed = self.rewritten(rules.merge_convolutions, **outputs)

        self.assertEqual(kinds(renewed), kinds(outputs))

    def test_sums_are_taken_before_enlarging(self):
        small = nodes.AveragePooling((self.picture,))
        terms = [
            nodes.Resizing((self.convolution(small),), 1) for _ in range(2)
        ]
        own = self.convolution(self.picture)
        inner = nodes.Sum((terms[0], own))

        renewed = self.rewritten(
            rules.gather_sums, out=nodes.Sum((inner, terms[1]))
        )

        self.assertEqual(kinds(renewed).count("Resizing"), 1)

    def test_summands_of_a_scaling_go_into_a_bias(self):
        pooled = self.scaling(nodes.MaxPooling((self.picture,)))
        out = nodes.Sum((pooled, self.convolution(self.picture, 3)))

        renewed = self.rewritten(rules.gather_sums, out=out)

        (scaling,) = [
            node
            for node in nodes.in_order(renewed.values())
            if isinstance(node, nodes.Scaling)
        ]
        self.assertFalse(scaling.shift.any())

    def test_equal_values_are_computed_once(self):
        twice = [
            self.convolution(nodes.Rectification((self.picture,)))
            for _ in range(2)
        ]

        renewed = self.rewritten(rules.share_equal, a=twice[0], b=twice[1])

        self.assertEqual(kinds(renewed).count("Rectification"), 1)

    def test_values_of_other_settings_are_not_shared(self):
        outputs = {
            "a": nodes.Slice((self.picture,), 0, 2),
            "b": nodes.Slice((self.picture,), 1, 2),
        }

        renewed = self.rewritten(rules.share_equal, **outputs)

        self.assertIsNot(renewed["a"], renewed["b"])

    @parameterized.parameters([1], [2], [4])
    def test_factors_become_dense_where_they_are_small(self, rate):
        kernel = self.numbers(3, 3, 3, 1)
        factor = nodes.Depthwise((self.picture,), kernel, rate)
        outputs = {"out": self.convolution(factor)}

        renewed = self.rewritten(
            lambda outputs: rules.densify_dilations(outputs, SIZE), **outputs
        )
        kept = rules.densify_dilations(outputs, (4096, 4096))

        self.assertEqual(kinds(renewed), ["Picture", "Convolution"])
        self.assertEqual(kinds(kept), kinds(outputs))


class InferenceTest(absltest.TestCase):
    """Of the released network: tests/models/cost_test.py."""

    def test_the_table_tells_of_every_rule(self):
        network = networks.settled(networks.random_genotype(0))
        described = description.describe(network)

        table = rules.cost_table(described, SIZE)

        self.assertLen(table, 2 + len(rules.rules_for(SIZE)))
        work = {row.rule: row.macs for row in table}
        count = {row.rule: row.nodes for row in table}
        # Only what is made dense takes more work, in fewer operations.
        dense = work.pop("densify_dilations")
        falling = list(work.values())
        self.assertEqual(falling, sorted(falling, reverse=True))
        self.assertGreater(dense, falling[-1])
        self.assertLess(count["densify_dilations"], count["share_equal"])
        outputs = rules.inference(described, SIZE)
        self.assertEqual(nodes.total_macs(outputs, SIZE), dense)


if __name__ == "__main__":
    absltest.main()
