"""Tests of nppnet_tf.inference.line_chart."""

import math
import xml.etree.ElementTree

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.inference import line_chart

_SVG = "{http://www.w3.org/2000/svg}"


def _parsed(chart: line_chart.Chart) -> xml.etree.ElementTree.Element:
    return xml.etree.ElementTree.fromstring(line_chart.to_svg(chart))


def _lines(root: xml.etree.ElementTree.Element) -> list[list[list[float]]]:
    """Points of every coloured curve, in pixels."""
    return [
        [[float(v) for v in point.split(",")] for point in line.split()]
        for line in (
            element.get("points")
            for element in root.findall(f"{_SVG}polyline")
            if element.find(f"{_SVG}title") is not None
        )
    ]


class TicksTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("unit", 0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ("epochs", 1.0, 30.0, [10.0, 20.0, 30.0]),
        ("around_zero", -1.0, 1.0, [-1.0, -0.5, 0.0, 0.5, 1.0]),
        ("tiny", 0.0, 5e-4, [0.0, 1e-4, 2e-4, 3e-4, 4e-4, 5e-4]),
    )
    def test_ticks_are_round(self, low, high, expected):
        found = line_chart.ticks(low, high)

        self.assertLen(found, len(expected))
        for value, wanted in zip(found, expected, strict=True):
            self.assertAlmostEqual(value, wanted)


class ToSvgTest(parameterized.TestCase):
    def test_curve_spans_the_plot_linearly(self):
        curve = line_chart.Curve("a", ((1, 0.0), (2, 0.5), (3, 1.0)))
        chart = line_chart.Chart("t", (curve,), y_limits=(0.0, 1.0))

        (points,) = _lines(_parsed(chart))

        left, top, right, bottom = line_chart._PLOT
        self.assertEqual(points[0], [left, bottom])
        self.assertEqual(points[1], [(left + right) / 2, (top + bottom) / 2])
        self.assertEqual(points[2], [right, top])

    def test_logarithm_turns_decay_into_a_straight_line(self):
        points = tuple((x, 10.0**-x) for x in range(5))
        chart = line_chart.Chart(
            "t", (line_chart.Curve("a", points),), is_logarithmic=True
        )

        (pixels,) = _lines(_parsed(chart))

        steps = [b[1] - a[1] for a, b in zip(pixels, pixels[1:], strict=False)]
        self.assertAlmostEqual(max(steps), min(steps), delta=0.2)
        self.assertGreater(min(steps), 10)

    def test_values_that_are_not_finite_leave_a_gap(self):
        points = ((1, 1.0), (2, 2.0), (3, math.nan), (4, 1.0), (5, 3.0))
        chart = line_chart.Chart("t", (line_chart.Curve("a", points),))

        lines = _lines(_parsed(chart))

        self.assertEqual([len(line) for line in lines], [2, 2])

    def test_one_value_is_a_dot(self):
        chart = line_chart.Chart("t", (line_chart.Curve("a", ((1, 2.0),)),))

        root = _parsed(chart)

        self.assertLen(root.findall(f"{_SVG}circle"), 1)

    def test_legend_names_every_curve_and_keeps_special_letters(self):
        curves = tuple(
            line_chart.Curve(f"<{n}>", ((1, n), (2, n))) for n in range(3)
        )

        root = _parsed(line_chart.Chart("a & b", curves))

        texts = [element.text for element in root.findall(f"{_SVG}text")]
        self.assertContainsSubset(["<0>", "<1>", "<2>"], texts)
        self.assertEqual(root.find(f"{_SVG}title").text, "a & b")

    def test_everything_lies_inside_the_picture(self):
        curves = tuple(
            line_chart.Curve(str(n), tuple((x, x * n) for x in range(9)))
            for n in range(7)
        )

        root = _parsed(line_chart.Chart("t", curves))

        height = float(root.get("height"))
        for element in root.findall(f"{_SVG}text"):
            self.assertLess(float(element.get("y")), height)
        for line in _lines(root):
            for x, y in line:
                self.assertBetween(x, 0, float(root.get("width")))
                self.assertBetween(y, 0, height)

    def test_ticks_of_nearly_equal_values_are_told_apart(self):
        curve = line_chart.Curve("a", ((1, 2.0794411), (2, 2.0794415)))

        root = _parsed(line_chart.Chart("t", (curve,)))

        texts = [
            element.text
            for element in root.findall(f"{_SVG}text")
            if element.text.startswith("2.07")
        ]
        self.assertGreater(len(texts), 2)
        self.assertLen(set(texts), len(texts))

    def test_chart_without_values_is_refused(self):
        chart = line_chart.Chart(
            "empty", (line_chart.Curve("a", ((1, math.nan),)),)
        )

        with self.assertRaisesRegex(ValueError, "Received: chart='empty'"):
            line_chart.to_svg(chart)


if __name__ == "__main__":
    absltest.main()
