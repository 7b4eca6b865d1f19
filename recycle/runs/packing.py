"""Nested state, of optimisers and of random generators, as JSON and tensors, and back: nothing is ever executed."""

from typing import Any

from torch import Tensor


def pack(value: Any, tensors: dict[str, Tensor], name: str = "") -> Any:
    """`value`, nested dicts, lists, tuples, numbers, strings and tensors, as JSON; its tensors go into `tensors`."""
    if isinstance(value, Tensor):
        if name in tensors:
            raise ValueError(f"two tensors of the name {name}")
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, dict):  # as pairs: JSON's own keys are strings only
        return {"dict": [[key, pack(item, tensors, f"{name}.{key}")] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        items = [pack(item, tensors, f"{name}.{number}") for number, item in enumerate(value)]
        return {type(value).__name__: items}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{name}: cannot save a {type(value).__name__}")


def unpack(packed: Any, tensors: dict[str, Tensor]) -> Any:
    """What `pack` was given."""
    if not isinstance(packed, dict):
        return packed
    ((kind, content),) = packed.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: unpack(item, tensors) for key, item in content}
    return {"list": list, "tuple": tuple}[kind](unpack(item, tensors) for item in content)
