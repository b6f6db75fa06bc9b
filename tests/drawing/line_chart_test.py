"""Tests of nppnet_tf.drawing.line_chart."""

import math
import xml.etree.ElementTree

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.drawing import figures
from nppnet_tf.drawing import line_chart

_SVG = "{http://www.w3.org/2000/svg}"


def _chart(*curves: tuple, **settings) -> line_chart.Chart:
    return line_chart.Chart(
        "t",
        tuple(
            line_chart.Curve(str(number), points)
            for number, points in enumerate(curves)
        ),
        **settings,
    )


def _axes(chart: line_chart.Chart):
    (axes,) = line_chart.figure(chart).axes
    return axes


def _tick_texts(chart: line_chart.Chart) -> list[str]:
    """What stands beside the y axis."""
    root = xml.etree.ElementTree.fromstring(line_chart.to_svg(chart))
    return [element.text for element in root.iter(f"{_SVG}text")]


class FigureTest(parameterized.TestCase):
    def test_curves_hold_the_points_in_their_order(self):
        points = ((1, 0.0), (2, 0.5), (3, 1.0))

        (line,) = _axes(_chart(points)).lines

        self.assertEqual(tuple(map(tuple, line.get_xydata())), points)

    def test_axes_end_at_the_first_and_last_x(self):
        axes = _axes(_chart(((1, 3.0), (7, 5.0)), ((2, 1.0), (30, 2.0))))

        self.assertEqual(axes.get_xlim(), (1, 30))

    def test_axes_of_what_is_not_negative_start_at_zero(self):
        self.assertEqual(_axes(_chart(((1, 0.1), (2, 5.0)))).get_ylim()[0], 0)
        self.assertLess(_axes(_chart(((1, -1.0), (2, 5.0)))).get_ylim()[0], -1)
        self.assertGreater(_axes(_chart(((1, 4.0), (2, 5.0)))).get_ylim()[0], 3)

    def test_limits_are_kept(self):
        axes = _axes(_chart(((1, 0.4), (2, 0.5)), y_limits=(0.0, 1.0)))

        self.assertEqual(axes.get_ylim(), (0.0, 1.0))

    def test_a_logarithmic_axis_runs_from_power_to_power(self):
        chart = _chart(((1, 0.02), (2, 0.0), (3, 3.0)), is_logarithmic=True)

        axes = _axes(chart)

        self.assertEqual(axes.get_yscale(), "log")
        self.assertEqual(axes.get_ylim(), (0.01, 10.0))
        self.assertContainsSubset(
            ["0.01", "0.1", "1", "10"], _tick_texts(chart)
        )

    def test_values_that_are_not_finite_leave_a_gap(self):
        points = ((1, 1.0), (2, 2.0), (3, math.nan), (4, 1.0), (5, 3.0))

        lines = _axes(_chart(points)).lines

        self.assertEqual([len(line.get_xydata()) for line in lines], [2, 2])
        self.assertLen({line.get_color() for line in lines}, 1)

    def test_values_that_leave_no_room_for_others_are_left_out(self):
        for value in (math.nan, math.inf, -1e308, 1e308, 10**400):
            for is_logarithmic in (False, True):
                with self.subTest(str(value)[:9], log=is_logarithmic):
                    chart = _chart(
                        ((1, value), (2, 3.0)), is_logarithmic=is_logarithmic
                    )
                    self.assertTrue(line_chart.has_values(chart))
                    self.assertIn("3 at 2", line_chart.to_svg(chart))
                    alone = _chart(((1, value),), is_logarithmic=is_logarithmic)
                    self.assertFalse(line_chart.has_values(alone))

    def test_a_logarithmic_axis_has_no_place_for_zero(self):
        self.assertTrue(line_chart.has_values(_chart(((1, 0.0),))))
        self.assertFalse(
            line_chart.has_values(_chart(((1, 0.0),), is_logarithmic=True))
        )

    def test_one_value_is_a_dot(self):
        (dot,) = _axes(_chart(((1, 2.0),))).lines

        self.assertEqual(dot.get_marker(), "o")

    def test_epochs_are_whole_numbers(self):
        for points in (((1, 2.0),), ((1, 2.0), (2, 3.0))):
            low, high = _axes(_chart(points)).get_xlim()
            ticks = [
                tick
                for tick in _axes(_chart(points)).get_xticks()
                if low <= tick <= high
            ]
            self.assertEqual(ticks, [x for x, _ in points])

    def test_ticks_of_nearly_equal_values_are_told_apart(self):
        texts = [
            text
            for text in _tick_texts(_chart(((1, 2.0794411), (2, 2.0794415))))
            if text.startswith("2.07")
        ]

        self.assertGreater(len(texts), 2)
        self.assertLen(set(texts), len(texts))

    def test_a_chart_is_drawn_into_a_figure_of_several(self):
        with figures.style():
            figure = figures.new(800, 300)
            for axes in figure.subplots(1, 2):
                line_chart.draw(_chart(((1, 1.0), (2, 3.0))), axes)

        self.assertEqual([len(axes.lines) for axes in figure.axes], [1, 1])

    def test_chart_without_values_is_refused(self):
        chart = line_chart.Chart(
            "empty", (line_chart.Curve("a", ((1, math.nan),)),)
        )

        with self.assertRaisesRegex(ValueError, "Received: chart='empty'"):
            line_chart.to_svg(chart)


class ToSvgTest(absltest.TestCase):
    def test_legend_names_every_curve_and_keeps_special_letters(self):
        names = ("<0>", "$x^2$", "_private", "without a value")
        curves = tuple(
            line_chart.Curve(name, ((1, 1.0), (2, 2.0))) for name in names[:-1]
        )
        chart = line_chart.Chart(
            "a & b", (*curves, line_chart.Curve(names[-1], ()))
        )

        root = xml.etree.ElementTree.fromstring(line_chart.to_svg(chart))

        texts = [element.text for element in root.iter(f"{_SVG}text")]
        self.assertContainsSubset(names, texts)
        self.assertEqual(root.find(f"{_SVG}title").text, "a & b")

    def test_every_curve_says_where_it_ends(self):
        chart = line_chart.Chart(
            "t", (line_chart.Curve("<loss>", ((1, 2.0), (30, 0.123456))),)
        )

        root = xml.etree.ElementTree.fromstring(line_chart.to_svg(chart))

        titles = [element.text for element in root.iter(f"{_SVG}title")]
        self.assertEqual(titles, ["t", "<loss>: 0.1235 at 30"])


if __name__ == "__main__":
    absltest.main()
