"""What people agreed to, from extract to the rendered file."""

import hashlib
import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from data.video.reader import read_metadata
from pipelines.cli import run
from tests.data.domain.consents import WHOLE
from tests.pipelines.runs import TINY, draw, one_error

RENDER = ("render", "--input", "a.mp4", "--to", "0.1", "--output", "out.mp4")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Domains a and b, of which b keeps a consent, and a run over them."""
    place = tmp_path_factory.mktemp("ready")
    with chdir(place):
        Path("b.toml").write_text(WHOLE.replace("2027-12-31", "2999-12-31"))
        for name, look in (("a", "A"), ("b", "B")):
            draw(Path(f"{name}.mp4"), look)
            consent = ("--consent", "b.toml") if name == "b" else ()
            assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "32", *consent]) == 0
        assert run(["train", "a", "b", *TINY, "--steps", "2"]) == 0
    return place


@pytest.fixture
def trained(place: Path, ready: Path) -> Path:
    shutil.copytree(ready, place, dirs_exist_ok=True)
    return place


def test_rendering_asks_what_for_and_says_by_which_consent(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = one_error(capsys, *RENDER)
    assert "domain b: Anna Example agreed to film, research but not advertising; say by --use" in refused
    assert "not to satire" in one_error(capsys, *RENDER, "--use", "satire")
    preview = ("render", "--input", "a.mp4", "--preview", "0", "--use", "advertising")
    assert "not to advertising" in one_error(capsys, *preview)
    assert not (trained / "out.mp4").exists()
    assert run([*RENDER, "--use", "film"]) == 0
    digest = hashlib.sha256(Path("b.toml").read_bytes()).hexdigest()
    assert read_metadata("out.mp4")["retarget_consent_sha256"] == f"b {digest}"
    capsys.readouterr()
    assert run(["inspect", "out.mp4"]) == 0
    said = capsys.readouterr().out
    assert f"consent: b {digest}" in said and "use: film" in said
    assert run(["inspect", "domains/b"]) == 0
    assert "Anna Example agreed to film, research but not advertising until 2999-12-31 (folder 7)" in (
        capsys.readouterr().out
    )


def test_what_has_run_out_is_refused_and_can_be_renewed(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.toml").write_text(WHOLE.replace("2027-12-31", "2020-01-01"))
    shutil.copy("old.toml", "domains/b/consent.toml")
    assert "domain b: Anna Example's consent has run out on 2020-01-01" in one_error(capsys, *RENDER, "--use", "film")
    train = ("train", "a", "b", *TINY, "--steps", "3")
    assert "has run out on 2020-01-01" in one_error(capsys, *train)
    extract = ("extract", "b.mp4", "--align", "none", "--size", "32", "--consent")
    assert "has run out on 2020-01-01" in one_error(capsys, *extract, "old.toml")
    assert run([*extract, "b.toml"]) == 0
    assert run([*RENDER, "--use", "film"]) == 0


def test_the_run_remembers_what_domains_agreed_to(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree("domains")
    assert "not to satire" in one_error(capsys, *RENDER, "--use", "satire")
    shutil.copytree("runs/a-b", "runs/first")
    for name in ("c", "d"):
        draw(Path(f"{name}.mp4"))
        assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "32"]) == 0
    assert run(["train", "c", "d", *TINY, "--steps", "1", "--from", "runs/first"]) == 0
    assert "domain b: Anna Example agreed" in one_error(capsys, *RENDER, "--run", "runs/c-d")


def test_what_is_no_consent_is_refused_before_the_work(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(place / "a.mp4")
    Path("bad.toml").write_text("who = 1")
    Path("good.toml").write_text(WHOLE.replace("2027", "2999"))
    assert "docs/provenance.md" in one_error(capsys, "extract", "a.mp4", "--consent", "bad.toml")
    assert "no consent file" in one_error(capsys, "extract", "a.mp4", "--consent", "none.toml")
    assert "consent of their own" in one_error(capsys, "extract", "a.mp4", "--consent", "good.toml", "--face", "all")
    assert not Path("domains").exists()
