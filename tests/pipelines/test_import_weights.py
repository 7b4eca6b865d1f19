"""Weight files of the authors' program become runs; what cannot is one line and leaves nothing."""

import torch

from pipelines.cli import run
from recycle.runs.runfolder import load_for_rendering
from tests.media import portrait, write_frames
from tests.pipelines.weights import drawn, drawn_pictures, one_error, shown, write_weights
from tests.published import draw_resnet, draw_unet, resnet, unet


def test_import_decides_and_says_what_a_run_is(place, capsys):
    write_weights(place / "unet.pth", draw_unet(6, 1))
    assert run(["import", "unet.pth", "--name", "u", "--align", "haar", "--runs", "r"]) == 0
    settings, method, *_ = load_for_rendering(place / "r/u")
    assert settings["method"] == "pix2pix" and set(method.generators) == {"generator_ab"}
    assert (settings["a"], settings["b"], settings["aligner_a"]) == ("a", "b", "haar")
    assert settings["config"]["networks"]["size"] == 64
    pictures = drawn_pictures(1, 3, 64, 128)
    torch.testing.assert_close(method.translate(pictures, "a_to_b"), unet(shown(place / "unet.pth"), pictures))

    for name, seed in (("G_A.pth", 0), ("G_B.pth", 1)):
        write_weights(place / name, drawn(seed))
    assert run(["import", "G_A.pth", "G_B.pth", "--name", "two", "--size", "128"]) == 0
    settings, method, *_ = load_for_rendering(place / "runs/two")
    assert settings["method"] == "cyclegan" and settings["config"]["networks"]["size"] == 128
    for direction, name in (("a_to_b", "G_A.pth"), ("b_to_a", "G_B.pth")):
        torch.testing.assert_close(method.translate(pictures, direction), resnet(shown(place / name), pictures))


def test_import_again_does_nothing_and_never_takes_anothers_place(place, capsys):
    for name, seed in (("G_A.pth", 0), ("G_B.pth", 1)):
        write_weights(place / name, drawn(seed))
    assert run(["import", "G_A.pth", "--name", "one"]) == 0
    before = {p: p.stat().st_mtime_ns for p in (place / "runs").rglob("*")}
    assert run(["import", "G_A.pth", "--name", "one"]) == 0
    assert "imported already" in capsys.readouterr().out
    assert "is there already" in one_error(capsys, "import", "G_B.pth", "--name", "one")
    assert "is there already" in one_error(capsys, "import", "G_A.pth", "--name", "one", "--b", "zebra")
    assert {p: p.stat().st_mtime_ns for p in (place / "runs").rglob("*")} == before
    (place / "runs/mine").mkdir()
    assert "is there already" in one_error(capsys, "import", "G_A.pth", "--name", "mine")
    assert not list((place / "runs/mine").iterdir())


def test_wrong_imports_are_one_line_and_leave_nothing(place, capsys, monkeypatch):
    write_weights(place / "G_A.pth", drawn(0))
    write_weights(place / "nine.pth", draw_resnet(9, 2))
    write_weights(place / "unet.pth", draw_unet(6, 1))
    said = one_error(capsys, "import", "G_A.pth", "nine.pth", "--name", "x")
    assert "G_A.pth (resnet_6blocks" in said and "nine.pth (resnet_9blocks" in said
    assert "--name '../x'" in one_error(capsys, "import", "G_A.pth", "--name", "../x")
    assert "--b 'x/y'" in one_error(capsys, "import", "G_A.pth", "--name", "x", "--b", "x/y")
    assert "0 weight files" in one_error(capsys, "import", "--name", "x")
    assert "3 weight files" in one_error(capsys, "import", *["G_A.pth"] * 3, "--name", "x")
    assert "no.pth" in one_error(capsys, "import", "no.pth", "--name", "x")
    assert "--size 30" in one_error(capsys, "import", "G_A.pth", "--name", "x", "--size", 30)
    assert "--size 256" in one_error(capsys, "import", "unet.pth", "--name", "x", "--size", 256)
    assert not (place / "runs").exists()

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.import_weights.write_settings", stop)
    assert run(["import", "G_A.pth", "--name", "x"]) == 130
    assert not list((place / "runs").iterdir())


def test_an_imported_run_is_not_trained_on(place, capsys):
    for name in ("a", "b"):
        write_frames(place / f"{name}.mp4", [portrait(n / 25, 48) for n in range(12)], sound=False)
        assert run(["extract", f"{name}.mp4", "--align", "none", "--size", "32"]) == 0
    torch.manual_seed(0)
    for name in ("G_A.pth", "G_B.pth"):
        write_weights(place / name, draw_resnet(1, 2))
    assert run(["import", "G_A.pth", "G_B.pth", "--name", "two", "--size", "32"]) == 0
    words = ["train", "a", "b", "--method", "cyclegan", "--run", "runs/two", "--steps", "2", "--accelerator", "cpu"]
    words += [
        "--size",
        "32",
        "--generator",
        "resnet_1blocks",
        "--generator-filters",
        "2",
        "--discriminator-filters",
        "2",
    ]
    assert "runs/two: was imported" in one_error(capsys, *words)
    assert run(["render", "--run", "runs/two", "--input", "a.mp4"]) == 0
