"""What a checkpoint promises: exact, whole or not there, and the one before it when it is damaged."""

import errno
import os
import resource
import signal
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recycle.runs import checkpoint
from recycle.runs.checkpoint import CheckpointError, load_newest, pack, save, unpack

torch.set_num_threads(1)


def groups_of(step: int, size: int = 50) -> dict[str, dict[str, torch.Tensor]]:
    return {
        "weights": {"a.weight": torch.full((size, 2), float(step)), "a.bias": torch.tensor(float(step))},
        "random": {"state": torch.arange(size, dtype=torch.uint8)},
        "empty": {},
    }


def save_steps(folder: Path, *steps: int, keep: int = 3) -> None:
    for step in steps:
        save(folder, step, groups_of(step), {"seconds": step / 3, "nested": [1, {"x": None}]}, keep)


def same(a: dict[str, dict[str, torch.Tensor]], b: dict[str, dict[str, torch.Tensor]]) -> bool:
    return a.keys() == b.keys() and all(
        a[group].keys() == b[group].keys()
        and all(a[group][k].dtype == b[group][k].dtype and torch.equal(a[group][k], b[group][k]) for k in a[group])
        for group in a
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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


def test_pickles_are_never_opened(tmp_path):
    save_steps(tmp_path, 1)

    class Trap:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/sprung",)

    torch.save(Trap(), tmp_path / "step-00000001" / "weights.safetensors")
    with pytest.raises(CheckpointError):
        load_newest(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    save_steps(tmp_path, 1)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    for _ in range(2):
        with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left") as caught:
            patched.setattr(checkpoint.os, "fsync", full)
            save_steps(tmp_path, 2)
        assert caught.value.errno == errno.ENOSPC
        assert names(tmp_path) == ["step-00000001"]
    assert load_newest(tmp_path).step == 1


def test_a_real_limit_on_file_size_leaves_what_was_there(tmp_path):
    save_steps(tmp_path, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            save(tmp_path, 2, groups_of(2, size=100_000), {}, keep=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == ["step-00000001"]
    assert load_newest(tmp_path).step == 1


def in_child(work) -> int:
    """Runs `work` in a forked process; its wait status."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def test_killed_at_every_single_point_of_saving(tmp_path):
    """SIGKILL just before the k-th call that changes the disk, for every k until one save gets through."""
    for k in range(100):
        folder = tmp_path / str(k)
        save_steps(folder, 1, 2, keep=2)

        def killed(k=k, folder=folder):
            left = [k]

            def dying(call):
                def wrapped(*args, **kwargs):
                    if left[0] == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                    left[0] -= 1
                    return call(*args, **kwargs)

                return wrapped

            for owner, name in ((os, "fsync"), (os, "rename"), (os, "mkdir"), (os, "unlink"), (os, "rmdir")):
                setattr(owner, name, dying(getattr(owner, name)))
            save_steps(folder, 3, keep=2)
            os._exit(0)

        status = in_child(killed)
        loaded = load_newest(folder)
        assert loaded.step in (2, 3)
        assert same(loaded.tensors, groups_of(loaded.step))
        save_steps(folder, loaded.step + 1, keep=2)
        assert names(folder) == [f"step-{loaded.step:08d}", f"step-{loaded.step + 1:08d}"]
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert k > 8  # there were that many moments to die in


def test_killed_at_random_moments_while_saving_over_and_over(tmp_path):
    save_steps(tmp_path, 1)
    for round_ in range(8):
        first = load_newest(tmp_path).step + 1
        ready, wrote = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(wrote, b"x")
                for step in range(first, first + 10_000):
                    save_steps(tmp_path, step, keep=2)
            finally:
                os._exit(1)
        os.read(ready, 1)
        os.close(ready), os.close(wrote)
        signal.sigtimedwait([], 0.02 + 0.013 * round_)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        notes = []
        loaded = load_newest(tmp_path, on_note=notes.append)
        assert loaded.step >= first - 1
        assert same(loaded.tensors, groups_of(loaded.step))
        assert notes == []  # what was being written never looked like a checkpoint


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
