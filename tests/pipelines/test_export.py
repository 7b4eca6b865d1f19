"""Runs go out as ONNX and as the authors' weight files, and compute the same there."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from data.video.reader import read_frames
from pipelines.cli import run
from recycle.config import MethodConfig, NetworkConfig, TrainingConfig, to_json
from recycle.methods import METHODS
from recycle.networks.layers import SelfAttention
from recycle.networks.networks import build_generator, smallest_side
from recycle.runs import onnx_export
from recycle.runs.checkpoint import save
from recycle.runs.onnx_export import ExportError, export_onnx
from recycle.runs.runfolder import checkpoints_folder, write_settings
from tests.authors import PARITY
from tests.media import frame_times, portrait, write_frames
from tests.pipelines.weights import drawn, drawn_pictures, one_error, shown, write_weights
from tests.published import draw_resnet, resnet, with_old_statistics


@pytest.fixture(params=["drawn", "published"])
def files(request: pytest.FixtureRequest, place: Path) -> tuple[Path, Path]:
    """Weight files of both directions: of the authors' program where they are there, and drawn ones."""
    if request.param == "drawn":
        written = [write_weights(place / f"{n}.pth", with_old_statistics(drawn(n))) for n in (0, 1)]
        return written[0], written[1]
    if not PARITY.exists():
        pytest.skip(f"no {PARITY}: weight files of the authors' program")
    return PARITY / "latest_net_G_A.pth", PARITY / "latest_net_G_B.pth"


def blocks(video: np.ndarray) -> np.ndarray:
    """Means of 8x8 pixels: a picture that is nearly noise keeps these in a video, and little else."""
    frames, height, width, channels = video.shape
    return video.reshape(frames, height // 8, 8, width // 8, 8, channels).mean((2, 4))


def test_a_published_file_renders_and_goes_out_as_it_came(place, files, capsys):
    write_frames(place / "clip.mp4", [portrait(n / 25, 64) for n in range(6)])
    assert run(["import", *map(str, files), "--name", "imported", "--a", "anna", "--b", "ben"]) == 0
    assert run(["render", "--input", "clip.mp4"]) == 0
    said = capsys.readouterr().out
    assert "resnet_6blocks" in said and "anna to ben" in said
    assert run(["render", "--input", "clip.mp4", "--reverse", "--output", "back.mp4"]) == 0
    for file, result in ((files[0], "renders/clip-as-ben-imported.mp4"), (files[1], "back.mp4")):
        assert frame_times(place / result) == frame_times(place / "clip.mp4")
        before, after = (np.stack([f.rgb for f in read_frames(name)]) for name in ("clip.mp4", result))
        pictures = torch.from_numpy(before).permute(0, 3, 1, 2) / 127.5 - 1
        expected = ((resnet(shown(file), pictures) + 1) * 127.5).permute(0, 2, 3, 1).numpy()
        assert np.abs(blocks(expected) - blocks(after)).mean() < 6  # the other direction's network is 45 off

    assert run(["export", "--to", "torch"]) == 0
    assert sorted(p.name for p in (place / "exports/imported").iterdir()) == [
        "latest_net_G_A.pth",
        "latest_net_G_B.pth",
    ]
    for file, name in zip(files, ("latest_net_G_A.pth", "latest_net_G_B.pth"), strict=True):
        came, went = shown(file), torch.load(place / "exports/imported" / name, weights_only=True)
        assert list(went) == list(came)
        assert all(went[key].numpy().tobytes() == came[key].numpy().tobytes() for key in came)


def onnx_result(content: bytes, pictures: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["translated"], {"picture": pictures.numpy()})[0])


def test_an_onnx_file_computes_what_the_network_does_at_any_size(place, files, capsys):
    assert run(["import", str(files[0]), "--name", "one", "--a", "horse", "--b", "zebra"]) == 0
    assert run(["export", "--run", "runs/one", "--to", "onnx", "--output", "out"]) == 0
    assert [path.name for path in (place / "out").iterdir()] == ["G_A.onnx"]
    said = capsys.readouterr().out
    assert "horse to zebra" in said and "multiples of 4 from 8 up" in said and "2x128x128 and 1x132x260" in said
    content = (place / "out/G_A.onnx").read_bytes()
    for shape in ((1, 3, 128, 128), (1, 3, 132, 260), (3, 3, 36, 8), (1, 3, 8, 12)):
        pictures = drawn_pictures(*shape)
        torch.testing.assert_close(onnx_result(content, pictures), resnet(shown(files[0]), pictures), rtol=0, atol=1e-4)
    model = onnx.load_from_string(content)
    tags = {item.key: item.value for item in model.metadata_props}
    assert (tags["from"], tags["to"], tags["values"]) == ("horse", "zebra", "[-1, 1]")
    shapes = [
        [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    ]
    assert shapes == [["batch", 3, "height", "width"]] * 2
    for word in (str(Path.cwd()), str(Path(__file__).parents[2]), "recycle", "torch"):
        assert word.encode() not in content, "nothing of the machine that made it"


@pytest.mark.parametrize(
    "networks",
    [
        NetworkConfig(size=32, generator="unet", generator_filters=2, norm="batch", dropout=True),
        NetworkConfig(
            generator="resnet_1blocks", generator_filters=2, attention=True, spectral_norm="both", upsampling="nearest"
        ),
    ],
    ids=["U-Net", "attention and spectral norm"],
)
def test_every_generator_goes_into_onnx(networks):
    torch.manual_seed(0)
    generator = build_generator(networks)
    for module in generator.modules():
        if isinstance(module, SelfAttention):
            torch.nn.init.constant_(module.gamma, 0.8)
    generator(drawn_pictures(4, 3, 64, 64))  # running statistics and singular vectors move off their start
    generator.eval()
    made = export_onnx(generator, networks, {})
    side = smallest_side(networks)
    assert (made.smallest, made.multiple) == (side, side if networks.generator == "unet" else 4)
    for shape in ((2, 3, side, 3 * side), (1, 3, 4 * side, side)):
        pictures = drawn_pictures(*shape)
        with torch.no_grad():
            torch.testing.assert_close(onnx_result(made.content, pictures), generator(pictures), rtol=0, atol=1e-5)


def flat_model(value: float) -> onnx.ModelProto:
    """A model of the right shape whose pictures are flat."""
    sides = ["batch", 3, "height", "width"]
    ends = [onnx.helper.make_tensor_value_info(name, 1, sides) for name in ("picture", "translated")]
    scalar = onnx.helper.make_tensor("scalar", 1, [], [0.0])
    flat = onnx.helper.make_tensor("flat", 1, [], [value])
    nodes = [
        onnx.helper.make_node("Mul", ["picture", "scalar"], ["zero"]),
        onnx.helper.make_node("Add", ["zero", "flat"], ["translated"]),
    ]
    graph = onnx.helper.make_graph(nodes, "flat", ends[:1], ends[1:], [scalar, flat])
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_file_that_computes_something_else_is_not_left_behind(place, monkeypatch, capsys, value):
    write_weights(place / "G.pth", drawn(0))
    assert run(["import", "G.pth", "--name", "one"]) == 0
    monkeypatch.setattr(onnx_export, "_converted", lambda *_: flat_model(value))
    said = one_error(capsys, "export", "--to", "onnx")
    assert "off PyTorch's" in said and "runs/one" in said
    assert not (place / "exports").exists()


def test_more_weights_than_a_file_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr(onnx_export, "LARGEST_BYTES", 1000)
    networks = NetworkConfig(generator="resnet_1blocks", generator_filters=2)
    with pytest.raises(ExportError, match="2 GiB"):
        export_onnx(build_generator(networks), networks, {})


def test_missing_packages_are_named_with_the_extra(place, monkeypatch, capsys):
    write_weights(place / "G.pth", drawn(0))
    assert run(["import", "G.pth", "--name", "one"]) == 0
    for package in ("onnx", "onnxruntime", "onnxscript"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            said = one_error(capsys, "export", "--to", "onnx")
        assert f"needs {package}," in said and "pip install -e '.[onnx]'" in said
    assert not (place / "exports").exists()


def test_a_generator_that_the_authors_have_not_is_refused_and_an_odd_one_told(place, capsys):
    write_weights(place / "G.pth", draw_resnet(2, 2))
    assert run(["import", "G.pth", "--name", "odd"]) == 0
    assert run(["export", "--to", "torch"]) == 0
    said = capsys.readouterr().out
    assert "offers only resnet_6blocks" in said and "latest_net_G.pth" in said
    config = place / "runs/odd/config.json"
    config.write_text(config.read_text().replace('"spectral_norm": "none"', '"spectral_norm": "both"'))
    assert "do not belong together" in one_error(capsys, "export", "--to", "torch", "--output", "out")
    networks = NetworkConfig(generator="resnet_1blocks", generator_filters=2, attention=True)
    write_run(place / "runs/own", networks)
    said = one_error(capsys, "export", "--run", "runs/own", "--to", "torch", "--output", "out")
    assert "--attention" in said and "nothing was written" in said
    assert not (place / "out").exists()


def write_run(folder: Path, networks: NetworkConfig) -> None:
    """A run as training leaves it."""
    config = MethodConfig(replace(networks, discriminator_filters=2))
    save(checkpoints_folder(folder), 1, {"weights": METHODS["cyclegan"](config).state_dict(), "ema": {}}, {}, keep=1)
    settings = {"method": "cyclegan", "a": "domains/a", "b": "domains/b", "config": to_json(config)}
    write_settings(folder, settings, TrainingConfig(), "float32")


def test_there_has_to_be_a_run(place, capsys):
    assert "no trained run" in one_error(capsys, "export", "--to", "torch")
    assert "not a training run" in one_error(capsys, "export", "--run", "nothing", "--to", "torch")


def test_help_of_both_commands_imports_nothing_heavy(place):
    code = "import sys, pipelines.cli as c\ntry: c.run([sys.argv[1], '--help'])\nexcept SystemExit: pass\n"
    code += "assert not {'torch', 'cv2', 'av', 'onnx'} & set(sys.modules), 'heavy'"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    for command, flag in (("import", "--align"), ("export", "--weights")):
        done = subprocess.run([sys.executable, "-c", code, command], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert flag in done.stdout
