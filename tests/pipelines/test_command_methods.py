"""Every method, trained, resumed and rendered through the command line."""

import csv
import json
from pathlib import Path

import pytest
import torch

from pipelines.cli import run
from recycle.methods import METHODS
from recycle.runs.runfolder import load_for_rendering
from tests.media import frame_times
from tests.pipelines.runs import OWN, SMALL, draw, one_error
from tests.vgg import random_vgg, torchvision_or_skip

LOSSES = {
    "equivariant": {
        f"{term}_{x}" for term in ("cycle", "mirror", "flow", "discriminator", "detail_discriminator") for x in "ab"
    }
    | {f"{term}_{way}" for term in ("adversarial", "detail") for way in ("ab", "ba")},
    "recyclegan": {f"{term}_{x}" for term in ("recurrent", "recycle", "discriminator") for x in "ab"}
    | {"adversarial_ab", "adversarial_ba"},
    "cyclegan": {f"{term}_{x}" for term in ("cycle", "identity", "discriminator") for x in "ab"}
    | {"adversarial_ab", "adversarial_ba"},
    "pix2pix": {"adversarial_ab", "l1_b", "discriminator_b"},
    "cartoongan": {"adversarial_ab", "content_a", "discriminator_b"},
    "syntheticflow": {
        f"{term}_{x}"
        for term in ("unsupervised_spatial", "unsupervised_recycle", "content", "discriminator")
        for x in "ab"
    }
    | {"adversarial_ab", "adversarial_ba"},
    "cut": {"adversarial_ab", "contrastive_a", "contrastive_identity_b", "discriminator_b"},
    "fastcut": {"adversarial_ab", "contrastive_a", "discriminator_b"},
    "augmented": {
        f"{term}_{x}" for term in ("cycle", "code", "prior", "discriminator", "code_discriminator") for x in "ab"
    }
    | {"adversarial_ab", "adversarial_ba"},
    "pairedcycle": {"adversarial_ab", "adversarial_ba", "cycle_a", "cycle_b", "style_b"}
    | {f"discriminator_{name}" for name in ("a", "b", "style")},
    "stargan": {
        f"{term}_all"
        for term in (
            *("adversarial", "classification", "cycle"),
            *("discriminator", "real_classification", "gradient_penalty"),
        )
    },
    "combogan": {f"{term}_{way}" for term in ("adversarial", "cycle", "discriminator") for way in ("there", "back")},
}
ONE_WAY = {"pix2pix", "cartoongan", "cut", "fastcut"}


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torchvision_or_skip()
    return random_vgg(tmp_path_factory.mktemp("vgg") / "vgg19.pth")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Domains a and b of drawn clips whose frames belong together, in the folder that is worked in."""
    monkeypatch.chdir(tmp_path)
    for name, look in (("a", "A"), ("b", "B")):
        draw(tmp_path / f"{name}.mp4", look)
        assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "32"]) == 0
    return tmp_path


def train(method: str, *words: str, steps: int = 20, run_folder: str = "runs/a-b") -> list[dict[str, float]]:
    """Trains, or goes on; the rows of metrics.csv."""
    given = ["train", "a", "b", "--method", method, *SMALL, *OWN[method], "--run", run_folder, "--steps", str(steps)]
    assert run([*given, *words]) == 0
    with (Path(run_folder) / "metrics.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def losses(rows: list[dict[str, float]]) -> set[str]:
    logged = {"step", "seconds", "rate", "generators", "discriminators", "generator_gradient", "discriminator_gradient"}
    return set(rows[0]) - logged


@pytest.mark.parametrize("method", METHODS)
def test_trains_resumes_and_renders(method: str, place: Path, request: pytest.FixtureRequest) -> None:
    content = ("--vgg-weights", str(request.getfixturevalue("vgg"))) if METHODS[method].weights.content else ()
    rows = train(method, *content)
    assert losses(rows) == LOSSES[method]
    assert [row["step"] for row in rows] == [5, 10, 15, 20]
    in_two = train(method, *content, steps=10, run_folder="runs/other")
    assert in_two[-1]["step"] == 10
    train(method, *content, run_folder="runs/other")
    steps = [load_for_rendering(place / "runs" / name)[1].state_dict() for name in ("a-b", "other")]
    assert all(torch.isfinite(value).all() for value in steps[0].values())
    assert steps[0].keys() == steps[1].keys()

    assert run(["render", "--run", "runs/a-b", "--input", "a.mp4", "--output", "there.mp4"]) == 0
    assert frame_times(place / "there.mp4") == frame_times(place / "a.mp4")
    if method not in ONE_WAY:
        assert run(["render", "--run", "runs/a-b", "--reverse", "--input", "b.mp4", "--output", "back.mp4"]) == 0


@pytest.mark.parametrize("method", sorted(ONE_WAY))
def test_one_way_methods_refuse_to_go_back(method: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = ("--content", "0", "--initial-steps", "0") if method == "cartoongan" else ()
    train(method, *(word for word in content if method == "cartoongan"), steps=2)
    line = one_error(capsys, "render", "--run", "runs/a-b", "--reverse", "--input", "b.mp4")
    assert "--reverse" in line
    assert method in line


def test_cartoongan_starts_with_content_alone(place: Path, vgg: Path) -> None:
    rows = train("cartoongan", "--vgg-weights", str(vgg))
    assert rows[0]["content_a"] > 0
    assert rows[0]["adversarial_ab"] == rows[0]["discriminator_b"] == rows[0]["discriminator_gradient"] == 0
    assert rows[1]["adversarial_ab"] > 0 < rows[1]["discriminator_b"]


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        (("--adversarial", "0"), {"adversarial_ab", "adversarial_ba", "discriminator_a", "discriminator_b"}),
        (("--cycle", "0"), {"cycle_a", "cycle_b"}),
        (("--cycle-direction", "forward"), {"cycle_b"}),
        (("--cycle-direction", "backward"), {"cycle_a"}),
        (("--identity", "0"), {"identity_a", "identity_b"}),
    ],
)
def test_each_ablation_takes_away_the_terms_that_it_names(words: tuple[str, ...], gone: set[str], place: Path) -> None:
    whole = train("cyclegan", "--log-every", "1", steps=1, run_folder="runs/whole")
    part = train("cyclegan", "--log-every", "1", *words, steps=1, run_folder="runs/part")
    assert losses(part) == losses(whole) - gone
    # Fewer pictures in a forward round a last digit another way.
    assert {name: part[0][name] for name in losses(part)} == pytest.approx(
        {name: whole[0][name] for name in losses(part)}, rel=1e-5
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--adversarial-loss", "hinge", "--attention", "--spectral-norm", "both"),
        ("--adversarial-loss", "vanilla", "--generator", "unet", "--norm", "batch", "--batch-size", "2"),
        ("--window", "5", "--predictor", "two_view", "--discriminator", "pixel", "--dropout"),
        ("--init", "orthogonal", "--init-gain", "1", "--discriminator-layers", "2", "--upsampling", "nearest"),
    ],
)
def test_options_across_methods_train_and_render(words: tuple[str, ...], place: Path) -> None:
    rows = train("recyclegan", *words, "--log-every", "1", steps=2)
    assert len(rows) == 2
    settings = json.loads((place / "runs" / "a-b" / "config.json").read_text())["settings"]
    assert settings["config"]["window"] == (5 if "--window" in words else 3)
    assert run(["render", "--run", "runs/a-b", "--input", "a.mp4", "--output", "there.mp4"]) == 0
    assert frame_times(place / "there.mp4") == frame_times(place / "a.mp4")


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (("--method", "cyclegan", "--window", "5"), "--window 5"),
        (("--method", "pix2pix", "--cycle", "10"), "--cycle 10"),
        (("--method", "cartoongan", "--predictor-filters", "3"), "--predictor-filters 3"),
        (("--method", "cyclegan", "--vgg-weights", "some.pth"), "--vgg-weights some.pth"),
        (("--method", "syntheticflow", "--vgg-weights", "gone.pth"), "gone.pth"),
    ],
)
def test_what_a_method_cannot_honour_is_refused_before_any_work(
    words: tuple[str, ...], flag: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torchvision_or_skip()
    assert flag in one_error(capsys, "train", "a", "b", "--preset", "tiny", *words)
    assert not (place / "runs").exists()


def test_pix2pix_refuses_domains_that_do_not_belong_together(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(place / "c.mp4", "B", frames=40)
    assert run(["extract", "c.mp4", "--align", "none", "--size", "32"]) == 0
    for picture in sorted((place / "domains" / "c" / "frames" / "c").iterdir())[:24]:
        picture.unlink()
    one_error(capsys, "train", "a", "c", "--method", "pix2pix", *SMALL, "--steps", "2")


def test_domains_of_a_run_go_out_as_strips_and_come_back(place: Path) -> None:
    train("cyclegan", steps=1)
    assert run(["export", "--to", "strips", "--output", "set"]) == 0
    assert sorted(path.name for path in (place / "set").iterdir()) == ["testA", "testB", "trainA", "trainB"]
    assert run(["extract", "set", "--name", "again", "--size", "32"]) == 0
    assert len(list((place / "domains" / "again-A" / "frames").glob("*/*.jpg"))) == 3 * 14 + 3
    assert run(["export", "--to", "strips", "--output", "set"]) == 2
