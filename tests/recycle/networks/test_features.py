"""VGG's features: those of the published stack, from files of every form, and one line where there are none."""

import builtins
import os
import pickle
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import pytest
import safetensors.torch
import torch
from torch import nn

from recycle.config import MethodConfig
from recycle.methods import METHODS
from recycle.networks.features import FeaturesError, compared, load_vgg
from tests.literal import NETWORKS
from tests.vgg import CONV4_4, WIDTHS, random_vgg, torchvision_or_skip, vgg_weights


def literal(weights: dict[str, torch.Tensor], pictures: torch.Tensor, entries: int) -> torch.Tensor:
    """The features with plain operations, before the last entry's ReLU."""
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = ((pictures + 1) / 2 - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
    number = 0
    for entry, width in enumerate(WIDTHS[:entries]):
        if width == "pool":
            x, number = nn.functional.max_pool2d(x, 2), number + 1
            continue
        weight, bias = (weights[f"features.{number}.{kind}"].double() for kind in ("weight", "bias"))
        x, number = nn.functional.conv2d(x, weight, bias, padding=1), number + 2
        x = x if entry == entries - 1 else x.relu()
    return x


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torchvision_or_skip()
    return random_vgg(tmp_path_factory.mktemp("vgg") / "vgg19.pth")


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 36, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2 - 1


def test_features_are_those_of_the_published_stack(vgg: Path, pictures: torch.Tensor) -> None:
    weights = vgg_weights()
    conv4_4, relu5_4 = load_vgg(vgg)(pictures), load_vgg(vgg, "relu5_4")(pictures)
    assert conv4_4.shape == (2, 512, 4, 6)
    assert relu5_4.shape == (2, 512, 2, 3)
    assert conv4_4.min() < 0 <= relu5_4.min()
    torch.testing.assert_close(conv4_4, literal(weights, pictures, CONV4_4), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(relu5_4, literal(weights, pictures, len(WIDTHS)).relu(), rtol=1e-5, atol=1e-6)


def test_gradients_reach_the_pictures_and_nothing_of_the_method_changes(vgg: Path, pictures: torch.Tensor) -> None:
    method = METHODS["cartoongan"](MethodConfig(NETWORKS, METHODS["cartoongan"].weights))
    before = set(method.state_dict()), len(method.generator_parameters())
    method.content = load_vgg(vgg)
    assert (set(method.state_dict()), len(method.generator_parameters())) == before
    x = pictures.clone().requires_grad_()
    method.content(x).square().sum().backward()
    assert (x.grad != 0).all()
    assert not method.content(pictures).requires_grad


def test_weights_keep_their_digits_whatever_the_pictures_are(vgg: Path, pictures: torch.Tensor) -> None:
    features = load_vgg(vgg)
    exact = features(pictures)
    assert features(pictures.bfloat16()).dtype == torch.float32
    assert features(pictures.float()).dtype == torch.float32
    assert torch.equal(features(pictures), exact)


def test_files_of_every_form_give_the_same(vgg: Path, pictures: torch.Tensor, tmp_path: Path) -> None:
    weights = vgg_weights()
    torch.save(weights | {"classifier.0.weight": torch.zeros(4)}, tmp_path / "whole.pth")
    safetensors.torch.save_file(
        {name.removeprefix("features."): value for name, value in weights.items()}, tmp_path / "features.safetensors"
    )
    expected = load_vgg(vgg)(pictures)
    for name in ("whole.pth", "features.safetensors"):
        assert torch.equal(load_vgg(tmp_path / name)(pictures), expected)


def test_takes_the_file_where_torchvision_keeps_it(
    vgg: Path, pictures: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *args, **options: pytest.fail("fetched"))
    place = tmp_path / "hub" / "checkpoints" / "vgg19-dcbb9e9d.pth"
    place.parent.mkdir(parents=True)
    place.symlink_to(vgg)
    assert torch.equal(load_vgg(None)(pictures), load_vgg(vgg)(pictures))


def test_fetches_the_file_once_and_checks_it(vgg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(url: str, path: str, hash_prefix: str) -> None:
        asked.append((url.rpartition("/")[2], hash_prefix))
        Path(path).symlink_to(vgg)

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    load_vgg(None)
    load_vgg(None)
    assert asked == [("vgg19-dcbb9e9d.pth", "dcbb9e9d")]


@pytest.mark.parametrize("reason", [URLError("no route to host"), RuntimeError("invalid hash value")])
def test_absent_weights_are_one_line_of_what_to_do(
    vgg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: Exception
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise reason

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(FeaturesError) as caught:
        load_vgg(None)
    place = str(tmp_path / "hub" / "checkpoints" / "vgg19-dcbb9e9d.pth")
    for part in (place, "/models/vgg19-dcbb9e9d.pth", "--vgg-weights FILE", "--content 0", str(reason)):
        assert part in one_line(caught)


class Malicious:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return builtins.open, (str(self.trace), "w")


def test_wrong_files_are_named_and_never_executed(vgg: Path, tmp_path: Path) -> None:
    weights, trace = vgg_weights(), tmp_path / "executed"
    missing = {name: value for name, value in weights.items() if not name.startswith("features.16.")}
    reshaped = weights | {"features.2.weight": torch.zeros(128, 64, 3, 3)}
    files = {
        "text.pth": b"not weights",
        "empty.pth": b"",
        "text.safetensors": b"not weights",
        "list.pth": [1, 2],
        "other.pth": {"state": 1},
        "missing.pth": missing,  # as VGG-16's file lacks it
        "reshaped.pth": reshaped,
        "malicious.pth": pickle.dumps(Malicious(trace), protocol=2),
    }
    reasons = {
        "list.pth": "a list",
        "missing.pth": "16.weight is missing",
        "reshaped.pth": "2.weight is [128, 64, 3, 3]",
    }
    for name, content in files.items():
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        with pytest.raises(FeaturesError) as caught:
            load_vgg(path)
        for part in (str(path), "vgg19-dcbb9e9d.pth", "--vgg-weights", "--content 0", reasons.get(name, "")):
            assert part in one_line(caught), name
    assert not trace.exists()


def test_a_missing_file_is_named(vgg: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "gone.pth", tmp_path / "gone.safetensors", tmp_path):
        with pytest.raises(
            FeaturesError, match="not a file of weights" if path == tmp_path else "no such file"
        ) as caught:
            load_vgg(path)
        assert str(path) in one_line(caught)


def test_absent_torchvision_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(FeaturesError) as caught:
        load_vgg(tmp_path / "vgg19.pth")
    for part in (f"torch {torch.__version__}", "torchvision 0.28.0", "torch 2.13.0", "--content 0"):
        assert part in one_line(caught)


def test_torchvision_of_another_build_is_one_line(tmp_path: Path) -> None:
    """As it is where torch is for the CPU and torchvision for CUDA."""
    program = (
        "from recycle.networks.features import load_vgg\ntry: load_vgg(None)\nexcept ValueError as error: print(error)"
    )
    no_folder = tmp_path / "file"
    no_folder.touch()  # so that nothing can be fetched where torchvision works
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | {"TORCH_HOME": str(no_folder)},
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    if "cannot be fetched" in done.stdout:
        pytest.skip("torchvision works here")
    assert "torchvision::nms" in done.stdout
    assert "--content 0" in done.stdout


def test_what_is_compared_with_carries_no_gradient() -> None:
    x, y = torch.ones(1, 3, 4, 4, requires_grad=True), torch.ones(1, 3, 4, 4, requires_grad=True)
    seen, wanted = compared(lambda pictures: 2 * pictures, x, y)
    assert seen.requires_grad
    assert not wanted.requires_grad
    with pytest.raises(RuntimeError, match="content"):
        compared(None, x, y)


def one_line(caught: pytest.ExceptionInfo) -> str:
    message = str(caught.value)
    assert "\n" not in message
    return message
