"""States as tensors and JSON: what is packed comes back, and an optimiser goes on with the same bytes."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recycle.runs.checkpoint import load_newest, save
from recycle.runs.packing import pack, unpack

nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.integers() | st.text(), inner)
        | st.lists(st.floats(width=32, allow_nan=False)).map(torch.tensor)
    ),
    max_leaves=20,
)


def equal(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and a == b


@settings(max_examples=100, deadline=None)
@given(value=nested)
def test_packing_keeps_structure_types_and_tensors(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("pack")
    tensors = {}
    try:
        packed = pack(value, tensors)
    except ValueError as error:  # keys 1 and "1" side by side with tensors in both: refused, not mixed up
        assert "two tensors" in str(error)
        return
    save(folder, 1, {"all": tensors}, {"packed": packed}, keep=1)
    loaded = load_newest(folder)
    assert equal(unpack(loaded.state["packed"], loaded.tensors["all"]), value)


def test_packing_refuses_what_it_could_not_bring_back():
    with pytest.raises(TypeError, match=r"\.a\.0: cannot save a PosixPath"):
        pack({"a": [Path()]}, {})


def test_an_optimiser_goes_on_with_the_same_bytes(tmp_path):
    def stepped(parameter, optimizer, steps):
        for step in steps:
            optimizer.zero_grad()
            ((parameter - step) ** 3).sum().backward()
            optimizer.step()

    straight = torch.nn.Parameter(torch.linspace(-1, 1, 7))
    straight_adam = torch.optim.Adam([straight], lr=0.1, betas=(0.5, 0.999), fused=True)
    stepped(straight, straight_adam, range(3))
    tensors = {}
    packed = pack(straight_adam.state_dict(), tensors)
    save(tmp_path, 3, {"adam": tensors, "weights": {"p": straight}}, {"adam": packed}, keep=1)

    loaded = load_newest(tmp_path)
    resumed = torch.nn.Parameter(loaded.tensors["weights"]["p"])
    resumed_adam = torch.optim.Adam([resumed], fused=True)
    resumed_adam.load_state_dict(unpack(loaded.state["adam"], loaded.tensors["adam"]))
    stepped(straight, straight_adam, range(3, 6))
    stepped(resumed, resumed_adam, range(3, 6))
    assert resumed.detach().numpy().tobytes() == straight.detach().numpy().tobytes()
