"""Files of tensors as the format's own library reads them."""

import hashlib
from pathlib import Path

import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recycle.runs.tensorfile import write_tensors

TYPES = [torch.float32, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool]


@settings(max_examples=30, deadline=None)
@given(
    shapes=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6).filter(lambda n: n != "__metadata__"),
        st.tuples(st.sampled_from(TYPES), st.lists(st.integers(0, 4), max_size=3)),
        max_size=5,
    )
)
def test_what_is_written_is_what_the_library_reads(tmp_path_factory, shapes) -> None:
    path = tmp_path_factory.getbasetemp() / "tensors.safetensors"
    draw = torch.Generator().manual_seed(0)
    tensors = {name: (10 * torch.randn(shape, generator=draw)).to(kind) for name, (kind, shape) in shapes.items()}
    entry = write_tensors(path, tensors)
    content = path.read_bytes()
    assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    found = safetensors.torch.load(content)
    assert found.keys() == tensors.keys()
    for name, value in tensors.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value)


def test_what_lies_apart_in_memory_is_written_together(tmp_path: Path) -> None:
    turned = torch.arange(12.0).view(3, 4).t()[:, ::2]
    write_tensors(tmp_path / "x.safetensors", {"turned": turned})
    assert torch.equal(safetensors.torch.load_file(tmp_path / "x.safetensors")["turned"], turned)
