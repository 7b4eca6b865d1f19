"""Saving on a full disk, and killed at every single point: what was there stays."""

import errno
import os
import resource
import signal

import pytest

from recycle.runs.checkpoint import load_newest, save
from tests.recycle.runs.saved import groups_of, names, same, save_steps


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    save_steps(tmp_path, 1)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    for _ in range(2):
        with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left") as caught:
            patched.setattr(os, "fsync", full)
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

            for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir"):
                setattr(os, name, dying(getattr(os, name)))
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
