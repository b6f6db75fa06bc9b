"""Tests of a searched or derived branch."""

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.models.encoder_decoder import EncoderDecoder
from nppnet_tf.search_space import published
from tests.models import pyramids

POSE = published.released().encoder_decoder.pose


class EncoderDecoderTest(parameterized.TestCase):
    def test_has_the_pyramid_of_equation_3(self):
        branch = EncoderDecoder(8, 8, POSE)

        pyramids.assert_equation_3(self, branch, channels=8)

    def test_reduction_cells_stand_at_the_quarters(self):
        branch = EncoderDecoder(16, 12)

        kinds = [cell.kind for cell in branch.encoder]

        reductions = [i for i, kind in enumerate(kinds) if kind == "reduction"]
        self.assertEqual(reductions, [3, 6, 9])
        self.assertLen(branch.decoder, 3)

    @parameterized.parameters(0, 3)
    def test_cells_that_do_not_quarter_are_refused(self, cells):
        with self.assertRaisesRegex(ValueError, f"num_cells={cells}"):
            EncoderDecoder(16, cells)

    def test_odd_width_is_refused(self):
        with self.assertRaisesRegex(ValueError, "twice the channel proportion"):
            EncoderDecoder(12, 4)

    def test_config_makes_the_same_layer(self):
        layer = EncoderDecoder(8, 4, POSE)

        copy = EncoderDecoder.from_config(layer.get_config())

        self.assertEqual(copy.get_config(), layer.get_config())


if __name__ == "__main__":
    absltest.main()
