"""Another server answers through ours as it does by itself."""

import asyncio
import json
import pathlib

import httpx
from absl.testing import absltest
from absl.testing import parameterized
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from nppnet_tf.errors import UserError
from nppnet_tf.serving import backend
from nppnet_tf.serving.access_log import AccessLog
from nppnet_tf.serving.access_log import Recorder
from nppnet_tf.serving.limits import Limits
from nppnet_tf.serving.metrics import Metrics
from nppnet_tf.serving.token import Token

_SECRET = "a-long-secret"


class BackendTest(parameterized.TestCase):
    def test_a_server_that_is_away_is_one_line(self):
        response, health = self._ask(
            ("GET", "/v1/models/people", {}),
            ("GET", "/healthz", {}),
            url="http://127.0.0.1:9",
        )

        self.assertEqual(response.status_code, 502)
        self.assertEqual(
            response.json(),
            {"error": "the server behind this one cannot be reached"},
        )
        self.assertEqual(health.status_code, 503)

    @parameterized.parameters(None, _SECRET)
    def test_it_passes_on_what_is_the_other_servers_and_no_more(self, secret):
        headers = {
            "authorization": f"Bearer {_SECRET}",
            "cookie": "private",
            "request-timeout": "3",
        }
        path = "/v1/models/a%2Fb/versions/1:predict"
        request = ("POST", path, {"content": b"{}", "headers": headers})

        (response,) = self._ask(request, secret=secret, to_echo=True)

        told = response.json()
        self.assertEqual(told["path"], path)
        self.assertEqual(told["method"], "POST")
        self.assertEqual(told["body"], "{}")
        self.assertEqual(told["headers"]["request-timeout"], "3")
        self.assertNotIn("cookie", told["headers"])
        # A secret of this server is none of the other's business.
        self.assertEqual("authorization" in told["headers"], secret is None)

    @parameterized.parameters("/v1/models/people", "/descriptions.json")
    def test_it_asks_for_its_own_token(self, path):
        shown = {"headers": {"authorization": f"Bearer {_SECRET}"}}
        refused, answered = self._ask(
            ("GET", path, {}),
            ("GET", path, shown),
            secret=_SECRET,
            to_echo=True,
        )

        self.assertEqual(refused.status_code, 401)
        self.assertEqual(refused.headers["www-authenticate"], "Bearer")
        self.assertEqual(answered.status_code, 200)

    @parameterized.parameters(101, 1)
    def test_requests_and_answers_are_bounded(self, size):
        (response,) = self._ask(
            ("POST", "/v1/models/people", {"content": size * b"a"}),
            limits=Limits(request_bytes=100, answer_bytes=2),
            to_echo=True,
        )

        self.assertEqual(response.status_code, 413)
        self.assertIn("error", response.json())

    def test_the_log_tells_of_requests(self):
        log = pathlib.Path(self.create_tempfile().full_path)

        self._ask(
            ("POST", "/v1/models/people:predict", {"content": b"{}"}),
            log=str(log),
            to_echo=True,
        )

        record = json.loads(log.read_text())
        self.assertEqual((record["call"], record["code"]), ("predict", "OK"))
        self.assertEqual(record["request_bytes"], 2)

    @parameterized.parameters(
        "localhost:8501",
        "ftp://host",
        "http://",
        "http://host:x",
        "http://host/?a=b",
        "http://user@host",
    )
    def test_what_is_no_address_is_refused(self, text):
        with self.assertRaisesRegex(UserError, "no address of a server"):
            backend.checked_url(text, "--backend")

    def test_an_address_may_have_a_path(self):
        url = backend.checked_url("https://host/models/", "--backend")

        self.assertEqual(url, "https://host/models")

    def test_models_are_described_where_they_are_there(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        for version in ("2", "10"):
            path = folder / "people" / version / "saved_model.pb"
            path.parent.mkdir(parents=True)
            path.touch()

        self.assertEqual(
            backend.described_folders(folder),
            {"people": folder / "people" / "10"},
        )
        self.assertEmpty(backend.described_folders("no such folder"))

    def _ask(
        self,
        *requests,
        url="http://other",
        limits=None,
        secret=None,
        log=None,
        to_echo=False,
    ):
        """Returns what the page's server answers, before another or an echo."""
        access_log = AccessLog(log)
        other = backend.Backend(
            url,
            limits or Limits(),
            Token(secret),
            Recorder(Metrics(), access_log),
            httpx.ASGITransport(_ECHO) if to_echo else None,
        )
        page = httpx.ASGITransport(backend.application(other, {}))

        async def ask():
            client = httpx.AsyncClient(transport=page, base_url="http://page")
            async with client:
                return [
                    await client.request(method, path, **options)
                    for method, path, options in requests
                ]

        responses = asyncio.run(ask())
        access_log.close()
        return responses


async def _tell(request):
    return JSONResponse(
        {
            "path": request.scope["raw_path"].decode(),
            "method": request.method,
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        }
    )


# Says what it is told.
_ECHO = Starlette(
    routes=[Route("/{path:path}", _tell, methods=["GET", "POST"])]
)


if __name__ == "__main__":
    absltest.main()
