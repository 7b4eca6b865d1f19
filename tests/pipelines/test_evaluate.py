"""`retarget evaluate` as a user runs it: what stands on disk and what is said."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, jaccard_score

from data.video.reader import probe, read_frames
from pipelines.cli import run
from pipelines.judging.measures import MEASURES
from recycle.measures.metrics import psnr
from recycle.runs.runfolder import load_for_rendering
from tests.media import frame_times, portrait, write_frames
from tests.pipelines.evaluations import FOLDER, by_name, draw, evaluate, extract, make_run, pixels


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
