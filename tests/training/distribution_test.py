"""Strategies by name, and the batches that fit them."""

import os
import signal
from unittest import mock

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.training import distribution
from tests import two_replicas
from tests.user_paths import user_path


class MakeStrategyTest(absltest.TestCase):
    def test_default_has_one_replica(self):
        strategy = distribution.make_strategy("default")

        self.assertEqual(strategy.num_replicas_in_sync, 1)

    def test_mirrored_splits_the_cpu(self):
        if tf.config.list_physical_devices("GPU"):
            self.skipTest("takes the accelerators where there are any")

        strategy = distribution.make_strategy("mirrored", 2)

        self.assertIsInstance(strategy, tf.distribute.MirroredStrategy)
        self.assertEqual(strategy.num_replicas_in_sync, 2)

    def test_unknown_name_is_named(self):
        with self.assertRaisesRegex(UserError, "default or mirrored.*horse"):
            distribution.make_strategy("horse")

    def test_no_tpu_is_said_at_once(self):
        with (
            mock.patch.object(distribution, "_TPU_FILES", ()),
            mock.patch.dict(os.environ, {"TPU_NAME": ""}),
            self.assertRaisesRegex(UserError, "^no TPU here.*TPU_NAME"),
        ):
            distribution.make_strategy("tpu")

    def test_several_machines_need_their_names(self):
        with (
            mock.patch.dict(os.environ, {"TF_CONFIG": ""}),
            self.assertRaisesRegex(UserError, "^TF_CONFIG is not set"),
        ):
            distribution.make_strategy("multi_worker")

    def test_replicas_of_machines_are_all_there_are(self):
        with self.assertRaisesRegex(UserError, "or 0 for all; found: 3"):
            distribution.make_strategy("multi_worker", 3)

    def test_negative_number_is_an_error(self):
        with self.assertRaisesRegex(UserError, "`num_replicas`.*-1"):
            distribution.make_strategy("mirrored", -1)

    def test_default_refuses_several_replicas(self):
        with self.assertRaisesRegex(UserError, "`strategy`=mirrored.*found: 2"):
            distribution.make_strategy("default", 2)


class KeptSignalTest(absltest.TestCase):
    def test_what_stops_a_run_is_heard_behind_tensorflow_s_server(self):
        before = signal.getsignal(signal.SIGTERM)
        self.addCleanup(signal.signal, signal.SIGTERM, before)
        heard = []
        signal.signal(signal.SIGTERM, lambda *_: heard.append("SIGTERM"))

        with distribution._kept_signal(signal.SIGTERM):
            # As the server does, for its own ends.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.raise_signal(signal.SIGTERM)

        self.assertEqual(heard, ["SIGTERM"])


class CheckBatchSizeTest(absltest.TestCase):
    def test_even_batch_fits(self):
        distribution.check_batch_size(4, two_replicas.strategy())

    def test_every_part_has_to_be_divided(self):
        with self.assertRaisesRegex(UserError, "multiple of 4, 2 replicas.*6"):
            distribution.check_batch_size(6, two_replicas.strategy(), 2)

    def test_odd_batch_is_an_error(self):
        with self.assertRaisesRegex(UserError, "multiple of 2; found: 3"):
            distribution.check_batch_size(3, two_replicas.strategy())


class CheckJitCompileTest(absltest.TestCase):
    def test_replicas_of_a_cpu_are_refused(self):
        if tf.config.list_physical_devices("GPU"):
            self.skipTest("there are accelerators")
        distribution.check_jit_compile(tf.distribute.get_strategy())
        with self.assertRaisesRegex(
            UserError, "`jit_compile`.*one replica; found: 2"
        ):
            distribution.check_jit_compile(two_replicas.strategy())


class ShareCoresTest(absltest.TestCase):
    def _threads(self, **environment):
        """Threads in an operation and operations at once, in a new process."""
        program = (
            "from nppnet_tf.training import distribution\n"
            "import tensorflow as tf\n"
            "distribution.make_strategy('default')\n"
            "tf.constant(1)\n"
            "threading = tf.config.threading\n"
            "print(threading.get_intra_op_parallelism_threads(),"
            " threading.get_inter_op_parallelism_threads())\n"
        )
        process = user_path.start_python(
            ["-c", program], CUDA_VISIBLE_DEVICES="", **environment
        )
        result = user_path.finish(process)
        self.assertEqual(result.exit_code, 0, result.stderr)
        return tuple(map(int, result.stdout.split()))

    def test_branches_run_side_by_side_on_half_of_the_cores_each(self):
        cores = len(os.sched_getaffinity(0))

        self.assertEqual(self._threads(), (max(1, cores // 2), 2))

    def test_what_the_user_set_is_kept(self):
        self.assertEqual(self._threads(TF_NUM_INTEROP_THREADS="3"), (0, 0))


if __name__ == "__main__":
    absltest.main()
