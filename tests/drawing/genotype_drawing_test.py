"""Tests of nppnet_tf.drawing.genotype_drawing."""

import dataclasses
import functools
import itertools
import pathlib
import xml.etree.ElementTree

from absl.testing import absltest
from absl.testing import parameterized
from matplotlib import colors
from matplotlib import patches
from PIL import Image

from nppnet_tf import keys
from nppnet_tf.drawing import figures
from nppnet_tf.drawing import genotype_drawing
from nppnet_tf.drawing import scene
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import published

# By hand from the published genotype: two cells of 8 operations and one
# decoding cell of 8 per branch, 17 + 9 interactions, two fusion cells of 8.
_RELEASED_OPERATIONS = 2 * 3 * 8 + 17 + 9 + 2 * 8


def _texts(drawing: scene.Scene) -> list[str]:
    return [text.get_text() for text in drawing.axes.texts]


def _operations(drawing: scene.Scene) -> list[str]:
    """Primitives that the drawing names, legend included."""
    words = [text.split()[-1] for text in _texts(drawing)]
    return [word for word in words if word in primitives.known()]


def _boxes(drawing: scene.Scene) -> list[patches.FancyBboxPatch]:
    return [
        patch
        for patch in drawing.axes.patches
        if isinstance(patch, patches.FancyBboxPatch)
    ]


def _operation_boxes(drawing: scene.Scene) -> list[patches.FancyBboxPatch]:
    height = genotype_drawing._OP_HEIGHT
    return [box for box in _boxes(drawing) if box.get_height() == height]


def _overlap(first: patches.FancyBboxPatch, second) -> bool:
    """Whether two boxes share more than a border."""
    return (
        first.get_x() < second.get_x() + second.get_width()
        and second.get_x() < first.get_x() + first.get_width()
        and first.get_y() < second.get_y() + second.get_height()
        and second.get_y() < first.get_y() + first.get_height()
    )


def _is_dashed(box: patches.FancyBboxPatch) -> bool:
    return box.get_linestyle() not in ("-", "solid")


def _with_normal_cell(
    genotype: genotypes.Genotype, cell: genotypes.CellGene
) -> genotypes.Genotype:
    gene = genotype.encoder_decoder
    pose = dataclasses.replace(gene.pose, normal=cell)
    return dataclasses.replace(
        genotype, encoder_decoder=dataclasses.replace(gene, pose=pose)
    )


@functools.cache
def _released() -> scene.Scene:
    """The released genotype, drawn once for what only looks at it."""
    return genotype_drawing.draw(published.released())


class DrawTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.released = published.released()

    def test_every_operation_is_drawn_once_beside_the_legend(self):
        drawing = _released()

        self.assertLen(
            _operations(drawing), _RELEASED_OPERATIONS + len(primitives.known())
        )

    def test_interaction_names_level_and_source(self):
        texts = " ".join(_texts(_released()).copy())

        for branch in keys.BRANCHES:
            nodes = getattr(self.released.interaction, branch)
            for level, node in enumerate(nodes):
                for choice in node:
                    self.assertIn(
                        f"{level} <- {choice.predecessor}   {choice.primitive}",
                        texts,
                    )

    def test_no_two_operations_cover_each_other(self):
        boxes = _operation_boxes(_released())

        for first, second in itertools.combinations(boxes, 2):
            self.assertFalse(_overlap(first, second))

    def test_differing_operations_do_not_cover_each_other(self):
        # The two genotypes share no operation of the normal cell.
        nodes = tuple(
            (
                genotypes.Choice("poled_conv_x1", 0),
                genotypes.Choice("poled_conv_x1", 1),
            )
            for _ in range(4)
        )
        other = _with_normal_cell(self.released, genotypes.CellGene(nodes))

        boxes = _operation_boxes(
            genotype_drawing.draw_difference(self.released, other)
        )

        for first, second in itertools.combinations(boxes, 2):
            self.assertFalse(_overlap(first, second))

    def test_every_name_fits_its_box(self):
        drawing = _released()
        widths = {
            (box.get_x() + box.get_width() / 2, box.get_y() + half): box
            for box in _boxes(drawing)
            for half in (box.get_height() / 2,)
        }

        checked = 0
        for text in drawing.axes.texts:
            if text.get_position() in widths:
                width = figures.text_width(text.get_text(), text.get_size())
                box = widths[text.get_position()]
                self.assertLess(width, box.get_width() - 4, text.get_text())
                checked += 1
        self.assertGreater(checked, _RELEASED_OPERATIONS)

    def test_everything_lies_on_the_page(self):
        drawing = _released()

        for box in _boxes(drawing):
            self.assertGreaterEqual(box.get_x(), 0)
            self.assertLessEqual(box.get_x() + box.get_width(), drawing.width)
            self.assertLessEqual(box.get_y() + box.get_height(), drawing.height)
        for text in drawing.axes.texts:
            x, y = text.get_position()
            self.assertLess(y, drawing.height)
            if text.get_horizontalalignment() == "left":
                width = figures.text_width(text.get_text(), text.get_size())
                self.assertLess(x + width, drawing.width)

    def test_two_primitives_on_one_edge_are_stacked(self):
        level = (
            genotypes.Choice("se_connect", 0),
            genotypes.Choice("max_pool_3x3", 0),
        )
        gene = genotypes.InteractionGene(
            pose=(level,) + ((),) * 6, parsing=((),) * 7
        )
        genotype = genotypes.Genotype(genotypes.SEARCH, interaction=gene)

        drawing = genotype_drawing.draw(genotype)

        boxes = _operation_boxes(drawing)[len(primitives.known()) :]
        self.assertLen(boxes, 2)
        self.assertFalse(_overlap(boxes[0], boxes[1]))

    @parameterized.named_parameters(
        ("search", genotypes.Genotype("search", "search", "search"), 3),
        ("baseline", genotypes.Genotype("baseline", "omit", "search"), 3),
        ("unet", genotypes.Genotype("unet", "search", "omit"), 3),
    )
    def test_states_are_drawn_as_labeled_boxes(self, genotype, count):
        drawing = genotype_drawing.draw(genotype)

        dashed = [box for box in _boxes(drawing) if _is_dashed(box)]
        texts = _texts(drawing)
        self.assertLen(dashed, count)
        for part in (
            genotype.encoder_decoder,
            genotype.interaction,
            genotype.fusion,
        ):
            self.assertTrue(any(text.startswith(part) for text in texts))

    def test_equal_genotypes_give_equal_documents(self):
        documents = {
            genotype_drawing.draw(self.released).to_svg() for _ in range(2)
        }

        self.assertLen(documents, 1)


class DrawDifferenceTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.released = published.released()

    def test_a_genotype_differs_from_itself_in_nothing(self):
        counts = genotype_drawing.difference_counts(
            self.released, self.released
        )

        self.assertEqual(counts, (_RELEASED_OPERATIONS, 0, 0))

    def test_one_changed_operation_is_one_red_and_one_green(self):
        nodes = list(self.released.encoder_decoder.pose.normal.nodes)
        changed = genotypes.Choice("dil_conv_3x3_4", nodes[0][0].predecessor)
        nodes[0] = (changed, nodes[0][1])
        other = _with_normal_cell(
            self.released, genotypes.CellGene(tuple(nodes))
        )

        counts = genotype_drawing.difference_counts(self.released, other)
        boxes = _operation_boxes(
            genotype_drawing.draw_difference(self.released, other)
        )

        self.assertEqual(counts, (_RELEASED_OPERATIONS - 1, 1, 1))
        # One more of each in the legend.
        green = colors.to_rgba("#2e7d32")
        self.assertEqual(sum(map(_is_dashed, boxes)), 2)
        self.assertEqual(sum(b.get_edgecolor() == green for b in boxes), 2)

    def test_order_within_a_node_is_no_difference(self):
        nodes = tuple(
            tuple(reversed(node))
            for node in self.released.encoder_decoder.pose.normal.nodes
        )
        other = _with_normal_cell(self.released, genotypes.CellGene(nodes))

        counts = genotype_drawing.difference_counts(self.released, other)

        self.assertEqual(counts, (_RELEASED_OPERATIONS, 0, 0))

    def test_part_missing_in_one_is_named_and_drawn_red(self):
        other = dataclasses.replace(self.released, fusion=genotypes.OMIT)

        counts = genotype_drawing.difference_counts(self.released, other)
        drawing = genotype_drawing.draw_difference(
            self.released, other, "mine", "yours"
        )

        self.assertEqual(counts, (_RELEASED_OPERATIONS - 16, 16, 0))
        self.assertIn("yours: omit - left out of this network", _texts(drawing))


class SaveTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.drawing = genotype_drawing.draw(
            genotypes.Genotype("search", "omit", "omit")
        )

    def test_svg_file_parses(self):
        path = self.folder / "genotype.svg"

        genotype_drawing.save(self.drawing, path)

        root = xml.etree.ElementTree.parse(path).getroot()
        self.assertEqual(float(root.get("width")), self.drawing.width)

    def test_png_file_has_the_scaled_size(self):
        path = self.folder / "genotype.PNG"

        genotype_drawing.save(self.drawing, path, scale=0.5)

        with Image.open(path) as image:
            self.assertEqual(image.format, "PNG")
            self.assertEqual(image.width, round(self.drawing.width / 2))

    def test_other_endings_are_an_error_and_leave_nothing(self):
        with self.assertRaisesRegex(UserError, "unknown kind of picture.*gif"):
            genotype_drawing.save(self.drawing, self.folder / "genotype.gif")

        self.assertEmpty(list(self.folder.iterdir()))


if __name__ == "__main__":
    absltest.main()
