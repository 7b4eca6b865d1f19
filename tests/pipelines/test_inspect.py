"""What rendered files say of themselves, and what they were made from."""

import hashlib
import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from data.video.reader import read_metadata
from pipelines.cli import run
from pipelines.rendering.painting import painter_for
from tests.pipelines.runs import draw, one_error, train_drawn


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained once for all of them."""
    place = tmp_path_factory.mktemp("ready")
    with chdir(place):
        train_drawn(place, steps=3)
    return place


@pytest.fixture
def trained(place: Path, ready: Path) -> Path:
    shutil.copytree(ready, place, dirs_exist_ok=True)
    return place


@pytest.mark.parametrize("output", ["out.mp4", "out.mkv", "out.mov"])
def test_every_result_says_what_it_is(trained: Path, capsys: pytest.CaptureFixture[str], output: str) -> None:
    assert run(["render", "--input", "a.mp4", "--output", output, "--to", "0.2"]) == 0
    capsys.readouterr()
    assert run(["inspect", output, "--source", "a.mp4"]) == 0
    said = capsys.readouterr().out
    digest = hashlib.sha256(hashlib.sha256(Path("a.mp4").read_bytes()).digest()).hexdigest()
    assert f"{output}: says that it is synthetic" in said and f"source: {digest}" in said
    assert "run: a-b (recyclegan, step 3)" in said and "a.mp4 is what it says it was made from" in said
    assert len(read_metadata(output)["retarget_weights_sha256"]) == 64
    assert run(["inspect", output, "--source", "b.mp4"]) == 0
    assert "b.mp4 is not what it says it was made from" in capsys.readouterr().out


def test_pictures_say_it_too_and_sources_do_not(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "--input", "a.mp4", "--codec", "png", "--output", "frames", "--to", "0.2"]) == 0
    capsys.readouterr()
    assert run(["inspect", "frames"]) == 0
    assert "frames: says that it is synthetic" in capsys.readouterr().out
    assert run(["inspect", "a.mp4"]) == 0
    assert capsys.readouterr().out == "a.mp4: does not say that it is synthetic\n"
    assert "nowhere.mp4: no such file" in one_error(capsys, "inspect", "nowhere.mp4")


def test_a_source_that_changed_after_extracting_is_refused(
    trained: Path, ready: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    before = (ready / "a.mp4").read_bytes()
    request.addfinalizer(lambda: (ready / "a.mp4").write_bytes(before))
    draw(ready / "a.mp4", frames=30, seed=5)
    assert "a.mp4: has changed since domains/a was made from it" in one_error(capsys, "render")


def test_a_source_that_is_cut_short_while_it_is_rendered_gives_no_result(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking at it and painting it."""
    draw(trained / "c.mkv", frames=30)

    def cut(*given: object) -> object:
        (trained / "c.mkv").write_bytes((trained / "c.mkv").read_bytes()[:-12_000])
        return painter_for(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("pipelines.render.painter_for", cut)
    said = one_error(capsys, "render", "--input", "c.mkv", "--output", "out.mp4", code=1)
    assert "c.mkv: ends before frame" in said and "it changed meanwhile" in said
    assert not (trained / "out.mp4").exists()
