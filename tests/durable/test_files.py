"""What has its name is whole: files and folders put in place, and what is left where that fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from durable.files import partial_path, put_in_place, write_bytes
from tests.pipelines.shells import HOST, ROOT, has_hosts


def test_a_file_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_bytes(tmp_path / "a.json", content)
        assert (tmp_path / "a.json").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_write_that_fails_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(tmp_path / "a.json", b"one")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(tmp_path / "a.json", b"two")
    assert (tmp_path / "a.json").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_file_is_flushed_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr("os.fsync", lambda handle: seen.append((tmp_path / "a.bin").exists()))
    write_bytes(tmp_path / "a.bin", b"1")
    assert seen == [False, True], "the content, then the folder that names it"


def test_a_folder_gets_its_name_and_never_replaces_a_full_one(tmp_path: Path) -> None:
    for name in ("new", "other"):
        (tmp_path / f".{name}").mkdir()
        (tmp_path / f".{name}" / "x").write_text(name)
    put_in_place(tmp_path / ".new", tmp_path / "set")
    assert (tmp_path / "set" / "x").read_text() == "new"
    with pytest.raises(OSError):
        put_in_place(tmp_path / ".other", tmp_path / "set")
    assert (tmp_path / "set" / "x").read_text() == "new"


def test_what_is_being_written_is_hidden_and_keeps_its_suffix(tmp_path: Path) -> None:
    assert re.fullmatch(r"\.clip\..+\.partial\.mp4", partial_path(tmp_path / "clip.mp4").name)


def test_no_two_processes_share_a_temporary_name_and_what_a_killed_one_left_goes(tmp_path: Path) -> None:
    path = tmp_path / ("clip" + "é" * 100 + ".mp4")
    program = "import sys; from pathlib import Path; from durable.files import partial_path as name; "
    program += "path = name(Path(sys.argv[1])); path.write_text('half'); print(path, flush=True); sys.stdin.readline()"
    others = [
        subprocess.Popen(
            [sys.executable, "-c", program, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]
    names = [process.stdout.readline().strip() for process in others if process.stdout is not None]
    own = partial_path(path)
    own.write_text("half")
    assert len({*names, str(own)}) == 3 and len(own.name.encode()) < 256
    others[0].kill()
    # Nobody has looked after it yet, as where a container has no init: it keeps its number.
    os.waitid(os.P_PID, others[0].pid, os.WEXITED | os.WNOWAIT)
    assert partial_path(path) == own
    assert sorted(map(str, tmp_path.iterdir())) == sorted([names[1], str(own)])
    for process in others:
        process.communicate()


@pytest.mark.skipif(not has_hosts(), reason="no namespaces of one's own here: unshare --map-root-user --pid --fork")
def test_what_another_machine_of_the_same_name_writes_is_left_alone(tmp_path: Path) -> None:
    """Though no process of that number runs on this one."""
    own = partial_path(tmp_path / "clip.mp4")
    own.write_text("half")
    program = "import sys; from pathlib import Path; from durable.files import partial_path; "
    program += "print(partial_path(Path(sys.argv[1])))"
    command = [*HOST, sys.executable, "-c", program, tmp_path / "clip.mp4"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert own.exists() and done.stdout.strip() != str(own)
