"""Tests of tools.query_serving, against our server."""

import contextlib
import http.server
import json
import pathlib
import threading

from absl.testing import absltest

from nppnet_tf.pictures import picture_files
from tests import shared
from tests.inference import stand_in
from tests.inference import stand_in_models
from tests.serving import running_server


class QueryServingTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(stand_in_models.loaded_once())
        cls.models = stand_in_models.exported_model().parent.parent
        cls.place = cls.enterClassContext(running_server.running(cls.models))

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.pictures = self.folder / "pictures"
        self.pictures.mkdir()
        for number in (1, 2):
            picture = stand_in.picture(40 + number, 30, number)
            data = picture_files.encode_png(picture)
            (self.pictures / f"{number}.png").write_bytes(data)

    def _ask(self, *arguments):
        return shared.run_tool(
            "query_serving",
            f"--rest={self.place.rest}",
            f"--grpc={self.place.grpc}",
            "--name=people",
            *arguments,
        )

    def _predict(self, output, *arguments):
        result = self._ask(f"--output={output}", *arguments, self.pictures)
        self.assertEqual(result.exit_code, 0, result.stderr)
        return result.stdout

    def test_both_protocols_write_what_predict_writes(self):
        expected = self.folder / "expected"
        predicted = shared.run_tool(
            "predict",
            f"--model={self.models / 'people'}",
            f"--output={expected}",
            self.pictures,
        )
        self.assertEqual(predicted.exit_code, 0, predicted.stderr)
        for protocol in ("rest", "grpc"):
            output = self.folder / protocol
            said = self._predict(output, f"--protocol={protocol}")

            self.assertIn("2 of 2 pictures predicted", said)
            for path in expected.iterdir():
                self.assertEqual(
                    (output / path.name).read_bytes(),
                    path.read_bytes(),
                    path.name,
                )

    def test_answers_are_compared_with_the_model_here(self):
        said = self._predict(
            self.folder / "out", f"--compare={self.models / 'people'}"
        )

        self.assertIn("largest differences of 2 pictures: 0.000%", said)

    def test_a_picture_that_the_server_refuses_is_named(self):
        (self.pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")
        said = self._predict(self.folder / "out")

        self.assertIn("2 of 3 pictures predicted", said)
        self.assertIn("not read: broken.jpg", said)

    def test_metadata(self):
        for protocol in ("rest", "grpc"):
            result = self._ask("--what=metadata", f"--protocol={protocol}")

            self.assertIn("predict_png", result.stdout)

    def test_closed_and_open_loops_are_measured(self):
        for rate in ((), ("--rate=20",)):
            result = self._ask(
                "--what=measure",
                "--seconds=0.5",
                "--clients=2",
                *rate,
                self.pictures,
            )
            figures = json.loads(result.stdout)

            self.assertEqual(figures["loop"], "open" if rate else "closed")
            self.assertEqual(figures["outcomes"], {"0": figures["requests"]})
            self.assertGreater(figures["requests"], 2)
            times = figures["milliseconds"]
            self.assertLessEqual(times["p50"], times["p99"])

    def test_the_contract_is_checked(self):
        kept = self._ask("--what=contract", "--extras", self.pictures)
        self.assertEqual(kept.exit_code, 0, kept.stdout)
        self.assertNotIn("BROKEN", kept.stdout)

    def test_servers_of_something_else_are_one_line(self):
        for body in (b"[]", b"<html>", b'{"outputs": {}}'):
            with _answering(body) as url, self.subTest(body):
                result = self._ask("--what=metadata", f"--rest={url}")

                self.assertEqual(result.exit_code, 2)
                self.assertLen(result.stderr.splitlines(), 1)
                self.assertIn("answer of another form", result.stderr)

    def test_answers_that_are_none_are_counted(self):
        for body in (
            b'{"metadata": {}, "outputs": 5}',
            b'{"metadata": {}, "outputs": {"a_bytes": [1]}}',
            b'{"metadata": {}, "outputs": {}}',
        ):
            with _answering(body) as url, self.subTest(body):
                result = self._ask(
                    "--what=measure",
                    "--seconds=0.1",
                    f"--rest={url}",
                    self.pictures,
                )

                self.assertEqual((result.exit_code, result.stderr), (0, ""))
                self.assertIn("Error(", result.stdout)

    def test_servers_and_models_that_are_not_there_are_one_line(self):
        out = f"--output={self.folder / 'out_of_none'}"
        secret = self.folder / "secret"
        secret.write_text("two\nlines")
        for arguments, says in (
            (["--what=metadata", "--name=other"], "Servable not found"),
            (["--what=metadata", "--rest=http://127.0.0.1:1"], "cannot be"),
            (["--what=metadata", "--rest=no url"], "cannot be asked"),
            (
                ["--what=metadata", "--protocol=grpc", "--grpc=127.0.0.1:1"],
                "UNAVAILABLE",
            ),
            (["--what=contract", "--name=other", self.pictures], "not found"),
            (["--what=metadata", "--rest=http://[::1"], "cannot be asked"),
            (["--what=metadata", "--rest=http://a:x"], "cannot be asked"),
            ([out, "--name=other", self.pictures], "not found"),
            ([out, "--rest=http://127.0.0.1:1", self.pictures], "cannot be"),
            (
                ["--what=measure", "--rest=http://127.0.0.1:1", self.pictures],
                "cannot be",
            ),
            (
                ["--what=metadata", f"--token_file={secret}"],
                "no request can hold",
            ),
            ([self.pictures], "--output"),
            (["--output=out"], "picture is missing"),
        ):
            with self.subTest(arguments):
                result = self._ask(*arguments)

                self.assertEqual(result.exit_code, 2)
                self.assertLen(result.stderr.splitlines(), 1)
                self.assertIn(says, result.stderr)
        self.assertFalse((self.folder / "out_of_none").exists())


@contextlib.contextmanager
def _answering(body):
    """Yields the URL of a server that gives one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            size = int(self.headers.get("content-length", 0))
            self.rfile.read(size)
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


if __name__ == "__main__":
    absltest.main()
