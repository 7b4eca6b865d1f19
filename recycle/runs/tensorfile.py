"""A safetensors file written straight from memory, hashed on the way: no second copy of what can be gigabytes.

The format: 8 bytes, little-endian, that say how long the JSON is which follows; that JSON, of each tensor its type,
shape and place; then the tensors one after the other (github.com/huggingface/safetensors).
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from durable.files import naming

_TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_ALIGNED = 8
_CHUNK = 1 << 24


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Writes and flushes a file of named tensors; its `bytes` and `sha256`.

    Raises OSError, and KeyError for a type that the format does not have.
    """
    # Large types first, so that each lies at a multiple of its size.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict[str, Any] = {}
    end = 0
    for name in names:
        start, end = end, end + tensors[name].nbytes
        shape = list(tensors[name].shape)
        header[name] = {"dtype": _TYPES[tensors[name].dtype], "shape": shape, "data_offsets": [start, end]}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % _ALIGNED)
    digest, written = hashlib.sha256(), 0
    with naming(path), path.open("wb") as file:
        for part in (len(head).to_bytes(8, "little") + head, *(_bytes_of(tensors[name]) for name in names)):
            whole = memoryview(part)
            for place in range(0, len(whole), _CHUNK):
                chunk = whole[place : place + _CHUNK]
                file.write(chunk)
                digest.update(chunk)
            written += len(whole)
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": written, "sha256": digest.hexdigest()}


def _bytes_of(tensor: Tensor) -> Any:
    """The memory of a tensor on the CPU, of a copy where its elements are apart, as a buffer of bytes."""
    return tensor.detach().contiguous().flatten().view(torch.uint8).numpy()
