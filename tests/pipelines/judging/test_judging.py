"""Every fault is caught by the measure meant for it and by no wrong one, in a world where nothing else is wrong."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from data.domain.palette import read_palette
from data.video.frame import Frame
from data.world.characters import RANGES, draw
from data.world.movement import motion
from pipelines.judging.domain import Resemblance
from pipelines.judging.judge import Judge, Moment
from pipelines.judging.motion import Steadiness
from pipelines.judging.truth import CELL_PX, MARGIN_PX, HiddenParameters, LabelScores, Likeness
from recycle.measures.optical_flow import Dis

FRAMES, READ_EVERY = 40, 4
"""Of the clip; poses are read from every so many frames only, which takes a while."""
POSES = motion(3, FRAMES)
SIZE = 64


def drawn(look, poses=POSES) -> list[np.ndarray]:
    return [draw(pose, look, SIZE) for pose in poses]


SOURCE, TRUTH = drawn("A"), drawn("B")
CLIPS: dict[str, list[np.ndarray]] = {
    "perfect": TRUTH,
    "source": SOURCE,
    "delayed": [TRUTH[0], *TRUTH[:-1]],
    "flickering": [np.clip(f.astype(int) + 3 * (t % 2), 0, 255).astype(np.uint8) for t, f in enumerate(TRUTH)],
    "frozen mouth": drawn("B", [replace(pose, mouth=POSES[0].mouth) for pose in POSES]),
    "blurred": [cv2.GaussianBlur(f, (0, 0), 1.5) for f in TRUTH],
}


def shaken(picture: np.ndarray, right: int, down: int) -> np.ndarray:
    """Moved by at most a pixel each way, what comes in being what was at the border."""
    return np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")[1 - down :, 1 - right :][:SIZE, :SIZE]


CLIPS["shaking"] = [shaken(f, *np.random.default_rng(t).integers(-1, 2, 2)) for t, f in enumerate(TRUTH)]


def watch(judges: list[Judge], result: list[np.ndarray], every: int = 1) -> dict[tuple[str, int], float | None]:
    per_frame: dict[tuple[str, int], float | None] = {}
    for number, t in enumerate(range(0, len(result), every)):
        frame = Frame(SOURCE[t], t, t, Fraction(1, 25))
        moment = Moment(number, frame, result[t], TRUTH[t], number > 0, None, SOURCE[t], result[t])
        for judge in judges:
            per_frame |= judge.see(moment)
    return per_frame


@pytest.fixture(scope="module")
def scores() -> dict[str, dict]:
    """By clip: every measure, and each hidden parameter's row."""
    domain = drawn("B", motion(77, 60))
    found = {}
    for name, result in CLIPS.items():
        judges: list[Judge] = [Likeness(), Steadiness(Dis()), Resemblance(domain, SIZE, "no weights")]
        watch(judges, result)
        hidden = HiddenParameters(POSES[::READ_EVERY])
        watch([hidden], result, READ_EVERY)
        found[name] = {key: value for judge in [*judges, hidden] for key, value in judge.values().items()}
        found[name] |= hidden.table()
    return found


def test_a_perfect_result_scores_perfectly(scores) -> None:
    perfect = scores["perfect"]
    assert perfect["psnr"] == float("inf")
    assert perfect["ssim"] == 1
    assert perfect["tof_truth"] == 0
    assert perfect["delay"] == 0
    for name in RANGES:
        assert perfect[name]["part_of_range"] < 0.02, name
        assert perfect[name]["correlation"] > 0.98, name


def test_the_source_played_as_the_result_is_worst_against_the_truth(scores) -> None:
    for name, worst_is in (("psnr", min), ("ssim", min), ("kernel_distance", max)):
        assert worst_is(scores, key=lambda clip: scores[clip][name]) == "source", name
    assert scores["source"]["psnr"] < scores["delayed"]["psnr"] - 10
    assert scores["source"]["parameters"] > 10 * scores["perfect"]["parameters"]
    assert scores["source"]["kernel_distance"] > 3 * scores["blurred"]["kernel_distance"]
    assert scores["source"]["tof"] == 0, "which shows what no measure without a truth can know"


def reading(measure: str, found: dict, perfect: dict) -> float:
    """What a measure says of a clip, so that the more the worse; against a perfect result where that is not perfect."""
    if measure in ("flicker", "tof", "warp_error"):
        return found[measure] / perfect[measure]
    if measure == "sharpness":
        return perfect[measure] / found[measure]
    if measure == "kernel_distance":
        return found[measure] - perfect[measure]
    if measure == "mouth":
        return found["mouth"]["part_of_range"]
    if measure == "mouth's correlation":
        return 1 - (found["mouth"]["correlation"] or 0)
    if measure == "other parameters":
        return max(found[name]["part_of_range"] for name in RANGES if name != "mouth")
    if measure == "delay" and isinstance(found["delay"], str):
        return 0  # it cannot tell
    return found[measure]


BOUNDS = {
    "flicker": (1.5, 10),
    "delay": (0, 1),
    "tof": (1.1, 1.3),
    "tof_truth": (0.02, 0.03),
    "warp_error": (1.5, 5),
    "kernel_distance": (0.005, 0.05),
    "sharpness": (1.1, 5),
    "mouth": (0.01, 0.03),
    "mouth's correlation": (0.01, 0.1),
    "other parameters": (0.01, 0.02),
}
"""Of each reading: up to where a measure takes no notice, and from where on it has caught something."""

TABLE = """
                     flickering  delayed  frozen mouth  shaking  blurred
flicker              X           .        .             X        .
delay                .           X        .             .        .
tof                  .           X        ~             X        X
tof_truth            .           X        X             X        X
warp_error           .           .        .             X        .
kernel_distance      .           .        .             .        ~
sharpness            .           .        .             .        X
mouth                .           X        X             .        .
mouth's correlation  .           ~        X             .        .
other parameters     .           X        .             X        .
"""
"""X: has to catch. dot: must take no notice. ~: may notice a little. PSNR and SSIM see all of them."""


def cells() -> list[tuple[str, str, str]]:
    """(measure, fault, sign)."""
    first, *lines = TABLE.strip("\n").splitlines()
    faults = [fault.strip() for fault in first.split("  ") if fault.strip()]
    found = []
    for text in lines:
        measure, *signs = [part.strip() for part in text.split("  ") if part.strip()]
        found += [(measure, fault, sign) for fault, sign in zip(faults, signs, strict=True)]
    return found


@pytest.mark.parametrize(("measure", "fault", "sign"), cells())
def test_a_fault_is_caught_by_what_is_meant_for_it_and_by_nothing_else(scores, measure, fault, sign) -> None:
    quiet, loud = BOUNDS[measure]
    read = reading(measure, scores[fault], scores["perfect"])
    assert {"X": read >= loud, ".": read <= quiet, "~": read < loud}[sign], read


@pytest.mark.parametrize("fault", [name for name in CLIPS if name != "perfect"])
def test_every_fault_is_seen_against_the_truth(scores, fault: str) -> None:
    assert scores[fault]["psnr"] < 45 and scores[fault]["ssim"] < 0.9999


def test_single_frames_are_told_where_they_are() -> None:
    """One wrong frame, number 20, shows in its own place, and in the step to the next one."""
    result = list(TRUTH)
    result[20] = np.clip(TRUTH[20].astype(int) + 40, 0, 255).astype(np.uint8)
    per_frame = watch([Likeness(), Steadiness(Dis())], result)

    def series(name: str) -> list[float | None]:
        return [per_frame.get((name, t)) for t in range(FRAMES)]

    assert [t for t in range(FRAMES) if series("psnr")[t] != float("inf")] == [20]
    assert sorted(np.argsort([value or 0 for value in series("warp_error")])[-2:]) == [20, 21]
    assert np.argmax([value or 0 for value in series("flicker")]) == 20
    assert series("tof")[0] is series("warp_error")[0] is None
    assert [t for t in range(FRAMES) if series("flicker")[t] is None] == [0, 1, FRAMES - 2, FRAMES - 1]


def test_a_wrong_pose_is_told_in_its_frame() -> None:
    hidden = HiddenParameters(POSES[:2])
    per_frame = watch([hidden], [TRUTH[0], TRUTH[20]])
    right, wrong = per_frame["parameters", 0], per_frame["parameters", 1]
    assert right < 1 and wrong > 10
    assert hidden.values()["parameters"] == pytest.approx((right + wrong) / 2)


def test_poses_that_do_not_belong_to_the_truth_are_not_read() -> None:
    hidden = HiddenParameters(motion(99, FRAMES))
    watch([hidden], TRUTH[:2])
    assert hidden.table() is None
    assert "not drawn" in str(hidden.values()["parameters"])


def test_the_picture_of_a_confusion_matrix_is_darkest_where_most_is(tmp_path) -> None:
    (tmp_path / "p.csv").write_text("road,128,64,128\nsky,70,130,180\nvoid,0,0,0\ngrass,10,200,30\n")
    palette = read_palette(tmp_path / "p.csv")
    labels = LabelScores(palette)
    truth, result = (np.empty((8, 8, 3), np.uint8) for _ in range(2))
    truth[:4], truth[4:] = palette.colours[0], palette.colours[3]
    result[:], result[4:] = palette.colours[0], palette.colours[1]
    labels.see(Moment(0, Frame(truth, 0, 0, Fraction(1, 25)), result, truth, False, None, None, None))
    assert labels.table()["confusion"] == [[32, 0, 0], [0, 0, 0], [0, 32, 0]]
    assert (labels.table()["classes"], labels.table()["void"]) == (["road", "sky", "grass"], "void")
    picture = labels.picture()
    corners = MARGIN_PX + CELL_PX * np.arange(3) + 2
    dark = picture[corners][:, corners].sum(-1) < 300
    assert dark.tolist() == [[True, False, False], [False, False, False], [False, True, False]]
