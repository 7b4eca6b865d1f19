"""What a checkpoint promises: exact, whole or not there, and the one before it when it is damaged."""

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recycle.runs.checkpoint import CheckpointError, load_newest, save
from tests.recycle.runs.saved import groups_of, names, same, save_steps


def test_what_is_saved_comes_back_exactly(tmp_path):
    tensors = {
        "weights": {
            "float": torch.randn(3, 4),
            "half": torch.randn(5).to(torch.bfloat16),
            "scalar": torch.tensor(1e-30),
            "strided": torch.randn(4, 6).t(),
            "parameter": torch.nn.Parameter(torch.randn(2)),
            "none": torch.empty(0, 3),
        }
    }
    state = {"seconds": 0.1 + 0.2, "inf": float("inf"), "text": "ä\n", "numbers": [2**63, -1]}
    save(tmp_path / "new" / "checkpoints", 7, tensors, state, keep=1)
    loaded = load_newest(tmp_path / "new" / "checkpoints")
    assert loaded.step == 7
    assert loaded.state == state
    assert same(loaded.tensors, {"weights": {k: v.detach() for k, v in tensors["weights"].items()}})


def test_nothing_there_is_none(tmp_path):
    assert load_newest(tmp_path) is None
    assert load_newest(tmp_path / "missing") is None


def test_only_the_groups_asked_for_are_read(tmp_path):
    save_steps(tmp_path, 1, 2)
    other = tmp_path / "step-00000002" / "random.safetensors"
    other.write_bytes(bytes(other.stat().st_size))
    loaded = load_newest(tmp_path, groups=("weights",))
    assert (loaded.step, set(loaded.tensors)) == (2, {"weights"})


def test_keeps_the_newest_and_nothing_temporary(tmp_path):
    save_steps(tmp_path, 1, 2, 3, 4, 5, keep=2)
    assert names(tmp_path) == ["step-00000004", "step-00000005"]
    (tmp_path / ".step-00000006").mkdir()
    (tmp_path / ".step-00000006" / "weights.safetensors").write_bytes(b"half")
    (tmp_path / "notes").mkdir()
    assert load_newest(tmp_path).step == 5
    save_steps(tmp_path, 6, keep=2)
    assert names(tmp_path) == ["notes", "step-00000005", "step-00000006"]


def test_steps_beyond_eight_digits_sort_by_number(tmp_path):
    save_steps(tmp_path, 99_999_999, 100_000_000)
    assert load_newest(tmp_path).step == 100_000_000


@pytest.mark.parametrize("file", ["weights.safetensors", "random.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["delete", "empty", "truncate", "zeros", "longer", "folder"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, file, damage):
    save_steps(tmp_path, 1, 2)
    path = tmp_path / "step-00000002" / file
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "delete":
        changed = {"empty": b"", "truncate": content[:-1], "zeros": bytes(len(content)), "longer": content + b"\0"}
        path.write_bytes(changed[damage])
    notes = []
    loaded = load_newest(tmp_path, on_note=notes.append)
    assert loaded.step == 1
    assert same(loaded.tensors, groups_of(1))
    assert len(notes) == 1
    assert "step-00000002" in notes[0]
    assert "\n" not in notes[0]
    # Training goes on from step 1 and comes past step 2 again.
    save_steps(tmp_path, 2)
    assert load_newest(tmp_path).step == 2


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_flipped_bit_is_ever_loaded(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flip")
    save_steps(folder, 1, 2)
    file = data.draw(st.sampled_from(sorted((folder / "step-00000002").iterdir())))
    content = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content)
    loaded = load_newest(folder)
    # A flip between two words of the manifest may change nothing that it says.
    assert loaded.step == 1 or file.name == "manifest.json"
    assert same(loaded.tensors, groups_of(loaded.step))


def test_damaged_later_ones_do_not_push_out_good_ones(tmp_path):
    save_steps(tmp_path, 100, 200)
    (tmp_path / "step-00000200" / "state.json").unlink()
    save_steps(tmp_path, 150, keep=1)
    assert names(tmp_path) == ["step-00000150"]


def test_all_damaged_is_an_error_of_one_line(tmp_path):
    save_steps(tmp_path, 1, 2)
    for path in tmp_path.iterdir():
        (path / "manifest.json").write_text("{")
    with pytest.raises(CheckpointError) as caught:
        load_newest(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_that_are_whole_are_not_to_be_deleted(tmp_path):
    """The two newest are damaged; the one before has no optimisers any more."""
    folder = tmp_path / "run" / "checkpoints"
    for step in (1, 2, 3):
        save(folder, step, groups_of(step), {"seconds": 0.0}, 3, lasting=("weights",))
    for step in (2, 3):
        (folder / f"step-{step:08d}" / "random.safetensors").unlink()
        (folder / f"step-{step:08d}" / "weights.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match=f"weights of step 1 are whole.*--from {tmp_path / 'run'}$"):
        load_newest(folder)
    assert same(load_newest(folder, ("weights",)).tensors, {"weights": groups_of(1)["weights"]})


def test_pickles_are_never_opened(tmp_path):
    save_steps(tmp_path, 1)

    class Trap:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/sprung",)

    torch.save(Trap(), tmp_path / "step-00000001" / "weights.safetensors")
    with pytest.raises(CheckpointError):
        load_newest(tmp_path)
    assert not (tmp_path / "sprung").exists()
