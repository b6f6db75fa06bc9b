"""Tests of nppnet_tf.reports.page."""

import base64
import collections
import dataclasses
import functools
import html.parser
import pathlib
import re

from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.drawing import genotype_drawing
from nppnet_tf.drawing import line_chart
from nppnet_tf.errors import UserError
from nppnet_tf.reports import page
from nppnet_tf.search_space import published

_VOID = {"meta", "img", "br", "link"}


class _Checker(html.parser.HTMLParser):
    """Collects texts and addresses; notes tags that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.identifiers: list[str] = []
        self.tags: collections.Counter[str] = collections.Counter()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags[tag] += 1
        self.attributes |= values.keys()
        for name in ("src", "href", "data", "action"):
            if name in values:
                self.addresses.append(values[name])
        if tag == "h2":
            self.identifiers.append(values["id"])
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        del tag, attrs

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def _parsed(text: str) -> _Checker:
    checker = _Checker()
    checker.feed(text)
    checker.close()
    return checker


@functools.cache
def _drawing() -> str:
    return genotype_drawing.draw(published.released()).to_svg()


class ReportTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.image = self.folder / "person.png"
        Image.new("RGB", (8, 12), "#336699").save(self.image)
        curve = line_chart.Curve("pose <loss>", ((1, 2.0), (2, 1.0)))
        self.data = page.ReportData(
            title="A & B",
            introduction=("What <this> is.",),
            summary=page.Table(("Network", "mIoU"), (("searched", "0.41"),)),
            protocol={"pictures": "64 held-out"},
            gallery=page.Gallery(
                ("picture", "truth"),
                (page.Example("person_1", (self.image, self.image)),),
                "the first",
                {"Hat": "#800000"},
            ),
            genotype_svg=_drawing(),
            charts=(
                page.ChartGroup(
                    "Search", (line_chart.Chart("losses", (curve,)),)
                ),
            ),
            scores=(
                page.ScoreTable(
                    ("Class", "searched"),
                    (("Hat", (0.25,)), ("Glove", (None,))),
                ),
            ),
            phases=(
                page.Phase("draw", 61.0, ("python -m tools.draw <x>",)),
                page.Phase("search", 30.0, ()),
            ),
            environment={"python": "3.11"},
        )

    def test_page_is_well_formed(self):
        checker = _parsed(page.to_html(self.data))

        self.assertEmpty(checker.faults)
        self.assertEmpty(checker.open)

    def test_nothing_is_fetched(self):
        text = page.to_html(self.data)

        checker = _parsed(text)
        for address in checker.addresses:
            self.assertRegex(address, "^(data:image/|#)")
        self.assertNotRegex(text, r"url\((?!#)|@import|<script|<link")

    def test_links_lead_to_sections_of_the_page(self):
        checker = _parsed(page.to_html(self.data))

        links = [a[1:] for a in checker.addresses if a.startswith("#")]
        self.assertLen(links, 7)
        self.assertEqual(links, checker.identifiers)

    def test_pictures_are_embedded_byte_by_byte(self):
        text = page.to_html(self.data)

        found = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
        self.assertLen(found, 2)
        self.assertEqual(base64.b64decode(found[0]), self.image.read_bytes())

    def test_words_arrive_as_written(self):
        words = "\n".join(_parsed(page.to_html(self.data)).words)

        for expected in (
            "A & B",
            "What <this> is.",
            "pose <loss>",
            "python -m tools.draw <x>",
            "64 held-out",
        ):
            self.assertIn(expected, words)

    def test_names_that_look_like_html_stay_text(self):
        hostile = "</title></style><script>x()</script>'\"><img onerror=x()>"
        curve = line_chart.Curve(hostile, ((1, 2.0), (2, 1.0)))
        data = page.ReportData(
            title=hostile,
            introduction=(hostile,),
            summary=page.Table(
                (hostile,), ((hostile,),), caption=hostile, note=hostile
            ),
            protocol={hostile: hostile},
            gallery=page.Gallery(
                (hostile,),
                (page.Example(hostile, (self.image,)),),
                hostile,
                {hostile: "#800000"},
            ),
            genotype_svg=self.data.genotype_svg,
            genotype_note=hostile,
            charts=(
                page.ChartGroup(
                    hostile, (line_chart.Chart(hostile, (curve,)),), hostile
                ),
            ),
            scores=(
                page.ScoreTable(
                    (hostile, hostile), ((hostile, (0.25,)),), hostile, hostile
                ),
            ),
            phases=(page.Phase(hostile, 61.0, (hostile,)),),
            environment={hostile: hostile},
        )

        checker = _parsed(page.to_html(data))

        self.assertEmpty(checker.faults)
        self.assertEmpty(checker.open)
        self.assertEqual(checker.tags["script"], 0)
        self.assertEqual(checker.tags["img"], 1)
        self.assertNotIn("onerror", checker.attributes)
        # Title twice; introduction; table 4; protocol 2; pictures 4; note;
        # charts 6; scores 5; phases 3; environment 2.
        words = "\n".join(checker.words)
        self.assertEqual(words.count(hostile), 30)

    def test_names_that_are_no_text_are_written_as_escapes(self):
        data = dataclasses.replace(
            self.data,
            title="\udcff \x1b[1m",
            phases=(page.Phase("draw", 1.0, ("first \udcfe", "second")),),
        )
        path = self.folder / "report.html"

        page.write(data, path)

        words = _parsed(path.read_text()).words
        self.assertIn("\\xff \\x1b[1m", words)
        self.assertIn("first \\xfe\nsecond", words)

    def test_times_add_up(self):
        words = _parsed(page.to_html(self.data)).words

        self.assertContainsSubset(["1:01 min", "30 s", "1:31 min"], words)

    def test_a_score_of_a_quarter_fills_a_quarter(self):
        text = page.to_html(self.data)

        self.assertIn('style="width:25.0%"', text)
        self.assertIn("<b>0.250</b>", text)
        self.assertIn("<b>-</b>", text)

    def test_empty_parts_are_left_out(self):
        data = page.ReportData("t", (), self.data.summary, {})

        checker = _parsed(page.to_html(data))

        self.assertEqual(checker.identifiers, ["result"])

    def test_write_makes_the_file_and_nothing_else(self):
        path = self.folder / "page" / "page.html"

        page.write(self.data, path)

        self.assertEqual(list(path.parent.iterdir()), [path])
        self.assertEqual(path.read_text(), page.to_html(self.data))

    @parameterized.named_parameters(
        ("absent", "absent.png", "cannot be read"),
        ("other_kind", "person.gif", "cannot be embedded"),
        ("empty", "empty.png", "neither JPEG nor PNG"),
        ("cut", "cut.png", "is damaged"),
    )
    def test_bad_picture_is_named_and_leaves_no_page(self, name, problem):
        (self.folder / "empty.png").touch()
        whole = self.image.read_bytes()
        (self.folder / "cut.png").write_bytes(whole[:-9])
        example = page.Example("x", (self.image, self.folder / name))
        gallery = dataclasses.replace(self.data.gallery, examples=(example,))
        data = dataclasses.replace(self.data, gallery=gallery)
        path = self.folder / "page.html"

        with self.assertRaisesRegex(UserError, f"{problem}.*{name}"):
            page.write(data, path)

        self.assertFalse(path.exists())

    def test_rows_that_do_not_fit_are_refused(self):
        with self.assertRaisesRegex(ValueError, "2 columns. Received: row"):
            page.Table(("a", "b"), (("1",),))


if __name__ == "__main__":
    absltest.main()
