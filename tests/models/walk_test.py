"""Tests of nppnet_tf.models.walk: features are words that tell their way."""

from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.models import walk

_POSE, _PARSING = keys.POSE, keys.PARSING


class PyramidsTest(absltest.TestCase):
    def test_encoders_see_two_states_and_decoders_the_level_of_their_size(self):
        def encode(branch, level, states):
            return states[1], f"{level}"

        found = walk.pyramids(
            {_POSE: ("a", "b")},
            encode,
            lambda branch, level, low, skip: f"{level}<{low[0]}|{skip[0]}",
            lambda level, features: {},
        )

        # Eq. 3: 4 is of the size of 2, 5 of 1 and 6 of 0.
        self.assertEqual(
            found,
            {_POSE: ["0", "1", "2", "3", "4<3|2", "5<4|1", "6<5|0"]},
        )

    def test_what_is_exchanged_stands_where_the_next_level_reads(self):
        read = []

        def encode(branch, level, states):
            read.append((branch, level, states))
            return states[1], f"{branch}{level}"

        def decode(branch, level, low, skip):
            read.append((branch, level, (low, skip)))
            return f"{branch}{level}"

        def exchange(level, features):
            read.append(("exchange", level, dict(features)))
            return {name: f"{each}*" for name, each in features.items()}

        found = walk.pyramids(
            {"x": ("a", "b"), "y": ("c", "d")}, encode, decode, exchange
        )

        self.assertEqual(
            read[:6],
            [
                ("x", 0, ("a", "b")),
                ("y", 0, ("c", "d")),
                ("exchange", 0, {"x": "x0", "y": "y0"}),
                ("x", 1, ("b", "x0*")),
                ("y", 1, ("d", "y0*")),
                ("exchange", 1, {"x": "x1", "y": "y1"}),
            ],
        )
        self.assertEqual(read[12], ("x", 4, ("x3*", "x2*")))
        self.assertEqual(read[-1], ("exchange", 6, {"x": "x6", "y": "y6"}))
        self.assertEqual(found["y"], [f"y{level}*" for level in range(7)])


class FusedTest(absltest.TestCase):
    def test_both_cells_of_a_round_see_the_other_as_it_was(self):
        def fuse(branch, cell, inputs):
            word = f"{cell}({','.join(inputs)})"
            return f"a{cell}", word

        main, auxiliary = walk.fused(
            [{_POSE: "1", _PARSING: "2"}, {_POSE: "3", _PARSING: "4"}],
            {_POSE: "P", _PARSING: "L"},
            {_POSE: "p", _PARSING: "l"},
            fuse,
        )

        self.assertEqual(
            main,
            {
                _POSE: "3(a1,1(p,P,L),2(l,P,L))",
                _PARSING: "4(a2,1(p,P,L),2(l,P,L))",
            },
        )
        self.assertEqual(auxiliary, {_POSE: "a3", _PARSING: "a4"})


class PredictedTest(absltest.TestCase):
    def test_each_head_sees_the_feature_of_its_task(self):
        found = walk.predicted(
            {key: f"head of {key}" for key in walk.PREDICTIONS},
            {_POSE: "P", _PARSING: "L"},
            {_POSE: "p", _PARSING: "l"},
            lambda head, feature: (head, feature),
        )

        self.assertEqual(
            {key: feature for key, (_, feature) in found.items()},
            {
                keys.HEATMAPS: "P",
                keys.AUXILIARY_HEATMAPS: "p",
                keys.PARSING_LOGITS: "L",
                keys.BOUNDARY_LOGITS: "l",
            },
        )
        for key, (head, _) in found.items():
            self.assertEqual(head, f"head of {key}")


if __name__ == "__main__":
    absltest.main()
