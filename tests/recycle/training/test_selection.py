"""Which checkpoint is the best: the score by hand, the order of good and bad translators, and what the choice does."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from torch import Tensor

from data.world.characters import draw as drawn
from data.world.puppets import motion
from pipelines.cli import run
from recycle.measures.distribution import describe
from recycle.measures.optical_flow import Dis, visible
from recycle.methods import METHODS
from recycle.runs.checkpoint import load_newest
from recycle.runs.runfolder import load_for_rendering
from recycle.training.heldout import HeldOut
from recycle.training.selection import PATIENCE, Selection
from tests.pipelines.test_command_methods import OWN, SMALL
from tests.pipelines.test_commands import draw
from tests.recycle.training.test_trainer import (
    SHORT,
    TINY,
    batches_of,
    final_bytes,
    held_out,
    rows,
    run_training,
    saved_steps,
)

torch.set_num_threads(1)
CPU = torch.device("cpu")
SIZE = 48


class Stub:
    """A method that translates by given functions of (N, 3, H, W)."""

    paired = False

    def __init__(self, there: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor] | None = None) -> None:
        self.generators = {"generator_ab": there} | ({"generator_ba": back} if back else {})
        self.content: Callable[[Tensor], Tensor] | None = None

    def translate(self, frames: Tensor, direction: str) -> Tensor:
        return self.generators[f"generator_{direction.replace('_to_', '')}"](frames)


def frames_of(seed: int, look: str) -> np.ndarray:
    """(8, 2, SIZE, SIZE, 3) uint8: pairs of frames that follow each other, over ten seconds."""
    poses = motion(seed, 250)
    return np.array([[drawn(poses[i + k], look, SIZE) for k in (0, 1)] for i in range(0, 240, 30)])


def tensor(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(pictures).movedim(-1, -3).float() / 127.5 - 1


@pytest.fixture(scope="module")
def world() -> dict[str, np.ndarray]:
    """What was filmed of A and of B, and what nobody filmed: the right answers."""
    return {"a": frames_of(1, "A"), "b": frames_of(2, "B"), "truth_a": frames_of(1, "B"), "truth_b": frames_of(2, "A")}


@pytest.fixture(scope="module")
def windows(world: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: tensor(world[name]) for name in "ab"}


def translator(world: dict[str, np.ndarray], distort: Callable[[Tensor], Tensor]) -> Stub:
    """Translates each frame of the world into its right answer, distorted, and knows every way back."""
    sources, answers = (
        torch.cat([tensor(world[name]).flatten(0, 1) for name in names]) for names in ("ab", ("truth_a", "truth_b"))
    )
    shown = distort(answers)

    def network(frames: Tensor) -> Tensor:
        known, translated = ((frames[:, None] - each).abs().mean((2, 3, 4)).min(1) for each in (sources, shown))
        forward = (known.values < translated.values)[:, None, None, None]
        return torch.where(forward, shown[known.indices], sources[translated.indices])

    return Stub(network, network)


def score(method: Stub, windows: dict[str, Tensor]) -> float:
    return sum(HeldOut(method, windows).parts(CPU).values())


# The formula


def literal(world: dict[str, np.ndarray], there: Callable[[np.ndarray], np.ndarray], x: str, y: str) -> list[float]:
    """temporal, cycle and look of domain x's frames through `there` and, back, through its square."""
    translated = there(world[x])
    errors = []
    for source, result in zip(world[x], translated, strict=True):
        flow = Dis()(*source)
        seen = visible(flow, Dis()(source[1], source[0]))
        rows_, columns = np.mgrid[:SIZE, :SIZE].astype(float)
        places = [rows_ + flow[..., 1], columns + flow[..., 0]]
        for c in range(3):
            fetched = map_coordinates(result[1, ..., c] / 255.0, places, order=1, mode="nearest")
            errors.append(((fetched - result[0, ..., c] / 255.0) ** 2)[seen].mean())
    firsts = translated[:, 0] / 255.0
    apart = [((p - q) ** 2).mean() for i, p in enumerate(firsts) for j, q in enumerate(firsts) if i != j]
    pictures, back = world[x] / 127.5 - 1, there(translated) / 127.5 - 1
    cycle = np.abs(back - pictures).mean() / np.abs(pictures - pictures.mean((0, 1))).mean()

    def distance(first: np.ndarray, second: np.ndarray) -> float:
        p, q = (np.array([describe(f) for f in s.reshape(-1, SIZE, SIZE, 3)]) for s in (first, second))
        k = lambda u, v: (u @ v / len(u) + 1) ** 3  # noqa: E731
        same = [np.mean([k(u, v) for i, u in enumerate(s) for j, v in enumerate(s) if i != j]) for s in (p, q)]
        return sum(same) - 2 * np.mean([k(u, v) for u in p for v in q])

    look = distance(translated, world[y]) / distance(world[x], world[y])
    return [2 * np.sqrt(np.mean(errors) / np.mean(apart)), cycle, 2 * max(0, look - 0.5)]


def test_the_score_is_its_formula(world: dict[str, np.ndarray], windows: dict[str, Tensor]) -> None:
    """Of a method that darkens either way."""

    def there(pictures: np.ndarray) -> np.ndarray:
        return np.rint(pictures * 0.7313).astype(np.uint8)

    def network(frames: Tensor) -> Tensor:
        return torch.round((frames + 1) * 127.5 * 0.7313) / 127.5 - 1

    parts = HeldOut(Stub(network, network), windows).parts(CPU)
    wanted = np.mean([literal(world, there, "a", "b"), literal(world, there, "b", "a")], axis=0)
    assert list(parts) == ["temporal", "cycle", "look"]
    assert parts["temporal"] == pytest.approx(wanted[0], rel=0.02)  # OpenCV places to 1/32 px
    assert [parts["cycle"], parts["look"]] == pytest.approx(list(wanted[1:]), rel=1e-4)
    assert min(wanted) > 0.05


def test_one_way_methods_are_held_by_pairs_or_by_content(windows: dict[str, Tensor]) -> None:
    half, a, b = (lambda frames: frames / 2), windows["a"], windows["b"]
    pairs = Stub(half)
    pairs.paired = True
    parts = HeldOut(pairs, windows).parts(CPU)
    assert list(parts) == ["temporal", "l1"]
    assert parts["l1"] == pytest.approx(float((a / 2 - b).abs().mean() / (b - b.mean((0, 1))).abs().mean()), rel=1e-4)
    assert not HeldOut(pairs, {"a": a}).measured

    cartoon = Stub(half)
    assert HeldOut(cartoon, windows).measured == ["temporal", "look"]
    cartoon.content = lambda frames: frames.abs() * 3
    parts = HeldOut(cartoon, windows).parts(CPU)
    seen = a.abs() * 3
    assert list(parts) == ["temporal", "content", "look"]
    assert parts["content"] == pytest.approx(
        float((seen / 2 - seen).abs().mean() / (seen - seen.mean((0, 1))).abs().mean()), rel=1e-4
    )
    cartoon.generators = {"generator_ab": lambda frames: frames}
    assert HeldOut(cartoon, windows).parts(CPU)["look"] == 1, "nothing was translated"


def test_what_is_there_decides_what_is_measured(windows: dict[str, Tensor]) -> None:
    both = Stub(lambda frames: frames, lambda frames: frames)
    single = {name: frames[:, :1] for name, frames in windows.items()}
    assert HeldOut(both, {}).measured == []
    assert HeldOut(both, single).measured == ["cycle", "look"]
    assert HeldOut(both, {"b": windows["b"]}).measured == ["temporal", "cycle"]
    assert HeldOut(both, {"a": single["a"], "b": windows["b"]}).measured == ["temporal", "cycle", "look"]
    assert HeldOut(both, {name: frames[:1] for name, frames in windows.items()}).measured == ["cycle", "look"]
    assert HeldOut(both, single).fingerprint != HeldOut(both, windows).fingerprint


# The order


def test_bad_translators_come_after_good_ones(world: dict[str, np.ndarray], windows: dict[str, Tensor]) -> None:
    def flickering(levels: float) -> Callable[[Tensor], Tensor]:
        return lambda frames: frames + (torch.arange(len(frames)) % 2 * levels / 127.5)[:, None, None, None]

    def of_another(frames: Tensor) -> Tensor:
        """Well drawn, but of another moment: nothing moves with the source."""
        return frames.roll(2, dims=0).flip(0)

    mean = {name: windows[name].mean((0, 1)) for name in "ab"}
    constant = Stub(*((lambda frames, name=name: mean[name].expand_as(frames)) for name in "ba"))
    scores = {
        "perfect": score(translator(world, lambda frames: frames), windows),
        "flickers by 3": score(translator(world, flickering(3)), windows),
        "flickers by 12": score(translator(world, flickering(12)), windows),
        "out of step": score(translator(world, of_another), windows),
        "identity": score(Stub(lambda frames: frames, lambda frames: frames), windows),
        "constant": score(constant, windows),
    }
    assert list(scores) == sorted(scores, key=scores.__getitem__), scores
    assert scores["identity"] > 1 > 2 * scores["perfect"]
    assert scores["constant"] == pytest.approx(3, abs=0.01)


# What becomes of the choice


def best_of(run_folder: Path) -> dict:
    return json.loads((run_folder / "checkpoints" / "best.json").read_text())


def test_every_save_and_the_end_are_compared_and_the_best_is_marked(tmp_path: Path) -> None:
    notes: list[str] = []
    modes_differ = replace(TINY, networks=replace(TINY.networks, norm="batch", dropout=True))
    run_training(tmp_path, replace(SHORT, steps=9, save_every=2, keep=20), modes_differ, on_note=notes.append)
    table = rows(tmp_path, "selection")
    assert [int(row["step"]) for row in table] == [2, 4, 6, 8, 9]
    assert list(table[0]) == ["step", "score", "temporal", "cycle", "look"]
    for row in table:
        assert float(row["score"]) == pytest.approx(sum(float(row[part]) for part in list(row)[2:]))
    least = min(table, key=lambda row: float(row["score"]))
    assert best_of(tmp_path) == {
        "step": int(least["step"]),
        "score": float(least["score"]),
        "parts": {part: float(least[part]) for part in ("temporal", "cycle", "look")},
    }
    said = f"step {least['step']} (score {float(least['score']):.3f}); render uses it"
    assert notes[-1] == f"best of 5 checkpoints compared: {said}"
    loaded = load_for_rendering(tmp_path)
    assert (loaded.step, loaded.choice) == (int(least["step"]), "best")
    parts = HeldOut(loaded.method, held_out()).parts(CPU)
    assert parts == best_of(tmp_path)["parts"], "judged as it is rendered: by the running mean, in evaluation mode"


def scoring(monkeypatch: pytest.MonkeyPatch, scores: list[float]) -> None:
    """Evaluations give these scores, one after the other."""
    left = iter(scores)
    monkeypatch.setattr(HeldOut, "parts", lambda self, device: {"cycle": next(left)})


def test_keep_never_removes_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scoring(monkeypatch, [3, 1, 2, 2, 2, 0.5, 2, 2])
    config = replace(SHORT, save_every=1, keep=2)
    run_training(tmp_path, replace(config, steps=5))
    assert sorted(saved_steps(tmp_path)) == [2, 4, 5]
    run_training(tmp_path, replace(config, steps=8))
    assert sorted(saved_steps(tmp_path)) == [6, 7, 8], "and lets the one go that was the best before"
    assert best_of(tmp_path)["step"] == 6


def test_a_run_that_was_stopped_has_the_same_history(tmp_path: Path) -> None:
    """Stopped between two evaluations, where it saves without one, then killed after a row that no save followed."""
    config = replace(SHORT, steps=10, save_every=3, keep=1)

    def interrupted(at: int):
        def batches(start: int):
            for step, batch in enumerate(batches_of()(start), start=start):
                if step == at:
                    raise ConnectionError
                yield batch

        return batches

    def stopped(at: int):
        def batches(start: int):
            for step, batch in enumerate(batches_of()(start), start=start):
                if step == at:
                    os.kill(os.getpid(), signal.SIGTERM)
                yield batch

        return batches

    straight, other = tmp_path / "straight", tmp_path / "other"
    run_training(straight, config)
    assert run_training(other, config, batches=stopped(4)).interrupted
    assert max(saved_steps(other)) == 5
    assert [row["step"] for row in rows(other, "selection")] == ["3"]
    with (other / "selection.csv").open("a") as file:
        file.write("6,0.1,0.1,0.1,0.1\n7,0.")
    with pytest.raises(ConnectionError):
        run_training(other, config, batches=interrupted(8))
    run_training(other, config)
    for name in ("selection.csv", "checkpoints/best.json"):
        assert (other / name).read_bytes() == (straight / name).read_bytes()
    assert final_bytes(other) == final_bytes(straight)


def test_a_lost_mark_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scoring(monkeypatch, [3, 1, 2, 2, 2])
    config = replace(SHORT, save_every=1)
    run_training(tmp_path, replace(config, steps=3))
    mark = tmp_path / "checkpoints" / "best.json"
    before = mark.read_bytes()
    for damage in (mark.unlink, lambda: mark.write_text('{"step": 77}'), lambda: mark.write_text("{")):
        damage()
        run_training(tmp_path, replace(config, steps=3))
        assert mark.read_bytes() == before
    shutil.rmtree(tmp_path / "checkpoints" / "step-00000002")
    notes: list[str] = []
    run_training(tmp_path, replace(config, steps=5), on_note=notes.append)
    assert any("step 2, the best, is gone" in note for note in notes)
    assert best_of(tmp_path)["step"] == 4


def test_other_held_out_windows_begin_anew(tmp_path: Path) -> None:
    config = replace(SHORT, save_every=2)
    run_training(tmp_path, replace(config, steps=4))
    notes: list[str] = []
    fewer = {name: frames[:, :2] for name, frames in held_out().items()}
    run_training(tmp_path, replace(config, steps=6), held_out=fewer, on_note=notes.append)
    assert any("compared anew" in note for note in notes)
    assert [row["step"] for row in rows(tmp_path, "selection")] == ["6"]
    assert best_of(tmp_path)["step"] == 6


@pytest.mark.parametrize(
    ("windows_", "said"),
    [
        ({}, "nothing is held out"),
        ({name: frames[:, :1] for name, frames in held_out().items()}, "compared by cycle and look alone"),
    ],
)
def test_too_little_held_out_is_said(tmp_path: Path, windows_: dict[str, Tensor], said: str) -> None:
    notes: list[str] = []
    run_training(tmp_path, held_out=windows_, on_note=notes.append)
    assert sum(said in note for note in notes) == 1
    assert (tmp_path / "selection.csv").exists() == (tmp_path / "checkpoints" / "best.json").exists() == bool(windows_)
    assert any("render uses it" in note for note in notes) == bool(windows_)
    assert load_for_rendering(tmp_path).step == 8


def test_training_says_once_a_spell_that_it_stopped_improving() -> None:
    selection = Selection(Path())
    worse = [0.9, *[1.0] * 2 * PATIENCE, 0.8, *[0.8] * PATIENCE]
    lines = []
    for step, value in enumerate(worse):
        lines.append(selection.see(step, value, {"cycle": value}))
        selection = Selection(Path(), json.loads(json.dumps(selection.state())))  # as a run that goes on
    told = [step for step, line in enumerate(lines) if line]
    assert told == [PATIENCE, 3 * PATIENCE + 1]
    assert "step 0 " in lines[told[0]] and "step 11 " in lines[told[1]]
    assert "stopped improving" in lines[told[0]] and "\n" not in lines[told[0]]
    assert Selection(Path()).see(1, float("nan"), {}) is None


# Rendering


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """A run whose best checkpoint is step 4, the newest step 8."""
    with pytest.MonkeyPatch.context() as patched:
        scoring(patched, [1, 2])
        run_training(tmp_path)
    return tmp_path


def test_the_best_is_loaded_and_else_the_newest(marked: Path) -> None:
    def loaded(choice: str = "best") -> tuple[int, str, list[str]]:
        notes: list[str] = []
        found = load_for_rendering(marked, choice=choice, on_note=notes.append)
        return found.step, found.choice, notes

    assert loaded() == (4, "best", [])
    assert loaded("newest") == (8, "newest", [])
    (marked / "checkpoints/step-00000004/ema.safetensors").write_bytes(b"x")
    step, choice, notes = loaded()
    assert (step, choice, len(notes)) == (8, "newest", 1)
    assert "step-00000004, the best, cannot be used" in notes[0] and "taking the newest, step 8" in notes[0]
    for content in ("{", "[]", '{"step": "../../etc"}', '{"step": true}'):
        (marked / "checkpoints/best.json").write_text(content)
        assert "no checkpoint is marked" in loaded()[2][0]
    (marked / "checkpoints/best.json").unlink()
    assert loaded()[:2] == (8, "newest")


def test_the_two_checkpoints_differ(marked: Path) -> None:
    best, newest = (load_for_rendering(marked, choice=choice).method.state_dict() for choice in ("best", "newest"))
    saved = load_newest(marked / "checkpoints").tensors["ema"]
    assert all(torch.equal(newest[name], value) for name, value in saved.items())
    assert not all(torch.equal(best[name], value) for name, value in saved.items())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Domains a and b of 60 drawn frames, six of each held out, in the folder that is worked in."""
    monkeypatch.chdir(tmp_path)
    for name, look in (("a", "A"), ("b", "B")):
        draw(tmp_path / f"{name}.mp4", look, frames=60)
        assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "32"]) == 0
    return tmp_path


def test_commands_use_the_best_and_say_so(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring(monkeypatch, [1, 2])
    assert run(["train", "a", "b", "--method", "cyclegan", *SMALL, *OWN["cyclegan"], "--steps", "20"]) == 0
    assert "best of 2 checkpoints compared: step 10 (score 1.000); render uses it" in capsys.readouterr().out
    contents = {}
    for choice, step in (("best", 10), ("newest", 20)):
        words = [] if choice == "best" else ["--checkpoint", choice]
        output = place / f"{choice}.mp4"
        assert run(["render", "--input", "a.mp4", "--output", str(output), *words]) == 0
        assert f"of the {choice} checkpoint, step {step})" in capsys.readouterr().out
        assert run(["export", "--to", "torch", "--output", choice, *words]) == 0
        assert f"of the {choice} checkpoint, step {step})" in capsys.readouterr().out
        contents[choice] = output.read_bytes(), (place / choice / "latest_net_G_A.pth").read_bytes()
    assert contents["best"][0] != contents["newest"][0] and contents["best"][1] != contents["newest"][1]
    assert run(["evaluate", "--input", "a.mp4"]) == 0
    assert "of the best checkpoint, step 10)" in capsys.readouterr().out
    judged = json.loads((place / "runs/a-b/evaluation/evaluation.json").read_text())
    assert (judged["step"], judged["checkpoint"]) == (10, "best")
    assert run(["render", "--input", "a.mp4", "--output", "best.mp4"]) == 0
    assert "already rendered" in capsys.readouterr().out


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_compared(method: str, place: Path) -> None:
    parts = {"pix2pix": ["temporal", "l1"], "cartoongan": ["temporal", "look"]}
    no_content = {"syntheticflow": ["--content", "0"], "cartoongan": ["--content", "0", "--initial-steps", "0"]}
    words = [*SMALL, *OWN[method], *no_content.get(method, [])]
    assert run(["train", "a", "b", "--method", method, *words, "--steps", "2"]) == 0
    (row,) = rows(place / "runs/a-b", "selection")
    assert list(row) == ["step", "score", *parts.get(method, ["temporal", "cycle", "look"])]
    assert all(0 <= float(value) < 20 for value in list(row.values())[1:])
    assert best_of(place / "runs/a-b")["step"] == 2
