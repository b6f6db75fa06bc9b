"""Writes state dicts as files of PyTorch, without PyTorch.

The file is what `torch.save` writes since version 1.6, and PyTorch's own
`torch.load(weights_only=True)` opens it: an archive of stored members, one for
every tensor, and a pickle that names them. The same tensors always give the
same bytes.
"""

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Mapping

import numpy as np

from nppnet_tf.files import atomic
from nppnet_tf.importing import torch_pickle

_FOLDER = "archive"
# The version that PyTorch's reader asks for, of its file format.
_FORMAT_VERSION = b"3\n"
_ALIGNMENT = 64
_LOCAL_HEADER_BYTES = 30
# An extra field of a zip file: identifier, length, anything.
_PADDING = struct.Struct("<2sH")
_PADDING_NAME = b"FB"
_FIRST_YEAR = (1980, 1, 1, 0, 0, 0)
_SAME_EVERYWHERE = 0

_KINDS = {
    kind.dtype: kind.name
    for kind in torch_pickle.STORAGES.values()
    if not kind.is_bfloat16
}


def write(path: str | os.PathLike, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes a file, whole or not at all.

    Args:
        path: Path of the file, usually `.pth`.
        tensors: Arrays by key, in the order in which they shall be listed.

    Raises:
        ValueError: If PyTorch has no tensor of such numbers.
    """
    with (
        atomic.atomic_path(path) as temporary,
        open(temporary, "wb") as file,
        zipfile.ZipFile(file, "w") as archive,
    ):
        _add(archive, "data.pkl", _names_and_shapes(tensors))
        _add(archive, "byteorder", b"little")
        for number, tensor in enumerate(tensors.values()):
            # Numbers of any byte order become those of `byteorder`.
            dtype = tensor.dtype.newbyteorder("<")
            numbers = np.asarray(tensor, dtype, order="C")
            _add(archive, f"data/{number}", numbers.tobytes())
        _add(archive, "version", _FORMAT_VERSION)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(f"{_FOLDER}/{name}", _FIRST_YEAR)
    info.create_system = _SAME_EVERYWHERE
    # PyTorch maps the numbers into memory where they are aligned.
    start = archive.fp.tell() + _LOCAL_HEADER_BYTES + len(info.filename)
    length = -(start + _PADDING.size) % _ALIGNMENT
    info.extra = _PADDING.pack(_PADDING_NAME, length) + bytes(length)
    archive.writestr(info, data)


def _names_and_shapes(tensors: Mapping[str, np.ndarray]) -> bytes:
    """Pickles an ordered dict of tensors whose numbers are elsewhere."""
    stream = io.BytesIO()
    stream.write(pickle.PROTO + b"\x02")
    stream.write(_EMPTY_ORDERED_DICT + pickle.MARK)
    for number, (key, tensor) in enumerate(tensors.items()):
        stream.write(_text(key) + _tensor(str(number), tensor))
    stream.write(pickle.SETITEMS + pickle.STOP)
    return stream.getvalue()


def _tensor(name: str, tensor: np.ndarray) -> bytes:
    dtype = tensor.dtype.newbyteorder("<")
    if dtype not in _KINDS:
        raise ValueError(f"No kind of tensor. Received: dtype={tensor.dtype}")
    # In numbers, as if it were contiguous: so it is written.
    stride = np.cumprod((1, *tensor.shape[:0:-1]))[::-1][: tensor.ndim]
    storage = _tuple(
        _text("storage"),
        _global("torch", _KINDS[dtype]),
        _text(name),
        _text("cpu"),
        _integer(tensor.size),
    )
    return (
        _global("torch._utils", "_rebuild_tensor_v2")
        + _tuple(
            storage + pickle.BINPERSID,
            _integer(0),
            _tuple(*map(_integer, tensor.shape)),
            _tuple(*map(_integer, stride.tolist())),
            pickle.NEWFALSE,
            _EMPTY_ORDERED_DICT,
        )
        + pickle.REDUCE
    )


def _text(value: str) -> bytes:
    data = value.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def _integer(value: int) -> bytes:
    if value < 1 << 31:
        return pickle.BININT + struct.pack("<i", value)
    data = pickle.encode_long(value)
    return pickle.LONG1 + bytes((len(data),)) + data


def _global(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def _tuple(*items: bytes) -> bytes:
    return pickle.MARK + b"".join(items) + pickle.TUPLE


_EMPTY_ORDERED_DICT = (
    _global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
)
