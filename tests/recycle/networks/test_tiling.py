import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recycle.networks.networks import ResNetGenerator
from recycle.networks.tiling import translate_any_size

torch.set_num_threads(1)


def pictures(height: int, width: int, count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(height * 1000 + width)) * 2 - 1


class Recorder:
    """An elementwise translation that remembers the sizes it was given."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        self.sizes.append(tuple(frames.shape[-2:]))
        return torch.sin(3 * frames)


def test_fitting_size_goes_through_untouched():
    generator = ResNetGenerator(filters=2, blocks=1).requires_grad_(False)
    frames = pictures(36, 48, count=2)
    assert torch.equal(translate_any_size(generator, frames), generator(frames))


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 150),
    width=st.integers(1, 150),
    max_pixels=st.sampled_from([32 * 32, 48 * 48, 70 * 70, 1 << 20]),
    overlap=st.sampled_from([0, 1, 16, 64]),
)
def test_any_size_in_tiles_or_whole_equals_a_direct_elementwise_translation(height, width, max_pixels, overlap):
    frames, translate = pictures(height, width), Recorder()
    result = translate_any_size(translate, frames, max_pixels=max_pixels, overlap_px=overlap)
    torch.testing.assert_close(result, torch.sin(3 * frames), rtol=0, atol=1e-5)
    assert all(h % 4 == 0 and w % 4 == 0 and h >= 16 and w >= 16 for h, w in translate.sizes)
    assert all(h * w <= max_pixels for h, w in translate.sizes)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 90), (33, 35)])
def test_generator_takes_odd_and_tiny_sizes(size):
    generator = ResNetGenerator(filters=2, blocks=1).requires_grad_(False)
    result = translate_any_size(generator, pictures(*size))
    assert result.shape == (1, 3, *size)
    assert result.isfinite().all()


def test_padding_is_reflection():
    frames, seen = pictures(33, 34), []
    translate_any_size(lambda x: (seen.append(x), x)[1], frames)
    torch.testing.assert_close(seen[0], torch.nn.functional.pad(frames, (1, 1, 1, 2), mode="reflect"), rtol=0, atol=0)


def test_tiles_of_other_tones_meet_without_an_edge():
    """Each tile comes out in a tone of its own, as with InstanceNorm; the step from pixel to pixel stays small."""
    tones = iter([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    result = translate_any_size(
        lambda x: torch.full_like(x, next(tones)), pictures(64, 320), max_pixels=64 * 128, overlap_px=32
    )
    assert result.min() == 0 and result.max() == 1
    # Half a cosine over n pixels rises by at most pi / 2n a pixel; tiles overlap by 22 (a quarter of their side).
    assert result.diff(dim=-1).abs().max() < 1.1 * torch.pi / 2 / 20


def test_local_translation_is_the_same_in_tiles():
    """A blur sees zeros beyond a tile's edge, where the blend gives the tile next to no weight."""
    frames = pictures(64, 320)
    whole = torch.nn.functional.avg_pool2d(frames, 3, stride=1, padding=1)
    tiled = translate_any_size(
        lambda x: torch.nn.functional.avg_pool2d(x, 3, stride=1, padding=1), frames, max_pixels=64 * 128
    )
    assert (whole - tiled).abs().max() < 5e-3


def test_a_full_hd_picture_is_cut_into_few_tiles():
    translate = Recorder()
    translate_any_size(translate, torch.zeros(1, 1, 1080, 1920))
    assert len(translate.sizes) <= 4
    assert sum(h * w for h, w in translate.sizes) < 1.2 * 1080 * 1920


def test_too_small_tiles_are_refused():
    with pytest.raises(ValueError, match="at least 1024"):
        translate_any_size(Recorder(), pictures(64, 64), max_pixels=100)
