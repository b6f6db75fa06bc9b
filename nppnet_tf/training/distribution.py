"""The strategy a run computes with, and what depends on it."""

import contextlib
import functools
import os
import signal
import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import tensorflow as tf

from nppnet_tf import cluster
from nppnet_tf import standard_error
from nppnet_tf.config import DEFAULT
from nppnet_tf.config import MIRRORED
from nppnet_tf.config import MULTI_WORKER
from nppnet_tf.config import STRATEGIES
from nppnet_tf.config import TPU
from nppnet_tf.errors import UserError
from nppnet_tf.training import gradients

# How a program finds a TPU, and what its driver makes.
_TPU_VARIABLES = (
    "TPU_NAME",
    "KUBE_GOOGLE_CLOUD_TPU_ENDPOINTS",
    "TPU_WORKER_HOSTNAMES",
)
_TPU_FILES = ("/dev/accel0", "/dev/vfio/0")

# Of TensorFlow's graph optimizer; it prunes and merges equal nodes besides.
_REWRITES = (
    "layout_optimizer",
    "constant_folding",
    "shape_optimization",
    "remapping",
    "arithmetic_optimization",
    "dependency_optimization",
    "loop_optimization",
    "function_optimization",
    "scoped_allocator_optimization",
    "pin_to_host_optimization",
    "implementation_selector",
)


def make_strategy(name: str, num_replicas: int = 0) -> tf.distribute.Strategy:
    """Returns a strategy by its name.

    Without accelerators, "mirrored" splits the CPU into logical devices. That
    must come before TensorFlow's first operation.

    Args:
        name: One of `STRATEGIES`.
        num_replicas: Devices to use; 0 takes all accelerators there are, or
            two logical CPUs.

    Raises:
        UserError: If the name is unknown or there are not as many devices.
    """
    if name not in STRATEGIES:
        raise UserError(
            "unknown strategy", "`strategy`", " or ".join(STRATEGIES), name
        )
    if num_replicas < 0:
        raise UserError(
            "negative number of replicas",
            "`num_replicas`",
            "0 or more",
            num_replicas,
        )
    if name != MIRRORED and num_replicas > (name == DEFAULT):
        raise UserError(
            "several replicas need another strategy",
            "`num_replicas`",
            f"`strategy`={MIRRORED}"
            + (", or at most 1" if name == DEFAULT else ", or 0 for all"),
            num_replicas,
        )
    share_cores()
    only_merge_nodes()
    if name == DEFAULT:
        return tf.distribute.get_strategy()
    if name == MULTI_WORKER:
        return _multi_worker()
    if name == TPU:
        return _tpu()
    return tf.distribute.MirroredStrategy(
        _devices(num_replicas), _cross_device_operations()
    )


def is_divided(strategy: tf.distribute.Strategy) -> bool:
    """Whether some replicas of a strategy are in other processes."""
    return strategy.num_replicas_in_sync > len(
        strategy.experimental_local_results(_replica_numbers(strategy))
    )


def own_replicas(strategy: tf.distribute.Strategy) -> list[int]:
    """Returns the numbers of this process' replicas among all."""
    numbers = _replica_numbers(strategy)
    return [int(each) for each in strategy.experimental_local_results(numbers)]


@functools.cache
def agreement(strategy: tf.distribute.Strategy) -> Callable[[bool], bool]:
    """Returns what says whether any process of a strategy wants something.

    A process that stops alone would leave the others waiting for it. All of
    them have to ask, in the same places.
    """
    if not is_divided(strategy):
        return bool

    @tf.function(autograph=False)
    def count(flag: tf.Tensor) -> tf.Tensor:
        values = strategy.run(tf.identity, args=(flag,))
        return strategy.reduce("SUM", values, axis=None)

    return lambda wanted: bool(count(tf.constant(float(wanted))) > 0)


def rows_of_all(
    strategy: tf.distribute.Strategy, rows: Sequence[Sequence[float]]
) -> Sequence[Sequence[float]]:
    """Returns the numbers of all replicas, those of other processes as well.

    Args:
        strategy: Strategy of the run.
        rows: For each replica of this process as many numbers, float32.
    """
    if not is_divided(strategy):
        return rows
    own = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(
            [rows[context.replica_id_in_sync_group % len(rows)]]
        )
    )
    return _gathering(strategy)(own).numpy().tolist()


@functools.cache
def _gathering(strategy: tf.distribute.Strategy) -> Callable:
    """Returns a function that is traced once, where `gather` is each time."""
    return tf.function(
        lambda values: strategy.gather(values, axis=0), autograph=False
    )


def _replica_numbers(strategy: tf.distribute.Strategy):
    return strategy.experimental_distribute_values_from_function(
        lambda context: context.replica_id_in_sync_group
    )


@functools.cache
def _multi_worker() -> tf.distribute.Strategy:
    """Makes the strategy of all machines, once in a process.

    TensorFlow begins a server for it, at this worker's port, and waits for the
    servers of the others.
    """
    workers = cluster.read().workers
    # What a company's proxy is for is not the traffic among workers.
    hosts = {cluster.host_and_port(worker)[0] for worker in workers}
    before = os.environ.get("no_grpc_proxy", os.environ.get("no_proxy", ""))
    os.environ["no_grpc_proxy"] = ",".join(filter(None, [before, *hosts]))
    kinds = tf.distribute.experimental.CollectiveCommunication
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=kinds.AUTO if has_gpu else kinds.RING
    )
    # The server tells stderr that it has begun, whatever level is asked for.
    with standard_error.dropped(), _kept_signal(signal.SIGTERM):
        return tf.distribute.MultiWorkerMirroredStrategy(
            communication_options=options
        )


@contextlib.contextmanager
def _kept_signal(number: signal.Signals) -> Iterator[None]:
    """Gives a signal back its handler, which TensorFlow's server takes."""
    handler = signal.getsignal(number)
    yield
    if (
        handler is not None
        and threading.current_thread() is threading.main_thread()
    ):
        signal.signal(number, handler)


def _tpu() -> tf.distribute.Strategy:
    """Makes the strategy of a TPU; looks for one first, which takes no time."""
    expected = f"a machine with a TPU, or its name in {_TPU_VARIABLES[0]}"
    if not any(map(os.environ.get, _TPU_VARIABLES)) and not any(
        map(os.path.exists, _TPU_FILES)
    ):
        raise UserError("no TPU here", "`strategy`", expected, "none")
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, OSError, tf.errors.OpError) as error:
        raise UserError(
            "TPU cannot be used", "`strategy`", expected, error
        ) from error


def share_cores() -> None:
    """Runs the two branches side by side, each on half of the cores.

    Where every operation is divided among all cores, small ones wait for each
    other longer than they compute: a step of both descents (C = 64, L = 12, two
    cores) takes 3.0 s this way and 3.9 s that way. Only without accelerators,
    before TensorFlow's first operation, and where nobody set the number of
    threads (TF_NUM_INTRAOP_THREADS, TF_NUM_INTEROP_THREADS).
    """
    settings = tf.config.threading
    is_set = any(
        (
            settings.get_intra_op_parallelism_threads(),
            settings.get_inter_op_parallelism_threads(),
            os.environ.get("TF_NUM_INTRAOP_THREADS"),
            os.environ.get("TF_NUM_INTEROP_THREADS"),
        )
    )
    if is_set or tf.config.list_physical_devices("GPU"):
        return
    cores = len(os.sched_getaffinity(0))
    # TensorFlow refuses once it has computed something.
    with contextlib.suppress(RuntimeError):
        settings.set_intra_op_parallelism_threads(max(1, cores // 2))
        settings.set_inter_op_parallelism_threads(2)


def only_merge_nodes() -> None:
    """Runs graphs as they were traced, less the nodes that are double or idle.

    Two in seven nodes of a search step are constants that others equal, and a
    fifth is read by nothing. TensorFlow's graph optimizer merges and drops
    them, which saves 0.37 GB of 4.05 GB and a twentieth of each step (both
    steps of the search at C = 64, L = 12), for 16 s of processor time at
    first. Its other rewrites take longer and gain nothing on a CPU that could
    be measured; on an accelerator its choice of layouts matters.
    """
    if not tf.config.list_physical_devices("GPU"):
        tf.config.optimizer.set_experimental_options(
            dict.fromkeys(_REWRITES, False)
        )


def check_batch_size(
    batch_size: int, strategy: tf.distribute.Strategy, parts: int = 1
) -> None:
    """Raises a UserError unless every replica gets as many samples.

    Args:
        batch_size: Samples of a batch.
        strategy: Strategy of the run.
        parts: Parts that a batch is computed in.
    """
    replicas = strategy.num_replicas_in_sync
    if batch_size < 1 or batch_size % (replicas * parts):
        factors = f", {replicas} replicas and {parts} parts of a batch"
        raise UserError(
            "batch size does not fit the replicas",
            "`batch_size`",
            f"a positive multiple of {replicas * parts}"
            f"{factors if parts > 1 else ''}",
            batch_size,
        )


def check_jit_compile(strategy: tf.distribute.Strategy) -> None:
    """Raises a UserError where XLA cannot compile the steps of a strategy."""
    replicas = strategy.num_replicas_in_sync
    if replicas > 1 and not tf.config.list_physical_devices("GPU"):
        raise UserError(
            "XLA does not compile a step across replicas on a CPU",
            "`jit_compile`",
            "one replica",
            replicas,
        )


def _cross_device_operations() -> tf.distribute.CrossDeviceOps | None:
    """How replicas are added: on CPUs one after the other, see `gradients`."""
    if tf.config.list_physical_devices("GPU"):
        return None
    return tf.distribute.ReductionToOneDevice(
        accumulation_fn=gradients.added_in_order
    )


def _devices(num_replicas: int) -> list[str]:
    accelerators = tf.config.list_physical_devices("GPU")
    if accelerators:
        if num_replicas > len(accelerators):
            raise UserError(
                "not enough devices",
                "`num_replicas`",
                f"at most {len(accelerators)}",
                num_replicas,
            )
        return [f"/gpu:{i}" for i in range(num_replicas or len(accelerators))]
    count = num_replicas or 2
    _split_cpu(count)
    return [f"/cpu:{i}" for i in range(count)]


def _split_cpu(count: int) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or ()) >= count:
        return
    try:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * count
        )
    except RuntimeError as error:
        raise UserError(
            "the CPU cannot be split any more",
            "`num_replicas`",
            "a strategy made before TensorFlow's first operation",
            error,
        ) from error
