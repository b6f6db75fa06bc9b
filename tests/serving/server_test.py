"""Tests of serving.server: what it refuses, says and writes down."""

import asyncio
import base64
import json
import pathlib
import socket
import tempfile
import threading
import time

import grpc
import httpx
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import model_management_pb2

from nppnet_tf.errors import UserError
from nppnet_tf.serving import server
from nppnet_tf.serving.batching import BatchSettings
from nppnet_tf.serving.limits import Limits
from nppnet_tf.serving.model_sources import ModelSource
from nppnet_tf.serving.peer import GrpcPeer
from nppnet_tf.serving.peer import RestPeer
from nppnet_tf.serving.token import Token
from nppnet_tf.serving.versions import ModelStore
from tests.serving import running_server

_SECRET = b"the content of a picture"


class _Model:
    """Says how long its bytes are; waits where it is told."""

    def __init__(self, name, version, folder):
        del folder
        self.name = name
        self.version = version
        self.go = threading.Event()
        self.go.set()
        definition = meta_graph_pb2.SignatureDef()
        definition.inputs["image_bytes"].dtype = 7
        definition.inputs["image_bytes"].tensor_shape.dim.add().size = -1
        definition.outputs["length"].dtype = 3
        self.signature_defs = {"serving_default": definition}

    def signature_def(self, name):
        return self.signature_defs[name or "serving_default"]

    def run(self, signature, inputs):
        del signature
        if b"fail" in inputs["image_bytes"]:
            raise MemoryError("of /the/server")
        self.go.wait(10)
        sizes = [len(data) for data in inputs["image_bytes"]]
        return {"length": np.array(sizes, np.int32)}


class ServerTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        (self.folder / "toy" / "1").mkdir(parents=True)
        self.sources = [ModelSource("toy", self.folder / "toy")]
        self.store = ModelStore(lambda: self.sources, _Model)
        self.store.update(is_first=True)

    def _serve(self, **settings):
        settings.setdefault("home", self.folder)
        return self.enterContext(
            running_server.running_store(self.store, "toy", **settings)
        )

    def _post(self, place, *pictures, **headers):
        encoded = [base64.b64encode(data).decode() for data in pictures]
        with RestPeer(place) as peer:
            return peer.post(
                "/v1/models/toy:predict",
                {"instances": [{"b64": text} for text in encoded]},
                **headers,
            )

    def _code(self, place, *pictures, **options):
        with GrpcPeer(place) as peer:
            request = peer.request("", {"image_bytes": list(pictures)})
            try:
                peer.predictions.Predict(request, **options)
            except grpc.RpcError as error:
                return error.code().name, error
        return "OK", None

    def test_requests_beyond_limits_are_refused(self):
        place = self._serve(limits=Limits(request_bytes=1000, pictures=2))

        self.assertEqual(self._post(place, b"x", b"y").status_code, 200)
        self.assertEqual(self._post(place, *[b"x"] * 3).status_code, 400)
        refused = self._post(place, b"x" * 2000)
        self.assertEqual(refused.status_code, 413)
        self.assertEqual(
            refused.json(), {"error": "the request has more than 1000 bytes"}
        )

        def chunks():
            yield from [b"x" * 500] * 5

        response = httpx.post(
            f"{place.rest}/v1/models/toy:predict",
            content=chunks(),
            trust_env=False,
        )
        self.assertEqual(response.status_code, 413)
        self.assertEqual(self._code(place, b"x")[0], "OK")
        self.assertEqual(
            self._code(place, b"x" * (2 << 20))[0], "RESOURCE_EXHAUSTED"
        )

    def test_no_more_is_held_in_memory_than_there_is_room_for(self):
        place = self._serve(limits=Limits(waiting_bytes=1000))

        self.assertEqual(self._post(place, b"x").status_code, 200)
        self.assertEqual(self._post(place, b"x" * 2000).status_code, 429)
        self.assertEqual(
            self._code(place, b"x" * 2000)[0], "RESOURCE_EXHAUSTED"
        )
        self.assertEqual(self._post(place, b"x").status_code, 200)

    def test_connections_of_grpc_end_without_a_failed_request(self):
        limits = Limits(connection_seconds=0.05, idle_seconds=0.05)
        place = self._serve(limits=limits)
        with GrpcPeer(place) as peer:
            for number in range(40):
                outputs = peer.predict([b"x" * number], "serving_default")
                self.assertEqual(outputs["length"].tolist(), [number])
                time.sleep(0.02)

    def test_bodies_that_do_not_come_end_in_time(self):
        place = self._serve(limits=Limits(seconds=0.3))

        def chunks():
            yield b"{"
            time.sleep(1)
            yield b"}"

        response = httpx.post(
            f"{place.rest}/v1/models/toy:predict",
            content=chunks(),
            trust_env=False,
        )

        self.assertEqual(response.status_code, 504)

    def test_answers_beyond_limits_are_refused(self):
        place = self._serve(limits=Limits(answer_bytes=8))

        self.assertEqual(self._post(place, b"x", b"y").status_code, 200)
        refused = self._post(place, *[b"x"] * 3)
        self.assertEqual(refused.status_code, 400)
        self.assertIn("predict_png", refused.json()["error"])

    def test_a_full_queue_says_when_to_come_again(self):
        batching = BatchSettings(
            max_batch_size=1, max_enqueued_batches=1, num_batch_threads=1
        )
        place = self._serve(batching=batching)
        model = self.store.find("toy")
        model.go.clear()
        threads = [
            threading.Thread(target=self._post, args=(place, b"x"))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
            with RestPeer(place) as peer:
                self._wait(peer, thread is threads[1])

        refused = self._post(place, b"x")
        code, error = self._code(place, b"x")
        model.go.set()
        for thread in threads:
            thread.join()

        self.assertEqual(refused.status_code, 429)
        self.assertGreaterEqual(int(refused.headers["retry-after"]), 1)
        self.assertEqual(code, "RESOURCE_EXHAUSTED")
        self.assertIn("retry-after", dict(error.trailing_metadata()))

    def _wait(self, peer, is_second):
        """Until a request runs, and a second one waits."""
        for _ in range(500):
            text = peer.get("/metrics").text
            used = "nppnet_waiting_bytes 0.0" not in text
            waits = "nppnet_waiting_pictures 1.0" in text
            if used and waits == is_second:
                return
            threading.Event().wait(0.01)
        raise AssertionError(text)

    def test_deadlines_end_what_would_last_longer(self):
        place = self._serve(limits=Limits(seconds=5))
        model = self.store.find("toy")
        model.go.clear()

        late = self._post(place, b"x", **{"request-timeout": "0.2"})
        code, _ = self._code(place, b"x", timeout=0.2)
        model.go.set()

        self.assertEqual(late.status_code, 504)
        self.assertEqual(code, "DEADLINE_EXCEEDED")
        self.assertEqual(self._post(place, b"x").status_code, 200)

    def test_faults_tell_nothing_of_the_server(self):
        place = self._serve()
        with self.assertLogs(level="ERROR"):
            failed = self._post(place, b"fail")
            code, error = self._code(place, b"fail")

        self.assertEqual(failed.status_code, 500)
        self.assertEqual(code, "INTERNAL")
        for text in (failed.text, error.details()):
            self.assertNotIn("MemoryError", text)
            self.assertNotIn("/the/server", text)

    def test_who_does_not_show_the_token_gets_nothing(self):
        place = self._serve(token=Token("a-long-secret"))
        right = {"authorization": "Bearer a-long-secret"}

        self.assertEqual(self._post(place, b"x").status_code, 401)
        wrong = {"authorization": "Bearer a-long-secreT"}
        self.assertEqual(self._post(place, b"x", **wrong).status_code, 401)
        self.assertEqual(self._post(place, b"x", **right).status_code, 200)
        self.assertEqual(self._code(place, b"x")[0], "UNAUTHENTICATED")
        metadata = tuple(right.items())
        code, _ = self._code(place, b"x", metadata=metadata)
        self.assertEqual(code, "OK")
        with RestPeer(place) as peer:
            self.assertEqual(peer.get("/metrics").status_code, 401)
            self.assertEqual(peer.get("/healthz").status_code, 200)

    def test_the_access_log_tells_what_was_asked_and_not_what_was_sent(self):
        log = self.folder / "log.jsonl"
        place = self._serve(access_log=str(log))
        self._post(place, _SECRET, b"y")
        self._post(place, b"x", **{"request-timeout": "no"})
        with RestPeer(place) as peer:
            peer.get("/v1/models/made_up_name")
            metrics = peer.get("/metrics").text

        text = log.read_text()
        first, second, third = map(json.loads, text.splitlines())
        self.assertEqual(first["call"], "predict")
        self.assertEqual((first["model"], first["version"]), ("toy", 1))
        self.assertEqual((first["pictures"], first["code"]), (2, "OK"))
        self.assertGreater(first["request_bytes"], 0)
        self.assertEqual(second["code"], "INVALID_ARGUMENT")
        self.assertEqual(
            (third["call"], third["code"]), ("status", "NOT_FOUND")
        )
        encoded = base64.b64encode(_SECRET).decode()
        for word in (encoded, _SECRET.decode(), "127.0.0.1", "made_up"):
            self.assertNotIn(word, text)
        self.assertNotIn("made_up", metrics)
        self.assertIn('code="OK",model="toy",protocol="rest"', metrics)

    def test_what_grpc_cannot_read_is_the_clients_fault_and_is_recorded(self):
        log = self.folder / "log.jsonl"
        place = self._serve(access_log=str(log))
        with grpc.insecure_channel(place.grpc) as channel:
            for method, content in (
                ("PredictionService/Predict", b"\x0a\x03\x0a\x01\xff"),
                ("PredictionService/GetModelMetadata", b"\xff" * 99),
                ("ModelService/GetModelStatus", b"\x0a\x7f"),
            ):
                call = channel.unary_unary(f"/tensorflow.serving.{method}")
                with self.assertRaises(grpc.RpcError) as refused:
                    call(content)

                self.assertEqual(
                    (
                        refused.exception.code().name,
                        refused.exception.details(),
                    ),
                    ("INVALID_ARGUMENT", "the message cannot be parsed"),
                )
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual(
            [(line["call"], line["request_bytes"]) for line in lines],
            [("predict", 5), ("metadata", 99), ("status", 2)],
        )

    def test_tensors_of_types_without_values_are_refused(self):
        place = self._serve()
        with GrpcPeer(place) as peer:
            for dtype in ("resource", "variant"):
                request = peer.request("", {"image_bytes": [b"x"]})
                tensor = request.inputs["image_bytes"]
                tensor.dtype = tf.as_dtype(dtype).as_datatype_enum
                with self.assertRaises(grpc.RpcError) as refused:
                    peer.predictions.Predict(request)

                self.assertEqual(
                    refused.exception.code().name, "INVALID_ARGUMENT"
                )
                self.assertIn(dtype, refused.exception.details())

    def test_names_of_any_length_and_letters_are_told_of_in_short(self):
        place = self._serve()
        with GrpcPeer(place) as peer:
            for name, shown in (
                ("n" * 99_999, "nnn ... nnn"),
                ("\x1b[2J", "x1b"),
            ):
                request = peer.request("", {"image_bytes": [b"x"]})
                request.model_spec.name = name
                with self.assertRaises(grpc.RpcError) as refused:
                    peer.predictions.Predict(request)

                self.assertEqual(refused.exception.code().name, "NOT_FOUND")
                self.assertIn(shown, refused.exception.details())
                self.assertLess(len(refused.exception.details()), 500)

    def test_numbers_of_versions_are_plain_digits(self):
        place = self._serve()
        with RestPeer(place) as peer:
            for version, status in (("1", 200), ("01", 200), ("%D9%A1", 400)):
                response = peer.get(f"/v1/models/toy/versions/{version}")

                self.assertEqual(response.status_code, status, version)

    def test_encodings_of_bodies_are_read_in_letters_of_any_size(self):
        place = self._serve()
        for encoding, status in (("Identity", 200), ("", 200), ("GZIP", 415)):
            headers = {"content-encoding": encoding}

            self.assertEqual(
                self._post(place, b"x", **headers).status_code, status
            )

    def test_a_log_that_cannot_be_written_is_told_of_once(self):
        with self.assertLogs(level="ERROR") as logged:
            place = self._serve(access_log="/dev/full")
            for _ in range(3):
                self.assertEqual(self._post(place, b"x").status_code, 200)

        self.assertLen(logged.output, 1)
        self.assertRegex(
            logged.output[0], "answered and not recorded, /dev/full: .*space"
        )

    def test_pages_of_other_sites_do_not_reach_a_loopback_server(self):
        place = self._serve()
        with RestPeer(place) as peer:
            for host, status in (("localhost:1", 200), ("evil.example", 400)):
                response = peer.post("/v1/models/toy:predict", {}, host=host)
                # The body is no request, which only a known host is told.
                self.assertEqual(response.status_code, 400)
                told = "Missing" in response.text
                self.assertEqual(told, status == 200)

    def test_models_can_be_replaced_by_those_of_the_same_folder(self):
        (self.folder / "other" / "1").mkdir(parents=True)
        place = self._serve()
        request = model_management_pb2.ReloadConfigRequest()
        config = request.config.model_config_list.config.add()
        config.name, config.base_path = "other", "/models/other"
        with GrpcPeer(place) as peer:
            reload = peer.models.HandleReloadConfigRequest
            self.assertEqual(reload(request).status.error_code, 0)
            self.assertEqual(list(self.store.models()), ["other"])
            with self.assertRaisesRegex(grpc.RpcError, "Only ModelConfigList"):
                reload(model_management_pb2.ReloadConfigRequest())
            self.assertEqual(list(self.store.models()), ["other"])
            config.base_path = tempfile.gettempdir()
            with self.assertRaises(grpc.RpcError) as refused:
                reload(request)

            self.assertIn("not among the models", refused.exception.details())
            config.base_path = "n" * 9999
            with self.assertRaisesRegex(grpc.RpcError, "folder of a model"):
                reload(request)

    def test_no_part_of_an_answer_waits_for_an_acknowledgement(self):
        with server.listen("127.0.0.1", 0) as listening:
            with socket.create_connection(listening.getsockname()):
                connection, _ = listening.accept()
                with connection:
                    sends_at_once = connection.getsockopt(
                        socket.IPPROTO_TCP, socket.TCP_NODELAY
                    )

        self.assertTrue(sends_at_once)

    def test_a_port_in_use_is_one_line(self):
        with server.listen("127.0.0.1", 0) as listening:
            port = listening.getsockname()[1]
            with self.assertRaisesRegex(UserError, f"127.0.0.1:{port}"):
                server.listen("127.0.0.1", port)
        with self.assertRaisesRegex(UserError, "cannot listen"):
            server.listen("no.such.host.invalid", 0)

    def test_a_port_of_grpc_in_use_is_one_line(self):
        port = self._serve().grpc.split(":")[1]

        async def serve():
            settings = server.ServerSettings(
                "127.0.0.1", 0, int(port), self.folder
            )
            with server.listen("127.0.0.1", 0) as listening:
                async with server.serving(settings, self.store, listening):
                    raise AssertionError("two servers at one port")

        # Words of the system: gRPC, which writes on stderr, is not asked.
        with self.assertRaisesRegex(
            UserError, f"cannot listen.*{port}.*found: Address already in use"
        ):
            asyncio.run(serve())


if __name__ == "__main__":
    absltest.main()
