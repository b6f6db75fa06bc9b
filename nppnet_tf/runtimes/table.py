"""Every runtime by the name of its format; a new one is a line here."""

from nppnet_tf.runtimes import litert
from nppnet_tf.runtimes import onnx
from nppnet_tf.runtimes import openvino
from nppnet_tf.runtimes.runtime import Runtime

RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (onnx.RUNTIME, openvino.RUNTIME, litert.RUNTIME)
}
