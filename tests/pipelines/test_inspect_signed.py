"""`render --sign --mark` and what `inspect` says of what it wrote."""

import shutil
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.video.reader import read_frames
from pipelines.cli import run
from tests.pipelines.chains import make_chain
from tests.pipelines.runs import one_error, train_drawn

SIGN = ("--sign", "chain.pem", "--sign-key", "key.pem")


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
    make_chain(place)
    return place


def inspected(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(["inspect", *words])
    return code, capsys.readouterr().out


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def test_results_are_signed_and_marked(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = ("--input", "a.mp4", "--to", "0.2")
    assert run(["render", *clip, "--output", "plain.mp4"]) == 0
    assert run(["render", *clip, "--output", "out.mp4", *SIGN, "--mark", "AI", "--compare"]) == 0
    for name in ("out.mp4", "out-compare.mp4"):
        code, said = inspected(capsys, name, "--trust", "root.pem")
        assert code == 0 and "signature: holds" in said and "vouched for by root.pem" in said
    assert "from: a.mp4, sha256" in said and "done: c2pa.edited" in said
    for plain, marked in zip(read_frames("plain.mp4"), read_frames("out.mp4"), strict=True):
        changed = np.abs(plain.rgb.astype(int) - marked.rgb).max(axis=2) > 24
        assert plain.pts == marked.pts and changed[30:].any() and not changed[:28].any()  # 48 px: the lower part
    capsys.readouterr()
    assert run(["render", *clip, "--output", "out.mp4", *SIGN, "--mark", "AI", "--compare"]) == 0
    assert "already rendered" in capsys.readouterr().out
    flip(trained / "out.mp4", -500)
    code, said = inspected(capsys, "out.mp4")
    assert code == 1 and "signature: DOES NOT HOLD" in said
    content = (trained / "out-compare.mp4").read_bytes()
    (trained / "out-compare.mp4").write_bytes(content.replace(b"jumbc2pa", b"jumbc2pb").replace(b"uuid", b"free", 1))
    code, said = inspected(capsys, "out-compare.mp4")
    assert code == 1 and "signature: gone; it says that it was signed" in said
    assert not [path for path in trained.iterdir() if "partial" in path.name or path.name.endswith(".parts")]


def test_pictures_are_signed_one_by_one(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "--input", "a.mp4", "--codec", "png", "--output", "frames", "--to", "0.2", *SIGN]) == 0
    assert run(["render", "--input", "a.mp4", "--preview", "0.1", "--output", "one.png", *SIGN]) == 0
    assert inspected(capsys, "one.png")[0] == 0
    code, said = inspected(capsys, "frames")
    assert code == 0 and "signature: holds, of all 5 pictures" in said
    picture = trained / "frames" / "000003.png"
    flip(picture, picture.read_bytes().index(b"IDAT") - 14)
    code, said = inspected(capsys, "frames")
    assert code == 1 and "signature of 000003.png: DOES NOT HOLD" in said
    Image.open(trained / "frames" / "000002.png").convert("RGB").save(picture)
    code, said = inspected(capsys, "frames")
    assert code == 1 and "signature of 000003.png: DOES NOT HOLD: it has none" in said


def test_what_cannot_be_signed_or_marked_is_refused_before_the_first_frame(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = ("render", "--input", "a.mp4", "--output")
    assert "holds no credentials" in one_error(capsys, *clip, "out.mkv", *SIGN)
    assert "give the certificates" in one_error(capsys, *clip, "out.mp4", "--sign-key", "key.pem")
    assert "holds no private key" in one_error(capsys, *clip, "out.mp4", "--sign", "chain.pem")
    assert "too many for frames of 48x48" in one_error(capsys, *clip, "out.mp4", "--mark", "made by a machine")
    assert "lacks é" in one_error(capsys, *clip, "out.mp4", "--mark", "é")
    assert "give one line of text" in one_error(capsys, *clip, "out.mp4", "--mark", "a\x1b[31m")
    assert "no such font" in one_error(capsys, *clip, "out.mp4", "--mark", "AI", "--mark-font", "x.ttf")
    Path("text.ttf").write_text("hello")
    assert "not a font file" in one_error(capsys, *clip, "out.mp4", "--mark", "AI", "--mark-font", "text.ttf")
    assert not list(trained.glob("out*")) and not list(trained.glob(".out*"))
