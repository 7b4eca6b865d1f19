"""`retarget evaluate` as a user runs it: what stands on disk, what is said, and what is refused."""

import gc
import json
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, jaccard_score

from data.domain.sources import Source
from data.video.frame import Frame
from data.video.reader import probe, read_frames
from data.world.puppets import motion, poses_to_json, write_clip
from pipelines.cli import run
from pipelines.judging.measures import MEASURES, line, worst
from recycle.config import MethodConfig, NetworkConfig, TrainingConfig, to_json
from recycle.measures.metrics import psnr
from recycle.methods import METHODS
from recycle.runs.checkpoint import save
from recycle.runs.runfolder import checkpoints_folder, load_for_rendering, write_settings
from tests.media import frame_times, portrait, write_frames

NETWORKS = NetworkConfig(size=32, generator="resnet_1blocks", generator_filters=4, discriminator_filters=4)
FOLDER = Path("runs/a-b/evaluation")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, without model files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETARGET_MODELS", str(tmp_path / "no-models"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-torch"))
    return tmp_path


def make_run(method: str = "cyclegan", aligner: str = "none", a: str = "a", b: str = "b") -> None:
    """runs/a-b with weights as they are drawn."""
    torch.manual_seed(0)
    config = MethodConfig(NETWORKS)
    drawn = METHODS[method](config)
    settings = {"method": method, "a": f"domains/{a}", "b": f"domains/{b}", "aligner_a": aligner, "aligner_b": aligner}
    settings |= {"crop_jitter": False, "flip": False, "config": to_json(config)}
    write_settings(Path("runs/a-b"), settings, TrainingConfig(steps=7), "float32")
    save(checkpoints_folder(Path("runs/a-b")), 7, {"weights": drawn.state_dict(), "ema": {}}, {}, keep=1)


def draw(name: str, look, frames: int, seed: int = 3, size: int = 64) -> Path:
    poses = motion(seed, frames)
    write_clip(Path(name), poses, look, size)
    Path(name).with_suffix(".json").write_text(poses_to_json(poses))
    return Path(name)


def extract(*names: str, align: str = "none", size: int = 32) -> None:
    for name in names:
        assert run(["extract", f"{name}.mp4", "--align", align, "--size", str(size)]) == 0


def evaluate(*words: object, folder: Path = FOLDER) -> dict:
    """Runs the command and reads what it wrote. No NaN and no Infinity may be in it."""
    assert run(["evaluate", "--accelerator", "cpu", *map(str, words)]) == 0
    return json.loads((folder / "evaluation.json").read_text(), parse_constant=pytest.fail)


def by_name(document: dict) -> dict[str, dict]:
    return {measure["name"]: measure for measure in document["measures"]}


def one_error(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Runs the command, which has to fail with exit code 2 and one line on stderr."""
    capsys.readouterr()
    assert run(["evaluate", "--accelerator", "cpu", *map(str, words)]) == 2
    (said,) = [text for text in capsys.readouterr().err.splitlines() if text.strip()]
    return said


def pixels(path: Path) -> np.ndarray:
    return np.stack([frame.rgb for frame in read_frames(path)])


def test_the_truth_judged_as_the_result_is_perfect(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("test.mp4", "A", 12), draw("truth.mp4", "B", 12), draw("b.mp4", "B", 20, seed=9)
    extract("b")
    make_run()
    words = ("--input", "test.mp4", "--truth", "truth.mp4", "--result", "truth.mp4")
    document = evaluate(*words)
    said = capsys.readouterr().out
    found = by_name(document)
    assert [measure["name"] for measure in document["measures"]] == [n for n in MEASURES if n in found]
    for name, measure in found.items():
        assert {"title", "value", "unit", "better", "perfect", "about"} <= measure.keys()
        assert (measure["value"] is None) == ("why" in measure), name
        assert sum(text.startswith(f"{name} ") for text in said.splitlines()) == 1, name
    assert found["psnr"]["value"] == found["psnr"]["perfect_text"] == "inf" and found["psnr"]["perfect"] is None
    assert found["ssim"]["value"] == 1 and found["tof_truth"]["value"] == 0
    assert found["parameters"]["value"] < 2
    for name, row in document["parameters"].items():
        assert row["part_of_range"] < 0.02, name
        assert row["part_of_range"] == pytest.approx(row["mean_error"] / (row["range"][1] - row["range"][0]))
        assert row["correlation"] > 0.8, name
    assert "was there before" in found["cycle_psnr"]["why"]
    assert "no landmarks" in found["motion"]["why"]
    assert found["fid"]["value"] is found["kid"]["value"] is None
    assert found["kernel_distance"]["value"] is not None

    assert (document["format"], document["run"], document["method"], document["step"]) == (1, "runs/a-b", "cyclegan", 7)
    assert (document["direction"], document["names"], document["weights"]) == ("a_to_b", ["a", "b"], "ema")
    assert (document["input"], document["truth"], document["result"]) == ("test.mp4", "truth.mp4", "truth.mp4")
    assert (document["frames"], document["rate"], document["size"]) == (12, "25/1", [64, 64])
    assert document["per_frame"]["psnr"] == ["inf"] * 12 and document["worst"]["psnr"] == []
    assert all(len(series) == 12 for series in document["per_frame"].values())
    times = [frame_times(FOLDER / name) for name in document["videos"].values()]
    assert times == [frame_times(Path("test.mp4"))] * 3
    assert probe(FOLDER / "source.mp4").audio_tracks == 1

    before = (FOLDER / "evaluation.json").read_bytes(), pixels(FOLDER / "result.mp4")
    evaluate(*words)
    assert (FOLDER / "evaluation.json").read_bytes() == before[0], "the same again"
    assert np.array_equal(pixels(FOLDER / "result.mp4"), before[1])


def test_a_run_is_judged_on_what_render_would_give(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By default on the held-out end; each way and there and back, against the networks asked by hand."""
    draw("a.mp4", "A", 24), draw("b.mp4", "B", 24)
    extract("a", "b")
    make_run()
    for words, here, there, way in (([], "a", "b", "a_to_b"), (["--reverse"], "b", "a", "b_to_a")):
        assert run(["render", "--accelerator", "cpu", *words]) == 0
        document = evaluate(*words)
        assert document["names"] == [here, there] and document["direction"] == way
        assert document["result"] == "result.mp4" and document["truth"] is None and "truth" not in document["videos"]
        rendered, judged = pixels(Path(f"renders/{here}-as-{there}.mp4")), pixels(FOLDER / "result.mp4")
        assert np.array_equal(rendered, judged) and len(judged) == document["frames"] == 3
        found = by_name(document)
        assert not {"psnr", "ssim", "tof_truth", "parameters", "pixel_accuracy"} & found.keys()
        assert "learned from this footage" not in capsys.readouterr().out
        evaluate(*words, "--input", f"{here}.mp4")
        assert "learned from this footage" in capsys.readouterr().out

        method = load_for_rendering(Path("runs/a-b"))[1]
        source = np.stack([f.rgb for f in read_frames(f"{here}.mp4") if f.number >= 21])
        tensor = torch.from_numpy(source).permute(0, 3, 1, 2) / 127.5 - 1
        for direction in (way, "b_to_a" if way == "a_to_b" else "a_to_b"):
            # rounded to bytes on the way, as a clip is
            tensor = method.translate(tensor, direction).add(1).mul(127.5).round().clamp(0, 255) / 127.5 - 1
        returned = tensor.add(1).mul(127.5).round().permute(0, 2, 3, 1).numpy().astype(np.uint8)
        assert found["cycle_psnr"]["value"] == pytest.approx(psnr(returned, source), abs=0.05)  # bfloat16 on some CPUs
        difference = np.abs(returned.astype(float) - source).mean()
        assert found["cycle_l1"]["value"] == pytest.approx(difference, rel=0.02)


def test_faces_are_judged_by_their_landmarks_and_their_crops(place: Path) -> None:
    write_frames(Path("p.mp4"), [portrait(n / 25, 160) for n in range(18)])
    write_frames(Path("q.mp4"), [portrait(0, 160) for _ in range(18)])
    extract("p", align="haar", size=64)
    make_run(aligner="haar", a="p", b="p")
    found = {clip: by_name(evaluate("--input", "p.mp4", "--result", clip)) for clip in ("p.mp4", "q.mp4")}
    assert found["p.mp4"]["motion"]["value"] == pytest.approx(1)
    still = found["q.mp4"]["motion"]
    assert still["value"] is None or abs(still["value"]) < 0.3, "the face does not move"
    assert found["p.mp4"]["sharpness"]["value"] > 0.8
    assert abs(found["p.mp4"]["kernel_distance"]["value"]) < 0.02, "crops are compared with crops"

    document = evaluate("--input", "p.mp4")
    assert run(["render", "--input", "p.mp4", "--output", "r.mp4", "--accelerator", "cpu"]) == 0
    assert np.array_equal(pixels(Path("r.mp4")), pixels(FOLDER / "result.mp4"))
    assert by_name(document)["cycle_psnr"]["value"] is not None


def test_label_maps_are_scored_as_scikit_learn_scores_them(place: Path) -> None:
    colours = {"road": (128, 64, 128), "void": (0, 0, 0), "sky": (70, 130, 180), "tree": (107, 142, 35)}
    Path("palette.json").write_text(json.dumps({name: list(colour) for name, colour in colours.items()}))
    table, generator = np.array(list(colours.values()), np.uint8), np.random.default_rng(0)
    true = generator.integers(0, 4, (3, 40, 48))
    given = np.where(generator.random(true.shape) < 0.3, generator.choice([0, 2, 3], true.shape), true)
    given[given == 1] = 2
    for name, maps in (("truth", true), ("result", given)):
        Path(name).mkdir()
        for n, classes in enumerate(maps):
            cv2.imwrite(f"{name}/{n}.png", table[classes][..., ::-1])
    write_frames(Path("street.mp4"), [portrait(n / 5, 48)[:40] for n in range(3)])
    make_run()
    words = ("--input", "street.mp4", "--truth", "truth", "--result", "result")
    document = evaluate(*words, "--labels", "palette.json")
    known = true != 1
    y, p = true[known], given[known]
    assert document["labels"]["classes"] == ["road", "sky", "tree"] and document["labels"]["void"] == "void"
    assert document["labels"]["confusion"] == confusion_matrix(y, p, labels=[0, 2, 3]).tolist()
    scores = {
        "pixel_accuracy": accuracy_score(y, p),
        "class_accuracy": balanced_accuracy_score(y, p),
        "class_iou": jaccard_score(y, p, average="macro"),
    }
    for name, value in scores.items():
        assert by_name(document)[name]["value"] == pytest.approx(value), name
        assert document["labels"][name] == pytest.approx(value), name
    frames = [accuracy_score(t[t != 1], g[t != 1]) for t, g in zip(true, given, strict=True)]
    assert document["per_frame"]["pixel_accuracy"] == pytest.approx(frames, abs=1e-5)
    assert document["confusion_picture"] == "confusion.png" and (FOLDER / "confusion.png").exists()
    assert "domains/b" in by_name(document)["kernel_distance"]["why"], "there is no such domain"

    document = evaluate(*words[:2])
    assert "labels" not in document and "confusion_picture" not in document
    assert sorted(p.name for p in FOLDER.iterdir()) == ["evaluation.json", "result.mp4", "source.mp4"]


def test_what_does_not_fit_is_one_line_and_changes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw("in.mp4", "A", 6, size=32), draw("short.mp4", "B", 5, size=32), draw("long.mp4", "B", 7, size=32)
    draw("large.mp4", "B", 6, size=48)
    Path("palette.csv").write_text("road,1,2,3\n")
    assert "no trained run" in one_error(capsys)
    make_run("pix2pix")
    evaluate("--input", "in.mp4")
    before = {path: path.read_bytes() for path in FOLDER.iterdir()}
    given = ("--input", "in.mp4")
    said = one_error(capsys, *given, "--truth", "short.mp4")
    assert "short.mp4: ends before the 6 frames of in.mp4" in said
    assert "long.mp4: goes on" in one_error(capsys, *given, "--result", "long.mp4")
    assert "48x48" in one_error(capsys, *given, "--truth", "large.mp4")
    assert "no.mp4" in one_error(capsys, *given, "--truth", "no.mp4")
    assert "--truth" in one_error(capsys, *given, "--labels", "palette.csv")
    assert "fewer than two" in one_error(capsys, *given, "--truth", "in.mp4", "--labels", "palette.csv")
    assert "--reverse" in one_error(capsys, *given, "--reverse")
    assert "--flow raft" in one_error(capsys, *given, "--flow", "raft")
    assert "--inception-weights" in one_error(capsys, *given, "--inception-weights", "inception.pth")
    assert "no pictures" in one_error(capsys, *given, "--result", place / "runs")
    assert "--flow-weights" in one_error(capsys, *given, "--flow-weights", "raft.pth")
    assert "another --output" in one_error(capsys, *given, "--result", FOLDER / "result.mp4")
    assert {path: path.read_bytes() for path in FOLDER.iterdir()} == before


def test_one_way_methods_odd_sizes_and_missing_domains_are_told(place: Path) -> None:
    frames = [np.roll(portrait(0, 64)[:45, :51], n, axis=1) for n in range(8)]
    Path("odd").mkdir()
    for n, rgb in enumerate(frames):
        cv2.imwrite(f"odd/{n}.png", rgb[..., ::-1])
    make_run("pix2pix")
    document = evaluate("--input", "odd", "--output", "elsewhere/deep", folder=Path("elsewhere/deep"))
    assert "no way back" in by_name(document)["cycle_l1"]["why"]
    assert document["size"] == [51, 45]
    shown = probe("elsewhere/deep/source.mp4")
    assert (shown.width, shown.height, shown.pixel_format) == (52, 46, "yuv420p")
    assert not FOLDER.exists()


@pytest.mark.parametrize(("frames", "side"), [(1, 32), (3, 32), (3, 2)])
def test_clips_too_short_or_too_small_for_a_measure_are_judged_by_the_others(
    place: Path, frames: int, side: int
) -> None:
    Path("brief").mkdir()
    for n in range(frames):
        cv2.imwrite(f"brief/{n}.png", portrait(n / 25, 64)[:side, :side, ::-1])
    make_run("pix2pix")
    document = evaluate("--input", "brief", "--truth", "brief", "--result", "brief")
    found = by_name(document)
    assert document["frames"] == frames and found["psnr"]["value"] == "inf"
    assert found["ssim"]["value"] == (1 if side > 11 else None)
    assert found["tof_truth"]["value"] == (0 if frames > 1 else None)
    assert found["flicker"]["value"] is found["delay"]["value"] is None
    assert all(measure["value"] is not None or measure["why"] for measure in found.values())


def test_nothing_is_compared_across_a_cut(place: Path) -> None:
    light, dark = (np.full((48, 64, 3), value, np.uint8) for value in (220, 20))
    light[::7], dark[:, ::5] = (200, 30, 30), (20, 90, 200)
    write_frames(Path("cut.mp4"), [dark] * 12 + [light] * 12)
    make_run("pix2pix")
    document = evaluate("--input", "cut.mp4", "--result", "cut.mp4")
    for name, missing in (("tof", [0, 12]), ("warp_error", [0, 12]), ("flicker", [0, 1, 10, 11, 12, 13, 22, 23])):
        series = document["per_frame"][name]
        assert [t for t, value in enumerate(series) if value is None] == missing, name
    assert by_name(document)["flicker"]["value"] < 1


def test_frames_are_let_go_while_a_clip_is_judged(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw("in.mp4", "A", 60, size=32).with_suffix(".json").unlink()
    draw("b.mp4", "B", 12, size=32)
    extract("b")
    make_run()
    alive: weakref.WeakSet[Frame] = weakref.WeakSet()
    most, read = 0, Source.frames

    def watched(self, start=None):
        nonlocal most
        for frame in read(self, start):
            alive.add(frame)
            gc.collect(0)
            most = max(most, len(alive))
            yield frame

    monkeypatch.setattr(Frame, "__hash__", lambda self: id(self))
    monkeypatch.setattr(Source, "frames", watched)
    evaluate("--input", "in.mp4", "--truth", "in.mp4")
    assert 0 < most < 15


def test_the_worst_moments_lie_apart() -> None:
    seconds = [t / 25 for t in range(60)]
    series: list[float | None] = [30.0] * 60
    series[0], series[59] = None, float("inf")
    series[20], series[21], series[40], series[8] = 10.0, 11.0, 12.0, 13.0
    found = worst("psnr", series, seconds)
    assert [(moment["frame"], moment["value"]) for moment in found] == [(20, 10.0), (40, 12.0), (1, 30.0)]
    assert found[0]["seconds"] == 0.8
    assert [moment["frame"] for moment in worst("flicker", [0.0, None, 3.0], [0, 1, 2])] == [2]


def test_every_measure_says_what_it_is() -> None:
    for name, measure in MEASURES.items():
        assert measure.better in ("higher", "lower") and measure.about.endswith(".") and measure.title, name
        assert len(line(name, 0.123456).splitlines()) == len(line(name, "so it is").splitlines()) == 1
