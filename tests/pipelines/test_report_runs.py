"""Reports of runs of every kind: bare, imported, cut off, damaged; with and without a marked checkpoint."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.domain.pictures import write_sheet
from pipelines.cli import run
from pipelines.pages.pages import picture_uris
from tests.pages import IRREGULAR, REGULAR, opened, write_config, write_evaluation, write_logs


def one_error(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Runs a command that has to fail with one line on stderr and exit code 2."""
    assert run(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_domain_names_stay_text_in_the_title(chromium: Any, place: Path) -> None:
    write_config(place / "run", a="domains/<script>hit()<b>", b="domains/\"'&amp;")
    assert run(["report", "--run", "run", "--output", "out.html"]) == 0
    with opened(chromium, place / "out.html") as tab:
        assert tab.title() == "<script>hit()<b> → \"'&amp; · retarget"
        assert tab.inner_text("h1") == "<script>hit()<b> → \"'&amp;"


def write_selection(run: Path, best: Any) -> None:
    """A score that is least at step 200."""
    lines = ["step,score,temporal,cycle", "100,0.9,0.5,0.4", "200,0.25,0.05,0.2", "300,0.5,0.25,0.25"]
    (run / "selection.csv").write_text("\n".join(lines) + "\n")
    (run / "checkpoints" / "best.json").write_text(json.dumps(best))


def test_the_best_checkpoint_is_marked_and_named(chromium: Any, place: Path) -> None:
    write_config(place / "run")
    write_selection(place / "run", {"step": 200, "score": 0.25})
    for judged, kind, words in ((200, "best", "of that step."), (300, "newest", "of step 300.")):
        write_evaluation(place / "run", IRREGULAR, step=judged, checkpoint=kind)
        assert run(["report", "--run", "run"]) == 0
        with opened(chromium, place / "run" / "report.html") as tab:
            assert f"the running mean of the weights at step {judged}, the {kind} checkpoint." in tab.inner_text(
                "#measured"
            )
            about = tab.inner_text("#selection-about")
            assert "far there and back misses. Best is step 200;" in about and about.endswith(
                f"The measures above are {words}"
            )
            chart = tab.locator("#selection .curve")
            values = [" ".join(text.split()) for text in chart.locator(".legend li").all_inner_texts()]
            assert values == ["score 0.2500", "temporal 0.05000", "cycle 0.2000"]  # those of the best
            assert chart.locator(".readout").inner_text() == "step 200"
            mark, ends = chart.locator("line.best"), chart.locator("path.line").first.get_attribute("d")
            assert mark.get_attribute("x1") == mark.get_attribute("x2")
            points = [float(x) for x in re.findall(r"[ML]([\d.]+) ", ends)]
            assert float(mark.get_attribute("x1")) == pytest.approx(points[1], abs=0.06)


@pytest.mark.parametrize("best", [None, {"step": "200"}, {"step": 999}, []])
def test_without_a_marked_checkpoint_none_is_named(chromium: Any, place: Path, best: Any) -> None:
    write_config(place / "run")
    write_selection(place / "run", best)
    assert run(["report", "--run", "run"]) == 0
    with opened(chromium, place / "run" / "report.html") as tab:
        assert tab.inner_text("#selection-about").endswith("far there and back misses.")
        assert tab.locator("#selection path.line").count() == 3 and not tab.locator("#selection .best").count()


def test_a_single_row_is_seen(chromium: Any, place: Path) -> None:
    write_config(place / "run")
    write_logs(place / "run", rows=1, samples=())
    assert run(["report", "--run", "run"]) == 0
    with opened(chromium, place / "run" / "report.html") as tab:
        boxes = [line.bounding_box() for line in tab.locator("#curves path.line").all()]
        assert len(boxes) == 7 and all(box["width"] >= 4 for box in boxes)


def test_without_evaluation_logs_or_domains(chromium: Any, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_config(place / "runs" / "bare")
    assert run(["report"]) == 0
    assert (
        "runs/bare: not measured yet; for players and measures run: retarget evaluate --run runs/bare"
        in capsys.readouterr().out
    )
    with opened(chromium, place / "runs" / "bare" / "report.html") as tab:
        assert "Run: retarget evaluate --run runs/bare" in tab.inner_text("#measures")
        assert "domains/anna is not there any more." in tab.inner_text("#trained")
        assert [tab.is_visible(f"#{part}") for part in ("watch", "samples", "selection", "curves")] == 4 * [False]


def test_metrics_that_were_cut_off_or_are_many(chromium: Any, place: Path) -> None:
    write_config(place / "run")
    write_logs(place / "run", rows=1000, samples=(500,))
    table = place / "run" / "metrics.csv"
    table.write_text(table.read_text() + "5005,1.0,0.1\n5010,nan,1,1,1,1,1,1,1\n5015,2,x,1,inf,1,1,1,1")
    assert run(["report", "--run", "run"]) == 0
    with opened(chromium, place / "run" / "report.html") as tab:
        assert tab.is_visible("#sheet") and not tab.is_visible("#sample")
        assert "A point is the mean of 3 rows" in tab.inner_text("#curves-about")
        data = json.loads(tab.locator("#data").inner_text())["curves"]
        (cycle,) = (line for line in data["charts"][0]["lines"] if line["name"] == "cycle a")
        assert cycle["values"][0] == pytest.approx(np.mean([4 / 1, 4 / 2, 4 / 3]), rel=1e-4)
        assert data["charts"][0]["step"][0] == 15 and data["charts"][0]["step"][-1] == 5015


def test_the_page_stays_small_whatever_the_pictures(place: Path) -> None:
    rng = np.random.default_rng(0)
    write_config(place / "run")
    write_evaluation(place / "run", REGULAR)
    (place / "run" / "samples").mkdir()
    for number in range(40):
        noise = rng.integers(0, 255, (150, 100, 3), np.uint8).repeat(4, 0).repeat(4, 1)
        write_sheet(place / "run" / "samples" / f"step-{number:06d}.jpg", noise)
    assert run(["report", "--run", "run"]) == 0
    data = told(place / "run" / "report.html")
    videos = sum(len(player["video"]) for player in data["players"])
    assert (place / "run" / "report.html").stat().st_size - videos < 2_000_000
    assert [sample["step"] for sample in data["samples"]][::23] == [0, 39] and len(data["samples"]) == 24


def told(page: Path) -> dict[str, Any]:
    """The data in a page."""
    found = re.search(r'id="data">(.*?)</script>', page.read_text())
    assert found
    return json.loads(found[1])


def test_the_way_back_an_import_and_videos_that_are_gone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_config(place / "run", imported=["ab" * 32])
    write_evaluation(place / "run", IRREGULAR, truth=False, direction="b_to_a", input="clips/ben.mp4", weights="raw")
    assert run(["report", "--run", "run"]) == 0
    data = told(place / "run" / "report.html")
    assert [player["kind"] for player in data["players"]] == ["source", "result"]
    assert [player["about"] for player in data["players"]] == ["ben (ben.mp4)", "in the style of anna, by cyclegan"]
    assert data["measured"] == "Measured from ben to anna on ben.mp4: the weights at step 300."
    assert data["settings"][0] == ["Weights", "imported, not trained here: sha256 abababababab…"]
    (place / "run" / "evaluation" / "result.mp4").unlink()
    capsys.readouterr()
    assert run(["report", "--run", "run"]) == 0
    assert "run: the videos of its evaluation are gone; run: retarget evaluate --run run" in capsys.readouterr().out
    data = told(place / "run" / "report.html")
    assert not data["players"] and data["evaluation"]["measures"]


def test_pictures_are_as_large_as_the_budget_allows() -> None:
    plain = [np.full((400, 2000, 3), 90, np.uint8)]
    assert len(picture_uris(plain, 100_000)[0]) < 10_000
    noise = [np.random.default_rng(0).integers(0, 255, (500, 500, 3), np.uint8)]
    rich, poor = picture_uris(noise, 10**7)[0], picture_uris(noise, 60_000)[0]
    assert len(rich) > 60_000 >= len(poor) > 10_000


def test_what_is_wrong_is_said_in_a_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no trained run" in one_error(capsys, "report")
    assert "nowhere/config.json: not there" in one_error(capsys, "report", "--run", "nowhere")
    write_config(place / "run")
    content = write_evaluation(place / "run", IRREGULAR)
    told = place / "run" / "evaluation" / "evaluation.json"
    (place / "secret.mp4").write_bytes(b"secret")
    for change in (
        {"format": 2},
        {"videos": {"source": "../../secret.mp4"}},
        {"per_frame": {"psnr": [1.0]}},
        {"worst": {"psnr": [{"frame": 99, "seconds": 1, "value": 1}]}},
        {"measures": [{"name": "psnr"}]},
        {"measures": None},
    ):
        told.write_text(json.dumps(content | change))
        assert "evaluation.json" in one_error(capsys, "report", "--run", "run")
    told.write_text(json.dumps(content | {"per_frame": {"psnr": [float("nan")] * len(IRREGULAR)}}))
    assert "damaged" in one_error(capsys, "report", "--run", "run")
    told.write_text(json.dumps(content | {"frames": 9, "per_frame": {}, "worst": {}}))
    assert "not the clip that was measured" in one_error(capsys, "report", "--run", "run")
    (place / "run" / "config.json").write_text("{")
    assert "config.json: damaged" in one_error(capsys, "report", "--run", "run")
    assert not (place / "run" / "report.html").exists()
