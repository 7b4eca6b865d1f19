"""More than two domains, many answers, style by a reference: through the command line."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from data.domain.pictures import read_picture, write_picture
from data.video.reader import read_frames
from pipelines.cli import run
from recycle.runs.runfolder import load_for_rendering
from tests.media import frame_times
from tests.pipelines.runs import OWN, SMALL, draw, one_error

TWO = ("a", "b")
LOOKS = {"a": "A", "b": "B", "c": "A"}


def extract(*names: str) -> None:
    """Domains of drawn clips, in the folder that is worked in."""
    for name in names:
        draw(Path(f"{name}.mp4"), LOOKS[name], frames=16, seed=ord(name))
        assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "32"]) == 0


def train(method: str, *words: str, steps: int = 6) -> None:
    assert run(["train", *words, "--method", method, *SMALL, *OWN[method], "--steps", str(steps)]) == 0


def pixels(video: Path) -> np.ndarray:
    return np.stack([frame.rgb for frame in read_frames(video)])


def weights_of(folder: str) -> dict[str, torch.Tensor]:
    return load_for_rendering(Path(folder)).method.state_dict()


@pytest.mark.parametrize("method", ["stargan", "combogan"])
def test_three_domains_train_render_evaluate_report_and_go_out(method, place, capsys):
    extract("a", "b", "c")
    train(method, "a", "b", "c")
    folder = place / "runs/a-b-c"
    assert (folder / "samples/step-000006.jpg").exists()
    settings = json.loads((folder / "config.json").read_text())["settings"]
    assert [Path(settings[letter]).name for letter in "abc"] == ["a", "b", "c"]
    made = {}
    for words in ((), ("--into", "c"), ("--out-of", "b", "--into", "C"), ("--reverse",)):
        assert run(["render", "--input", "a.mp4", "--output", "there.mp4", *words]) == 0
        assert frame_times(place / "there.mp4") == frame_times(place / "a.mp4")
        made[words] = pixels(place / "there.mp4").tobytes()
    assert len(set(made.values())) == (4 if method == "combogan" else 3)  # a label says nothing of where from
    assert run(["render", "--input", "a.mp4", "--into", "c"]) == 0
    assert (place / "renders/a-as-c.mp4").exists()
    assert run(["evaluate", "--input", "a.mp4", "--into", "c"]) == 0
    document = json.loads((folder / "evaluation/evaluation.json").read_text())
    assert (document["direction"], document["names"]) == ("a_to_c", ["a", "c"])
    assert {entry["name"]: entry["value"] for entry in document["measures"]}["cycle_l1"] is not None
    assert run(["report"]) == 0
    page = (folder / "report.html").read_text()
    assert "a, b, c" in page and "C: c" in page
    assert run(["export", "--to", "onnx", "--out-of", "a", "--into", "c", "--output", "out"]) == 0
    (file,) = (place / "out").iterdir()
    assert file.name == "a-to-c.onnx"
    picture = np.random.default_rng(0).random((1, 3, 32, 32), np.float32) * 2 - 1
    (found,) = onnxruntime.InferenceSession(file).run(None, {"picture": picture})
    expected = load_for_rendering(folder).method.translate(torch.from_numpy(picture), "a_to_c")
    assert np.abs(found - expected.numpy()).max() < 1e-4
    assert "d: no domain of this run" in one_error(capsys, "render", "--input", "a.mp4", "--into", "d")
    assert method in one_error(capsys, "export", "--to", "torch")
    assert "--to strips" in one_error(capsys, "export", "--to", "strips")


def test_a_domain_is_added_and_the_old_ones_keep_their_bytes(place, capsys):
    extract("a", "b", "c")
    train("combogan", "a", "b")
    before = weights_of("runs/a-b")
    words = ("train", "--add", "c", "--run", "runs/a-b", "--steps", "6", "--preset", "tiny", "--accelerator", "cpu")
    assert run(list(words)) == 0
    after = weights_of("runs/a-b-c")
    assert all(torch.equal(after[name], value) for name, value in before.items() if "discriminator" not in name)
    assert {name.split(".")[0] for name in after.keys() - before.keys()} == {
        "encoder_c",
        "decoder_c",
        "discriminator_c",
    }
    assert run(list(words)) == 0
    assert "training was done already" in capsys.readouterr().out
    old, new = place / "old.mp4", place / "new.mp4"
    assert run(["render", "--run", "runs/a-b", "--input", "a.mp4", "--output", str(old)]) == 0
    assert run(["render", "--run", "runs/a-b-c", "--input", "a.mp4", "--output", str(new)]) == 0
    assert pixels(old).tobytes() == pixels(new).tobytes()
    assert run(["render", "--run", "runs/a-b-c", "--input", "a.mp4", "--into", "c", "--output", "there.mp4"]) == 0
    assert "is a domain of" in one_error(capsys, "train", "--add", "a", "--run", "runs/a-b")
    assert "give none" in one_error(capsys, "train", "--add", "c", "--run", "runs/a-b", "--cycle", "3")
    train("stargan", "a", "c")
    assert "only combogan" in one_error(capsys, "train", "--add", "b", "--run", "runs/a-c")


def test_an_answer_is_held_over_the_clip_and_others_stand_on_a_sheet(place, capsys):
    extract(*TWO)
    train("augmented", *TWO)
    clips = {}
    for words in ((), ("--sample", "0"), ("--sample", "1")):
        assert run(["render", "--input", "a.mp4", *words]) == 0
        kind = "".join(f"-sample-{word}" for word in words[1:])
        clips[words] = pixels(place / f"renders/a-as-b{kind}.mp4").tobytes()
    assert len(set(clips.values())) == 3
    assert run(["render", "--input", "a.mp4", "--sample", "1", "--answers", "3"]) == 0
    sheet = read_picture(place / "renders/a-as-b-sample-1-answers.png")
    assert sheet.shape[1] == pytest.approx(4 * 128, rel=0.1)
    assert run(["evaluate", "--input", "a.mp4", "--sample", "1"]) == 0
    assert run(["export", "--to", "onnx", "--sample", "1", "--output", "out"]) == 0
    assert sorted(file.name for file in (place / "out").iterdir()) == ["G_A-sample-1.onnx", "G_B-sample-1.onnx"]
    assert "takes none" in one_error(capsys, "render", "--input", "a.mp4", "--reference", "a.mp4")


def test_a_reference_is_worn_and_taken_off(place, capsys):
    extract(*TWO)
    train("pairedcycle", *TWO)
    clips = {}
    for name, colour in (("red", (200, 30, 30)), ("blue", (30, 30, 200))):
        write_picture(place / f"{name}.png", np.full((40, 48, 3), colour, np.uint8))
        assert run(["render", "--input", "a.mp4", "--reference", f"{name}.png"]) == 0
        clips[name] = pixels(place / f"renders/a-as-b-like-{name}.mp4").tobytes()
    assert clips["red"] != clips["blue"]
    assert run(["render", "--input", "a.mp4", "--reference", "red.png"]) == 0
    assert "already rendered" in capsys.readouterr().out
    assert run(["render", "--reverse", "--input", "b.mp4", "--output", "bare.mp4"]) == 0
    assert run(["evaluate", "--input", "a.mp4", "--reference", "red.png"]) == 0
    assert run(["report"]) == 0
    assert run(["export", "--to", "onnx", "--reference", "red.png", "--output", "out"]) == 0
    assert (place / "out/G_A-like-red.onnx").exists()
    assert "gone.png" in one_error(capsys, "render", "--input", "a.mp4", "--reference", "gone.png")
    assert "takes none" in one_error(capsys, "render", "--input", "a.mp4", "--sample", "1")


def test_domains_that_cannot_be_are_one_line(place, capsys):
    extract(*TWO)
    assert "stargan and combogan take 3" in one_error(capsys, "train", "a", "b", "c", "--preset", "tiny")
    assert "two at least" in one_error(capsys, "train", "a", "--preset", "tiny")
    assert "named twice" in one_error(capsys, "train", "a", "b", "a", "--method", "combogan", "--preset", "tiny")
    assert "--critic-steps 0" in one_error(capsys, "train", *TWO, "--method", "stargan", "--critic-steps", "0")
    assert "--generator unet" in one_error(capsys, "train", *TWO, "--method", "cut", "--generator", "unet")
    assert "--run RUN" in one_error(capsys, "train", "--add", "c")
