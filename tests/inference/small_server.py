"""A small server for the clients of docs/serving.md.

The real server cannot be installed from a package index. This one speaks its
two protocols as far as the page uses them and runs the same SavedModel, so it
shows that names, types and messages of the page are right.
"""

import base64
import http.server
import json

import numpy as np
import tensorflow as tf


class GrpcService:
    """The one call of `PredictionService` that the page makes."""

    def __init__(self, loaded):
        self._loaded = loaded

    def Predict(self, request, context):
        from tensorflow_serving.apis import predict_pb2

        del context
        signature = self._loaded.signatures[request.model_spec.signature_name]
        inputs = {
            name: tf.constant(tf.make_ndarray(value))
            for name, value in request.inputs.items()
        }
        response = predict_pb2.PredictResponse()
        for name, value in signature(**inputs).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value.numpy()))
        return response

    def __getattr__(self, name):
        # The other calls of the service, which nobody makes.
        return lambda request, context: None


def rest_handler(loaded):
    """The row format of the server's REST interface, bytes in base64."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(length))
            encoded = [
                base64.b64decode(instance["image_bytes"]["b64"])
                for instance in request["instances"]
            ]
            signature = loaded.signatures[request["signature_name"]]
            outputs = signature(image_bytes=tf.constant(encoded))
            predictions = [
                {
                    name: _plain(name, value[number].numpy())
                    for name, value in outputs.items()
                }
                for number in range(len(encoded))
            ]
            body = json.dumps({"predictions": predictions}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            del arguments

    return Handler


def _plain(name, value):
    if name.endswith("_bytes"):
        return {"b64": base64.b64encode(value).decode()}
    return np.asarray(value).tolist()
