"""Tests of tools.draw_genotype."""

import pathlib
import xml.etree.ElementTree

from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.search_space import genotype as genotypes
from tests import shared


class DrawGenotypeTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _save(self, name: str, genotype: genotypes.Genotype) -> pathlib.Path:
        path = self.folder / name
        genotypes.save(genotype, path)
        return path

    def test_released_genotype_becomes_an_svg(self):
        output = self.folder / "released.svg"

        result = shared.run_tool(
            "draw_genotype", "--genotype=released", f"--output={output}"
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn(str(output), result.stdout)
        xml.etree.ElementTree.parse(output)

    def test_difference_becomes_a_png_and_is_counted(self):
        other = self._save("other.json", genotypes.Genotype("search"))
        output = self.folder / "difference.png"

        result = shared.run_tool(
            "draw_genotype",
            "--genotype=released",
            f"--other={other}",
            f"--output={output}",
            "--scale=0.5",
        )

        self.assertEqual(result.exit_code, 0, result.stderr)
        self.assertIn(
            "0 operations in both, 90 only in released", result.stdout
        )
        with Image.open(output) as image:
            self.assertEqual(image.format, "PNG")

    @parameterized.named_parameters(
        ("missing_file", ["--genotype=absent.json"], "absent.json"),
        ("no_genotype", [], "--genotype"),
        ("wrong_ending", ["--genotype=released", "--output=a.txt"], "a.txt"),
        ("unknown_flag", ["--genotyp=released"], "genotyp"),
        ("scale_of_zero", ["--genotype=released", "--scale=0"], "scale"),
    )
    def test_bad_input_is_one_line_and_status_two(self, arguments, named):
        output = self.folder / "a.svg"

        result = shared.run_tool(
            "draw_genotype", f"--output={output}", *arguments
        )

        self.assertEqual(result.exit_code, 2)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertIn(named, result.stderr)
        self.assertFalse(output.exists())

    def test_bad_genotype_is_named_with_what_is_wrong(self):
        text = (
            genotypes.Genotype("search").to_json().replace("omit", "leave", 1)
        )
        path = self.folder / "bad.json"
        path.write_text(text)

        result = shared.run_tool(
            "draw_genotype",
            f"--genotype={path}",
            f"--output={self.folder / 'a.svg'}",
        )

        self.assertEqual(result.exit_code, 2)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertRegex(result.stderr, "bad.json.*leave|leave.*bad.json")


if __name__ == "__main__":
    absltest.main()
