"""Weight files of the papers: what is in them is found, translates as it did, and goes out as it came."""

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from recycle.config import NetworkConfig
from recycle.networks.networks import build_discriminator, build_generator, build_predictor
from recycle.runs.published import WeightFileError, read_generator, to_published
from tests.authors import PARITY, with_their_numbers
from tests.published import draw_resnet, draw_unet, resnet, unet, with_old_statistics

torch.set_num_threads(1)

FILES = {
    "ResNet": (draw_resnet, {}, resnet),
    "ResNet with dropout": (draw_resnet, {"dropout": True, "blocks": 3}, resnet),
    "ResNet with BatchNorm": (draw_resnet, {"norm": "batch", "filters": 2}, resnet),
    "ResNet with BatchNorm and dropout": (draw_resnet, {"norm": "batch", "dropout": True}, resnet),
    "U-Net": (draw_unet, {"halvings": 6}, unet),
    "U-Net with BatchNorm": (draw_unet, {"norm": "batch"}, unet),
}


def written(path: Path, weights: dict[str, torch.Tensor], form: str) -> Path:
    """A file as it comes from some version of the authors' programs and of PyTorch."""
    if form == "safetensors":
        path = path.with_suffix(".safetensors")
        save_file(weights, path)
    elif form == "DataParallel":
        torch.save({f"module.{name}": value for name, value in weights.items()}, path)
    elif form == "before PyTorch 1.6":
        torch.save(weights, path, _use_new_zipfile_serialization=False)
    else:
        torch.save(weights, path)
    return path


@pytest.mark.parametrize("form", ["zip", "DataParallel", "before PyTorch 1.6", "safetensors"])
@pytest.mark.parametrize("kind", FILES)
def test_a_file_translates_as_the_network_that_it_came_from(tmp_path, kind, form):
    torch.manual_seed(0)
    draw, options, literal = FILES[kind]
    weights = draw(**options)
    published = read_generator(written(tmp_path / "latest_net_G_A.pth", weights, form))
    generator = build_generator(published.networks).double().eval()
    generator.load_state_dict(published.weights)
    pictures = torch.rand(2, 3, 64, 128, dtype=torch.float64) * 2 - 1
    exact = {name: value.double() for name, value in weights.items()}
    with torch.no_grad():
        torch.testing.assert_close(generator(pictures), literal(exact, pictures), rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", ["ResNet", "ResNet with dropout", "U-Net"])
def test_running_statistics_of_instance_norm_are_left_out(tmp_path, kind):
    draw, options, _ = FILES[kind]
    weights = draw(**options)
    old = with_old_statistics(weights)
    assert len(old) > len(weights) + 6
    published = read_generator(written(tmp_path / "G.pth", old, "DataParallel"))
    assert published.weights.keys() == weights.keys()
    assert all(torch.equal(published.weights[name], weights[name]) for name in weights)


def test_batch_norm_of_before_its_counter_has_one(tmp_path):
    weights = draw_resnet(norm="batch")
    old = {name: value for name, value in weights.items() if not name.endswith("tracked")}
    published = read_generator(written(tmp_path / "G.pth", old, "before PyTorch 1.6"))
    assert published.weights.keys() == weights.keys()
    build_generator(published.networks).load_state_dict(published.weights)


def test_the_architecture_is_found(tmp_path):
    def found(weights):
        return read_generator(written(tmp_path / "G.pth", weights, "zip")).networks

    assert found(draw_resnet(9, 5)) == NetworkConfig(generator="resnet_9blocks", generator_filters=5)
    assert found(draw_resnet(1, 2, "batch", dropout=True)) == NetworkConfig(
        generator="resnet_1blocks", generator_filters=2, norm="batch", dropout=True
    )
    assert found(draw_unet(8, 1)) == NetworkConfig(size=256, generator="unet", generator_filters=1)
    assert found(draw_unet(7, 2, "batch")) == NetworkConfig(
        size=128, generator="unet", generator_filters=2, norm="batch"
    )


def test_tensors_are_float32_and_share_nothing(tmp_path):
    whole = torch.randn(40)
    weights = {name: value.half() for name, value in draw_resnet().items()}
    weights["model.1.bias"], weights["model.19.bias"] = whole[:3], whole[1:4]
    published = read_generator(written(tmp_path / "G.pth", weights, "zip")).weights
    assert {value.dtype for value in published.values()} == {torch.float32}
    assert len({value.untyped_storage().data_ptr() for value in published.values()}) == len(published)
    assert torch.equal(published["model.4.weight"], weights["model.4.weight"].float())


TINY = NetworkConfig(size=32, predictor_filters=1, discriminator_filters=1)


def refused(path: Path) -> str:
    with pytest.raises(WeightFileError) as caught:
        read_generator(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ") and "\n" not in said and len(said) < 300
    return said.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: build_discriminator(TINY).state_dict(), "is a discriminator"),
        (lambda: build_discriminator(replace(TINY, discriminator="pixel")).state_dict(), "is a discriminator"),
        (lambda: build_predictor(TINY).state_dict(), "is a predictor"),
        (lambda: build_predictor(replace(TINY, predictor="two_view")).state_dict(), "is a predictor"),
        (
            lambda: draw_resnet() | {"model.1.weight": torch.zeros(3, 1, 7, 7)},
            "model.1.weight is (3, 1, 7, 7) and not (3, 3, 7, 7)",
        ),
        # InstanceNorm with affine weights
        (lambda: draw_resnet(norm="batch") | {"model.1.bias": torch.zeros(3)}, "has no model.1.bias"),
        (lambda: {k: v for k, v in draw_resnet().items() if k != "model.4.bias"}, "model.4.bias is missing"),
        (lambda: draw_resnet() | {"model.99.weight": torch.zeros(1)}, "has no model.99.weight"),
        (lambda: draw_unet(4), "halves 4 times"),
        (lambda: draw_resnet() | {"model.7.bias": torch.full((12,), float("nan"))}, "model.7.bias holds values"),
        (lambda: {"fc.weight": torch.zeros(3, 3)}, "neither a ResNet nor a U-Net"),
        (lambda: {"epoch": 3, "state_dict": draw_resnet()}, "no state dict"),
        (dict, "no state dict"),
        (lambda: [torch.zeros(1)], "no state dict"),
        (lambda: {"model.1.weight": torch.zeros(2, 2).to_sparse()}, "no state dict"),
        (lambda: {"model.1.weight": torch.zeros(2, dtype=torch.complex64)}, "no state dict"),
        (lambda: draw_resnet() | {"model.1.weight": torch.tensor(1.0)}, "neither a ResNet nor a U-Net"),
    ],
)
def test_what_is_no_generator_is_refused_in_a_line_that_says_what_it_is(tmp_path, content, said):
    path = tmp_path / "file.pth"
    torch.save(content(), path)
    assert said in refused(path)


def test_damaged_files_are_refused_in_a_line(tmp_path):
    path = tmp_path / "G.pth"
    assert "No such file" in refused(path)
    torch.save(draw_resnet(), path)
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2], pickle.dumps({"a": 1})[:-3]):
        path.write_bytes(content)
        assert "damaged" in refused(path)
    assert "directory" in refused(tmp_path)
    path = tmp_path / "G.safetensors"
    assert "No such file" in refused(path)
    path.write_bytes(b"hello")
    assert "damaged" in refused(path)


class Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("form", ["zip", "before PyTorch 1.6", "plain pickle"])
def test_nothing_in_a_file_is_executed(tmp_path, form):
    path, marker = tmp_path / "G.pth", tmp_path / "executed"
    content = draw_resnet() | {"trap": Trap(marker)}
    if form == "plain pickle":
        path.write_bytes(pickle.dumps(content["trap"], protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    said = refused(path)
    assert not marker.exists()
    assert "holds more than weights" in said and "mkdir" in said
    with path.open("rb") as file:  # and the trap is one
        pickle.load(file) if form == "plain pickle" else torch.load(path, weights_only=False)
    assert marker.exists()


def test_a_whole_saved_network_is_refused_by_its_class(tmp_path):
    torch.save(build_generator(NetworkConfig(generator="resnet_1blocks", generator_filters=1)), tmp_path / "G.pth")
    said = refused(tmp_path / "G.pth")
    assert "ResNetGenerator" in said and "state_dict()" in said


@pytest.mark.parametrize("kind", FILES)
def test_what_goes_out_is_what_came_in(tmp_path, kind):
    draw, options, _ = FILES[kind]
    weights = draw(**options)
    published = read_generator(written(tmp_path / "G.pth", weights, "zip"))
    generator = build_generator(published.networks)
    generator.load_state_dict(published.weights)
    (tmp_path / "out.pth").write_bytes(to_published(published.networks, generator.state_dict()))
    assert_same_bytes(torch.load(tmp_path / "out.pth", weights_only=True), weights)


@with_their_numbers
@pytest.mark.parametrize("name", ["latest_net_G_A.pth", "latest_net_G_B.pth"])
def test_the_authors_files_go_out_as_they_came(tmp_path, name):
    published = read_generator(PARITY / name)
    assert published.networks == NetworkConfig(generator_filters=4)
    (tmp_path / name).write_bytes(to_published(published.networks, published.weights))
    assert_same_bytes(torch.load(tmp_path / name, weights_only=True), torch.load(PARITY / name, weights_only=True))


def assert_same_bytes(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert type(ours) is dict
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        assert ours[name].dtype == value.dtype and ours[name].shape == value.shape
        assert ours[name].numpy().tobytes() == value.numpy().tobytes()


def test_a_file_holds_no_more_memory_than_its_tensors(tmp_path):
    """A tensor that is a part of a larger one must not take the larger one along."""
    weights = draw_resnet()
    cut = {
        name: torch.cat([value.flatten(), torch.zeros(9999)])[: value.numel()].view_as(value)
        for name, value in weights.items()
    }
    assert len(to_published(NetworkConfig(), cut)) == len(to_published(NetworkConfig(), weights))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"attention": True}, "--attention"),
        ({"spectral_norm": "both"}, "--spectral-norm both"),
        ({"upsampling": "nearest"}, "--upsampling nearest"),
    ],
)
def test_generators_that_the_authors_do_not_have_are_refused(changes, said):
    networks = NetworkConfig(generator="resnet_1blocks", generator_filters=1, **changes)
    with pytest.raises(WeightFileError, match=said) as caught:
        to_published(networks, build_generator(networks).state_dict())
    assert "\n" not in str(caught.value)


def test_spectral_norm_of_the_discriminator_alone_does_not_matter():
    networks = NetworkConfig(generator="resnet_1blocks", generator_filters=1, spectral_norm="discriminator")
    assert to_published(networks, build_generator(networks).state_dict())
