"""A server of SavedModels that answers as TensorFlow Serving does.

For trying out, small deployments and tests: one process, REST and gRPC, models
from a folder. Begin reading at `server`; what one request is asked for stands
in `answering`, how versions come and go in `versions`.
"""
