"""TF_CONFIG is read as TensorFlow means it, or refused in one line."""

import json
import socket

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import cluster
from nppnet_tf.errors import UserError

_TWO = ["a:4000", "b:4000"]


def _text(jobs, kind="worker", index=0):
    return json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}})


def _read(text):
    return cluster.read({cluster.VARIABLE: text})


class ReadTest(parameterized.TestCase):
    def test_names_workers_and_who_this_is(self):
        found = _read(_text({"worker": _TWO}, index=1))

        self.assertEqual(found, cluster.Cluster(tuple(_TWO), 1))
        self.assertFalse(found.is_chief)
        self.assertEqual(found.chief, ("a", 4000))

    @parameterized.parameters(("chief", 0, 0), ("worker", 0, 1))
    def test_a_chief_is_the_first_worker(self, kind, index, expected):
        jobs = {"worker": ["b:4000"], "chief": ["a:4000"]}

        found = _read(_text(jobs, kind, index))

        self.assertEqual(found.workers, ("a:4000", "b:4000"))
        self.assertEqual(found.index, expected)

    @parameterized.named_parameters(
        ("absent", "", "is not set"),
        ("no_json", "{", "is no JSON"),
        ("deep", "[" * 100_000, "is no JSON"),
        ("list", "[]", "malformed"),
        ("no_cluster", "{}", "lacks an entry.*cluster.*nothing"),
        ("no_task", json.dumps({"cluster": {"worker": _TWO}}), "lacks.*task"),
        ("no_workers", _text({}), "no run has.*none"),
        ("empty", _text({"worker": []}), "malformed"),
        ("one_text", _text({"worker": "a:4000"}), "malformed"),
        ("servers", _text({"worker": _TWO, "ps": ["c:1"]}), "no run has.*ps"),
        ("no_job", _text({"worker": _TWO}, "chief"), "task of no job"),
        ("two_chiefs", _text({"chief": _TWO}, "chief"), "several chiefs"),
        ("index", _text({"worker": _TWO}, index=2), "0 to 1; found: 2"),
        ("negative", _text({"worker": _TWO}, index=-1), "0 to 1; found: -1"),
        ("text", _text({"worker": _TWO}, index="0"), "index: an integer"),
        ("switch", _text({"worker": _TWO}, index=True), "index: an integer"),
        ("twice", _text({"worker": ["a:1", "a:1"]}), "twice.*a:1"),
        ("one_place", _text({"worker": ["a:1", "A:01"]}), "twice.*a:1"),
        ("url", _text({"worker": ["http://a:1"]}), "address.*http://a:1"),
        ("blank", _text({"worker": [" a:1"]}), "address"),
        ("half_a_letter", _text({"worker": ["\ud800:1"]}), "address"),
        ("no_brackets", _text({"worker": ["::1:1"]}), "address.*::1:1"),
        ("no_port", _text({"worker": ["a"]}), "address.*found: a"),
        ("large_port", _text({"worker": ["a:70000"]}), "address.*70000"),
        ("odd_port", _text({"worker": ["a:\u0661"]}), "address"),
    )
    def test_what_is_wrong_is_said(self, text, message):
        with self.assertRaisesRegex(UserError, f"^TF_CONFIG.*{message}"):
            _read(text)

    def test_addresses_may_be_of_the_sixth_version(self):
        self.assertEqual(cluster.host_and_port("[::1]:80"), ("::1", 80))


class ListenTest(absltest.TestCase):
    def test_port_of_another_process_is_refused(self):
        taken = socket.create_server(("", 0))
        self.addCleanup(taken.close)
        own = cluster.Cluster((f"localhost:{taken.getsockname()[1]}",), 0)

        with self.assertRaisesRegex(UserError, "cannot be had.*in use"):
            cluster.listen(own, 0)


if __name__ == "__main__":
    absltest.main()
