"""Tests of tools.serve: what ends it before it serves."""

import importlib.util
import pathlib
from unittest import mock

from absl.testing import absltest

from nppnet_tf.serving import server
from tests import shared


class ServeTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _assert_refused(self, *arguments, says):
        result = shared.run_tool("serve", *arguments)

        self.assertEqual(result.exit_code, 2, result.stdout)
        self.assertLen(result.stderr.splitlines(), 1)
        self.assertIn(says, result.stderr)
        return result

    def _models(self, graph=b"no graph"):
        version = self.folder / "models" / "people" / "1"
        version.mkdir(parents=True)
        (version / "saved_model.pb").write_bytes(graph)
        return self.folder / "models"

    def test_models_that_are_not_there(self):
        self._assert_refused(f"--models={self.folder}/no", says="not found")
        self._assert_refused(f"--models={self.folder}", says="empty folder")
        (self.folder / "notes").mkdir()
        self._assert_refused(f"--models={self.folder}", says="no model")

    def test_a_configuration_that_cannot_be_read(self):
        path = self.folder / "models.config"
        path.write_text("model_config_list {")
        self._assert_refused(f"--models={path}", says="cannot be read")

    def test_models_that_cannot_be_loaded(self):
        result = self._assert_refused(
            f"--models={self._models()}", "--rest_port=0", says="people 1"
        )

        self.assertIn("no model can be served", result.stderr)

    def test_a_port_in_use(self):
        with server.listen("127.0.0.1", 0) as socket:
            port = socket.getsockname()[1]
            self._assert_refused(
                f"--models={self._models()}",
                f"--rest_port={port}",
                says=f"127.0.0.1:{port}",
            )

    def test_files_beside_the_models(self):
        models = f"--models={self._models()}"
        token = self.folder / "token"
        token.write_text("short")
        self._assert_refused(models, f"--token_file={token}", says="no token")
        batching = self.folder / "batching.config"
        batching.write_text("max_batch_size { value: 0 }")
        self._assert_refused(
            models,
            f"--batching_parameters_file={batching}",
            says="max_batch_size",
        )

    def test_another_server_that_cannot_be_one(self):
        for address in ("models.example:8501", "ftp://models.example"):
            self._assert_refused(f"--backend={address}", says="no address")

    def test_models_that_are_not_there_in_front_of_another_server(self):
        self._assert_refused(
            "--backend=http://models.example",
            f"--models={self.folder}/no",
            says="not found",
        )

    def test_flags_of_models_in_front_of_another_server(self):
        for flag in ("--grpc_port=0", "--poll_seconds=2.5", "--max_pictures=8"):
            self._assert_refused(
                "--backend=http://models.example",
                flag,
                says=f"where: {flag}; expected: with it no --backend",
            )

    def test_a_package_that_is_missing(self):
        find_spec = importlib.util.find_spec

        def find(name, *arguments):
            return None if name == "uvicorn" else find_spec(name, *arguments)

        with mock.patch.object(importlib.util, "find_spec", find):
            self._assert_refused(
                f"--models={self._models()}",
                says="pip install 'nppnet_tf[serve]'",
            )


if __name__ == "__main__":
    absltest.main()
