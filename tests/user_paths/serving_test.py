"""A user exports a model, serves it, asks it, and exports the next one."""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import httpx
from absl.testing import absltest

from nppnet_tf.config import NetworkConfig
from nppnet_tf.models import saved_network
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.pictures import picture_files
from nppnet_tf.search_space import published
from nppnet_tf.serving.peer import GrpcPeer
from nppnet_tf.serving.peer import Place
from nppnet_tf.serving.peer import RestPeer
from tests import forked_tools
from tests import shared
from tests.inference import stand_in
from tests.user_paths import user_path

_PAGE = shared.REPOSITORY / "savedmodels" / "README.md"
_ADDRESSES = re.compile(r"serving at (http://\S+) and grpc (\S+)")


def _commands():
    """The commands of the page, in their order."""
    blocks = re.findall(r"```bash\n(.*?)```", _PAGE.read_text(), re.DOTALL)
    return "".join(blocks).splitlines()


def _start(command, folder, *more, is_real=False):
    """Starts a command of the page in a folder, as its reader does."""
    python, *words = shlex.split(command)
    assert python == "python", command
    return forked_tools.start(
        [*words, *more],
        user_path.environment(),
        is_real,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _lines_until(process, pattern):
    """Reads lines of a process until one fits."""
    read = []
    for line in process.stdout:
        read.append(line)
        found = pattern.search(line)
        if found:
            return found
    raise AssertionError(f"{read}: {process.stderr.read()[-2000:]}")


def _is_ended(client):
    """Whether the server ends a connection that says no more."""
    client.settimeout(user_path.PATIENCE_SECONDS)
    try:
        # What gRPC says first, and then nothing.
        while client.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


class ServingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        for package in ("nppnet_tf", "tools"):
            (self.folder / package).symlink_to(shared.REPOSITORY / package)
        self.picture = picture_files.encode_png(stand_in.picture(60, 44))
        (self.folder / "person.jpg").write_bytes(self.picture)

    def _write_run(self, folder):
        config = NetworkConfig(
            channels=8, cells=4, num_fusion_cells=1, head_channels=4
        )
        network = NPPNet(published.resolve("unet"), config)
        network.build((None, 32, 32, 3))
        saved_network.save_network(
            network, folder, {"descriptor": "lip", "image_size": [32, 32]}
        )

    def _finish(self, process):
        end = user_path.finish(process)
        self.assertEqual(end.exit_code, 0, end.stderr)
        self.assertEqual(end.stderr, "")
        return end.stdout

    def test_the_page_of_models_is_followed_to_an_answer(self):
        export, serve, status, metadata, query = _commands()
        run = re.search(r"--model=(\S+)", export)[1]
        self._write_run(self.folder / run)
        self._finish(_start(export, self.folder))

        # Whatever else runs on this machine has its own ports.
        flags = ("--rest_port=0", "--grpc_port=0", "--idle_seconds=5")
        server = _start(serve, self.folder, *flags, is_real=True)
        self.addCleanup(user_path.end, server)
        rest, grpc = _lines_until(server, _ADDRESSES).groups()
        place = Place(rest, grpc, "nppnet")
        for command in (status, metadata):
            url = command.split()[1].replace("http://localhost:8501", rest)
            answer = httpx.get(url, trust_env=False)
            self.assertEqual(answer.status_code, 200)
            self.assertNotEmpty(answer.json())
        said = self._finish(_start(query, self.folder, f"--rest={rest}"))
        self.assertIn("1 of 1 pictures predicted", said)
        written = sorted(p.name for p in (self.folder / "outputs").iterdir())
        self.assertEqual(
            written,
            [
                "person.json",
                "person.png",
                "person_openpose.json",
                "person_overlay.png",
            ],
        )
        slow = list(self._connect_slowly(rest, grpc))
        self._swap_under_load(place)
        for client in slow:
            self.assertTrue(_is_ended(client))
        self._end(server)

    def _connect_slowly(self, rest, grpc):
        """Clients that say nothing, or half of what they have to."""
        addresses = [rest.partition("//")[2], grpc]
        for said in (b"", b"POST /v1/models/nppnet:predict HTTP/1.1\r\nHo"):
            for address in addresses:
                host, _, port = address.partition(":")
                client = socket.create_connection((host, int(port)))
                self.addCleanup(client.close)
                client.sendall(said)
                yield client

    def _swap_under_load(self, place):
        """The next version takes over, and the broken one after it does not."""
        versions = self.folder / "savedmodels" / "nppnet"
        failures, counts, stop = [], {}, threading.Event()

        def ask(kind):
            with kind(place) as peer:
                while not stop.is_set():
                    try:
                        outputs = peer.predict([self.picture], "predict_png")
                        self.assertEqual(outputs["status"][0], 0)
                    except Exception as error:
                        failures.append(error)
                    counts[kind] = counts.get(kind, 0) + 1
                    time.sleep(0.2)

        clients = [
            threading.Thread(target=ask, args=(kind,))
            for kind in (RestPeer, GrpcPeer)
        ]
        for client in clients:
            client.start()
        shutil.copytree(versions / "1", versions / "2")
        self._wait_for(place, "2", "AVAILABLE")
        self._wait_for(place, "1", "END")
        broken = versions / "3"
        shutil.copytree(versions / "1", broken)
        graph = broken / "saved_model.pb"
        graph.write_bytes(graph.read_bytes()[:-1000])
        state = self._wait_for(place, "3", "END")
        self.assertIn("cannot be loaded", state["status"]["error_message"])
        self.assertNotIn(str(self.folder), json.dumps(state))
        self._wait_for(place, "2", "AVAILABLE")
        stop.set()
        for client in clients:
            client.join()
        self.assertEmpty(failures)
        self.assertLen(counts, 2)

    def _wait_for(self, place, version, state):
        end = time.monotonic() + user_path.PATIENCE_SECONDS
        while time.monotonic() < end:
            answer = httpx.get(
                f"{place.rest}/v1/models/nppnet", trust_env=False
            ).json()
            for found in answer["model_version_status"]:
                if (found["version"], found["state"]) == (version, state):
                    return found
            time.sleep(0.1)
        raise AssertionError(f"version {version} is not {state}: {answer}")

    def _end(self, server):
        """SIGTERM: the request under way is answered, the status is 0."""
        os.kill(server.pid, signal.SIGTERM)
        end = user_path.finish(server)
        self.assertEqual(end.exit_code, 0, end.stderr)
        self.assertEqual(end.stderr, "")
        self.assertIn("ending", end.stdout)


if __name__ == "__main__":
    absltest.main()
