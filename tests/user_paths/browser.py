"""A browser without a window, which looks at the page as people do."""

import contextlib
import pathlib
import shutil
import unittest
from collections.abc import Iterator
from typing import Any

PATIENCE_MILLISECONDS = 30_000


@contextlib.contextmanager
def running() -> Iterator[Any]:
    """Yields a browser of playwright's.

    Raises:
        unittest.SkipTest: There is none.
    """
    path = shutil.which("chromium")
    if path is None:
        raise unittest.SkipTest("chromium is absent: apt-get install chromium")
    try:
        from playwright import sync_api
    except ImportError:
        raise unittest.SkipTest("playwright is absent") from None
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


class Visit:
    """One look at the page, which takes down what goes wrong.

    Args:
        browser: A browser that `running` yields.
        url: Address of the page.
        **options: Options of the browser's context: `viewport`, `color_scheme`.

    Attributes:
        page: The page, of playwright.
        requests: Addresses that it asked for.
        complaints: What browsers write into their console.
    """

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda sent: self.requests.append(sent.url))
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on(
            "pageerror", lambda error: self.complaints.append(str(error))
        )
        self.response = self.page.goto(url)

    def ready(self) -> "Visit":
        """Waits until the page knows its model."""
        self.page.locator("#model-line", has_text="version").wait_for()
        return self

    def add(self, *paths: pathlib.Path) -> None:
        """Chooses pictures and waits for the answer about the last."""
        self.page.set_input_files("#choose", [str(path) for path in paths])
        self.told(paths[-1].name)

    def told(self, text: str) -> str:
        """Waits until the page tells of something; returns the line."""
        self.page.locator("#status", has_text=text).filter(
            has_not_text="Asking"
        ).wait_for()
        return self.page.inner_text("#status")

    def problem(self) -> str:
        """Waits for a complaint of the page and returns it."""
        self.page.locator("#problem:not([hidden])").wait_for()
        return self.page.inner_text("#problem")

    def save(self, button: str, path: pathlib.Path) -> str:
        """Presses a button that saves a file; returns the file's own name."""
        with self.page.expect_download() as download:
            self.page.click(button)
        download.value.save_as(path)
        return download.value.suggested_filename

    def color_at(self, x: float, y: float) -> list[int]:
        """Returns [red, green, blue] that the stage shows.

        Args:
            x: Share of its width.
            y: Share of its height.
        """
        return self.page.evaluate(
            """([x, y]) => {
              const canvas = document.getElementById("stage");
              const context = canvas.getContext("2d");
              return [...context.getImageData(
                Math.floor(x * canvas.width), Math.floor(y * canvas.height),
                1, 1).data].slice(0, 3);
            }""",
            [x, y],
        )
