"""The page does what it promises, in a browser."""

import contextlib
import json
import pathlib
import re
import shutil
import unittest
import urllib.parse

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.drawn_people import person
from nppnet_tf.metrics import consistency
from nppnet_tf.metrics import pck
from tests import schemas
from tests import shared
from tests.inference import stand_in_models
from tests.serving import running_server
from tests.user_paths import browser as browsers
from tests.user_paths import user_path

_HEIGHT, _WIDTH = 300, 200

_SAMPLE = "samples/coco_mmpose/000000000785.jpg"
_ORIENTATION = 0x0112
_TOKEN = "a-token-of-the-test"

# Of a text on its ground, as WCAG asks for.
_LEAST_CONTRAST = 4.5


class PageTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = cls.enterClassContext(browsers.running())
        cls.pictures = _pictures()
        cls.enterClassContext(stand_in_models.loaded_once())
        model = stand_in_models.exported_model()
        result = shared.run_tool(
            "predict",
            cls.pictures,
            f"--model={model}",
            f"--output={cls.pictures / 'predicted'}",
        )
        assert result.exit_code == 0, result.stderr
        models = model.parent.parent
        cls.url = cls.enterClassContext(running_server.running(models)).rest

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.visits = []
        self.person = self.pictures / "person.png"

    def tearDown(self):
        for visit in self.visits:
            hosts = {
                urllib.parse.urlsplit(url).netloc
                for url in visit.requests
                if not url.startswith("blob:")
            }
            self.assertEqual(hosts, {urllib.parse.urlsplit(self.url).netloc})
            visit.context.close()
        super().tearDown()

    def _visit(self, **options):
        visit = browsers.Visit(self.browser, self.url, **options)
        self.visits.append(visit)
        return visit.ready()

    def _predicted(self, name):
        """Returns a file that the tool has written."""
        return self.pictures / "predicted" / name

    def _label_map(self, name="person.png"):
        with Image.open(self._predicted(name)) as file:
            return np.asarray(file)

    def test_what_it_saves_is_what_predict_writes(self):
        visit = self._visit()
        visit.add(self.person)

        names = [
            visit.save(f"#save-{button}", self.folder / button)
            for button in ("parts", "json", "openpose", "cut-out")
        ]

        self.assertEqual(
            names,
            [
                "person.png",
                "person.json",
                "person_openpose.json",
                "person_cutout.png",
            ],
        )
        self._assert_label_map(self.folder / "parts", "person.png")
        for button, name in (("json", names[1]), ("openpose", names[2])):
            self.assertEqual(
                _document(self.folder / button),
                _document(self._predicted(name)),
            )
        pixels = _pixels(self.folder / "cut-out")
        kept = self._label_map() != 0
        np.testing.assert_array_equal(pixels[..., 3], 255 * kept)
        np.testing.assert_array_equal(pixels[kept], _pixels(self.person)[kept])
        self.assertEmpty(visit.complaints)

    def test_a_photo_is_answered_as_by_predict(self):
        sample = shared.shared_path(_SAMPLE)
        visit = self._visit()
        visit.add(sample)

        visit.save("#save-parts", self.folder / "parts")
        visit.save("#save-json", self.folder / "json")

        self._assert_label_map(self.folder / "parts", f"{sample.stem}.png")
        self.assertEqual(
            _document(self.folder / "json"),
            _document(self._predicted(f"{sample.stem}.json")),
        )

    def _assert_label_map(self, path, name):
        """Asserts that two label maps have the same labels and colors."""
        with (
            Image.open(path) as saved,
            Image.open(self._predicted(name)) as written,
        ):
            self.assertEqual((saved.mode, written.mode), ("P", "P"))
            np.testing.assert_array_equal(saved, written)
            np.testing.assert_array_equal(
                saved.convert("RGB"), written.convert("RGB")
            )

    def test_parts_are_shown_in_their_colors_as_asked_for(self):
        label_map = self._label_map()
        part, row, column = _place_inside_a_part(label_map)
        picture = _pixels(self.person)[row, column, :3]
        place = ((column + 0.5) / _WIDTH, (row + 0.5) / _HEIGHT)
        box = f"#parts [data-part='{LIP.classes[part]}'] input"
        visit = self._visit()
        visit.add(self.person)
        visit.page.uncheck("#skeleton")

        shares = {
            element.get_attribute("data-part")
            for element in visit.page.query_selector_all("#parts label")
        }
        self.assertEqual(
            shares, {LIP.classes[k] for k in np.unique(label_map) if k}
        )
        for opacity in (0, 50, 100):
            visit.page.fill("#opacity", str(opacity))
            expected = (
                opacity * np.array(LIP.palette[part])
                + (100 - opacity) * picture.astype(float)
            ) / 100
            np.testing.assert_allclose(visit.color_at(*place), expected, atol=4)
        visit.page.uncheck(box)
        np.testing.assert_allclose(visit.color_at(*place), picture, atol=4)
        visit.save("#save-cut-out", self.folder / "cut-out")
        alpha = _pixels(self.folder / "cut-out")[..., 3]
        np.testing.assert_array_equal(
            alpha > 0, (label_map != 0) & (label_map != part)
        )

    def test_joints_on_unexpected_parts_are_named(self):
        joints = _document(self._predicted("person.json"))["keypoints"]
        places = np.array([(joint["x"], joint["y"]) for joint in joints])
        (head_size,) = np.nan_to_num(pck.head_sizes(places[None]))
        fits = consistency.keypoints_on_parts(
            self._label_map(), places, consistency.TOLERANCE * head_size
        )
        expected = [
            joint["name"].replace("_", " ")
            for joint, fit in zip(joints, fits, strict=True)
            if fit == 0 and joint["visible"]
        ]
        visit = self._visit()
        visit.add(self.person)

        found = [
            element.inner_text().split(" lies on ")[0].lower()
            for element in visit.page.query_selector_all("#warnings li")
        ]

        self.assertNotEmpty(expected)
        self.assertEqual(found, expected)

    def test_the_keyboard_is_enough(self):
        visit = self._visit()
        visit.add(self.person)
        page = visit.page
        reached = []
        page.focus("#choose")
        while "save-openpose" not in reached:
            self.assertLess(len(reached), 60)
            page.keyboard.press("Tab")
            focused = page.evaluate("document.activeElement.id")
            if focused == "stage":
                page.keyboard.press("ArrowRight")
                page.keyboard.press("ArrowUp")
                told = page.inner_text("#under-keyboard")
            elif focused == "opacity":
                page.keyboard.press("End")
            elif focused == "skeleton":
                page.keyboard.press("Space")
            reached.append(focused)

        self.assertContainsSubset(
            [
                "stage",
                "opacity",
                "skeleton",
                "all-parts",
                "mark",
                "save-parts",
                "save-cut-out",
                "save-json",
                "save-openpose",
            ],
            reached,
        )
        self.assertEqual(page.input_value("#opacity"), "100")
        self.assertFalse(page.is_checked("#skeleton"))
        label_map = self._label_map()
        step = max(_HEIGHT, _WIDTH) / 40
        row, column = _HEIGHT / 2 - step, _WIDTH / 2 + step
        label = label_map[int(row + 0.5), int(column + 0.5)]
        self.assertStartsWith(
            told.lower(), LIP.classes[label].lower().replace("-", " ")
        )

    def test_people_who_are_marked_are_asked_about_alone(self):
        visit = self._visit(viewport={"width": 1280, "height": 1000})
        visit.add(self.person)
        page = visit.page
        page.click("#mark")
        box = page.locator("#stage").bounding_box()

        page.mouse.move(box["x"] + 1, box["y"] + 1)
        page.mouse.down()
        page.mouse.move(
            box["x"] + box["width"] / 2, box["y"] + box["height"] - 1
        )
        page.mouse.up()
        page.focus("#stage")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        for _ in range(9):
            page.keyboard.press("ArrowRight")
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.click("#ask-people")
        visit.told("2 people")

        visit.save("#save-json", self.folder / "people.json")
        visit.save("#save-instances", self.folder / "instances.png")
        visit.save("#save-parts", self.folder / "parts.png")
        document = _document(self.folder / "people.json")
        self.assertEmpty(schemas.faults(document, "people"))
        first, second = (person["box"] for person in document["people"])
        np.testing.assert_allclose(first, [0, 0, 100, 300], atol=2)
        np.testing.assert_allclose(second[2:], [176, 218], atol=2)
        with (
            Image.open(self.folder / "instances.png") as instances,
            Image.open(self.folder / "parts.png") as parts,
        ):
            np.testing.assert_array_equal(
                np.asarray(instances) > 0, np.asarray(parts) > 0
            )
            self.assertEqual(set(np.unique(instances)) - {0}, {1, 2})
        self.assertEmpty(visit.complaints)

    def test_large_pictures_shrink_and_stand_upright(self):
        large, small = self.folder / "large.jpg", self.pictures / "turned.jpg"
        with Image.open(small) as image:
            image.resize((2400, 1200)).save(large, exif=image.getexif())
        visit = self._visit()
        sent = []
        visit.page.on(
            "request",
            lambda request: (
                sent.append(request.post_data)
                if request.method == "POST"
                else None
            ),
        )

        visit.add(large)
        facts = visit.page.inner_text("#facts")
        visit.add(small)
        visit.save("#save-parts", self.folder / "small.png")

        self.assertStartsWith(
            facts, "800 × 1600 pixels (shrunk from 1200 × 2400)"
        )
        # As it is, byte for byte, so that the answer is everybody's.
        self.assertLen(sent, 2)
        self.assertLess(len(sent[1]), 1.4 * small.stat().st_size + 200)
        self._assert_label_map(self.folder / "small.png", "turned.png")
        self.assertEqual(
            _pixels(self.folder / "small.png").shape, (200, 120, 4)
        )

    def test_pictures_come_one_after_the_other_and_bad_ones_cost_none(self):
        names = ("0.png", "1.png", "<b>2.png")
        paths = [self.folder / name for name in names]
        for path in paths:
            shutil.copy(self.person, path)
        paths[1].write_text("no picture")
        visit = self._visit()
        page = visit.page

        page.set_input_files("#choose", [str(path) for path in paths])
        # A name is a text, whatever stands in it.
        visit.told("<b>2.png")

        self.assertEqual(
            visit.problem(), "1.png is no picture that this browser can read."
        )
        names = [
            button.get_attribute("aria-label")
            for button in page.query_selector_all("#strip button")
        ]
        self.assertEqual(names, ["0.png", "<b>2.png"])
        page.click("#strip button >> nth=0")
        visit.told("0.png")

    def test_pictures_are_dropped_and_pasted(self):
        visit = self._visit()
        for kind, name in (("drop", "a.png"), ("paste", "b.png")):
            visit.page.evaluate(
                _HAND_OVER, [kind, name, list(self.person.read_bytes())]
            )
            visit.told(name)
            visit.save("#save-parts", self.folder / name)
            self._assert_label_map(self.folder / name, "person.png")

    def test_refusals_of_the_server_are_one_line(self):
        visit = self._visit()
        answers = iter(
            [
                {"status": 429, "headers": {"retry-after": "7"}, "body": ""},
                {"status": 502, "body": "<html>bad\ngateway</html>"},
                {"status": 400, "json": {"error": "line\nline " + 999 * "x"}},
            ]
        )
        visit.page.route(
            "**/v1/models/*:predict",
            lambda route: route.fulfill(**next(answers)),
        )
        for expected in (
            r"The server is busy; try again in 7 s\.",
            r"The server answers 502 and nothing to read\.",
            r"The server says: line line x{50,230}….",
        ):
            visit.page.set_input_files("#choose", str(self.person))
            visit.page.locator(
                "#problem", has_text=re.compile(expected[:24])
            ).wait_for()
            self.assertRegex(visit.problem(), f"^{expected}$")
        self.assertFalse(visit.page.is_visible("#result"))

    def test_it_stands_in_front_of_another_server(self):
        secret = self.folder / "token"
        secret.write_text(_TOKEN)
        none = self.folder / "none"
        (none / "notes").mkdir(parents=True)
        process = user_path.start(
            "serve",
            f"--backend={self.url}",
            f"--models={none}",
            f"--token_file={secret}",
            "--rest_port=0",
        )
        self.addCleanup(user_path.end, process)
        url = re.search(r"http://\S+(?=,)", process.stdout.readline())[0]
        visit = browsers.Visit(self.browser, f"{url}?model=people")
        self.assertIn("asks for a token", visit.problem())

        visit.page.fill("#token", _TOKEN)
        visit.page.keyboard.press("Enter")
        visit.ready().add(self.person)
        visit.save("#save-json", self.folder / "saved.json")

        self.assertFalse(visit.page.is_visible("#problem"))
        self.assertTrue(visit.page.is_visible("#passed-on"))
        # Nobody knows the model's names: those of as many are offered.
        names = visit.page.locator("#names option").all_inner_texts()
        self.assertEqual(
            [name.split()[0] for name in names], ["lip", "cihp", "mpii"]
        )
        self.assertEqual(
            _document(self.folder / "saved.json"),
            _document(self._predicted("person.json")),
        )
        self.assertTrue(all(each.startswith(url) for each in visit.requests))
        visit.context.close()
        process.terminate()
        result = user_path.finish(process)
        self.assertEqual((result.exit_code, result.stderr), (0, ""))

    def test_it_takes_label_maps_as_numbers(self):
        visit = browsers.Visit(self.browser, "about:blank")

        def without_png(route):
            answer = route.fetch()
            document = answer.json()
            del document["metadata"]["signature_def"]["signature_def"][
                "predict_png"
            ]
            route.fulfill(response=answer, json=document)

        visit.page.route("**/metadata", without_png)
        visit.page.goto(self.url)
        visit.ready().add(self.person)
        visit.save("#save-parts", self.folder / "parts.png")

        self._assert_label_map(self.folder / "parts.png", "person.png")
        visit.context.close()

    def test_a_model_may_tell_of_several_people(self):
        visit = self._visit()

        def twice(route):
            answer = route.fetch()
            (row,) = answer.json()["predictions"]
            for name in ("keypoints_xy", "keypoint_scores"):
                row[name] = [row[name], row[name]]
            route.fulfill(response=answer, json={"predictions": [row]})

        visit.page.route("**/v1/models/*:predict", twice)
        visit.add(self.person)
        visit.save("#save-openpose", self.folder / "pose.json")

        (person_alone,) = _document(self._predicted("person_openpose.json"))[
            "people"
        ]
        self.assertEqual(
            _document(self.folder / "pose.json")["people"], 2 * [person_alone]
        )
        self.assertIn("2 people", visit.page.inner_text("#status"))
        self.assertLen(visit.page.query_selector_all("#people input"), 2)

    @parameterized.parameters("light", "dark")
    def test_it_fits_a_phone_and_can_be_read(self, scheme):
        visit = self._visit(
            viewport={"width": 360, "height": 640}, color_scheme=scheme
        )
        visit.add(self.person)
        page = visit.page
        page.click("#settings summary")
        page.click("#joints-title")

        self.assertEqual(
            page.evaluate("document.documentElement.scrollWidth"), 360
        )
        self.assertTrue(page.is_visible("#photograph-label"))
        contrasts = page.evaluate(_CONTRASTS)
        self.assertGreater(len(contrasts), 30)
        self.assertEmpty(
            {
                text: contrast
                for text, contrast in contrasts.items()
                if contrast < _LEAST_CONTRAST
            }
        )
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll("input, select, button")]
              .filter((control) => !control.labels?.length
                && !control.textContent.trim()
                && !control.getAttribute("aria-label"))
              .map((control) => control.outerHTML)"""
        )
        self.assertEmpty(unnamed)

    def test_browsers_are_told_to_load_nothing_from_elsewhere(self):
        visit = self._visit()
        policy = dict(
            part.strip().split(" ", 1)
            for part in visit.response.headers["content-security-policy"].split(
                ";"
            )
        )

        self.assertEqual(policy["default-src"], "'none'")
        self.assertEqual(policy["script-src"], "'self'")
        self.assertEqual(policy["style-src"], "'self'")
        self.assertEqual(policy["connect-src"], "'self'")
        self.assertEmpty(visit.complaints)


# Drops or pastes a file.
_HAND_OVER = """([kind, name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name));
  const event = kind === "drop"
    ? new DragEvent("drop", {dataTransfer: data, cancelable: true})
    : new ClipboardEvent("paste", {clipboardData: data});
  document.dispatchEvent(event);
  return event.defaultPrevented;
}"""

# Contrast of every text on the page with the ground behind it.
_CONTRASTS = """() => {
  const channels = (color) => color.match(/[0-9.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((level) => {
      const share = level / 255;
      return share <= 0.04045
        ? share / 12.92
        : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if ((channels(color)[3] ?? 1) > 0.5) {
        return color;
      }
    }
    return "rgb(255 255 255)";
  };
  const found = {};
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.textContent.trim())
      .join("");
    if (text && element.checkVisibility()) {
      const pair = [getComputedStyle(element).color, ground(element)];
      const [low, high] = pair.map(luminance).sort((a, b) => a - b);
      found[text] = (high + 0.05) / (low + 0.05);
    }
  }
  return found;
}"""


def _pictures():
    """Makes a folder of pictures; returns its path."""
    folder = pathlib.Path(absltest.get_default_test_tmpdir()) / "page_test"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    drawn = person.draw_person(seed=0, index=0, height_width=(_HEIGHT, _WIDTH))
    Image.fromarray(drawn.image).save(folder / "person.png")
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    turned = Image.fromarray(drawn.image[: _HEIGHT * 2 // 5])
    turned.save(folder / "turned.jpg", exif=exif)
    with contextlib.suppress(unittest.SkipTest):
        shutil.copy(shared.shared_path(_SAMPLE), folder)
    return folder


def _document(path):
    return json.loads(pathlib.Path(path).read_text())


def _pixels(path):
    """Returns uint8 [H, W, 4]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA"))


def _place_inside_a_part(label_map):
    """Returns a part, and a pixel of it far from all others."""
    rows, columns = np.mgrid[8 : _HEIGHT - 8 : 3, 8 : _WIDTH - 8 : 3]
    for row, column in zip(rows.ravel(), columns.ravel(), strict=True):
        around = label_map[row - 8 : row + 9, column - 8 : column + 9]
        if around[0, 0] and (around == around[0, 0]).all():
            return int(around[0, 0]), int(row), int(column)
    raise AssertionError("the parts are too small")


if __name__ == "__main__":
    absltest.main()
