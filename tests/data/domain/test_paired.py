"""Pairs of windows: the same frames, the same place, the same flip; what one side lacks is left out."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.paired import PairedWindows, draw_pair, paired_places
from data.domain.pictures import write_picture
from data.domain.record import Record
from data.domain.windows import Windows, batches
from data.errors import SettingsError

Places = dict[str, list[int]]
"""Frame numbers of each clip."""


def make_domain(
    folder: Path, clips: Places, channels: list[int], *, height: int = 32, width: int = 48, **split: list[int]
) -> Domain:
    """Pictures that say where each pixel is: one channel rises to the right, one downwards, one is 20 x frame number.

    channels: their order. split: numbers that are not for training.
    """
    right = np.broadcast_to(np.linspace(0, 240, width)[None], (height, width))
    down = np.broadcast_to(np.linspace(0, 240, height)[:, None], (height, width))
    domain = Domain(folder, "none", min(height, width), [])
    records = []
    for name, numbers in clips.items():
        (folder / "frames" / name).mkdir(parents=True)
        domain.clips.append(Clip(name, name, "", "video", {}, 9, 9, 1, "25", [width, height], 0, {}))
        for n in numbers:
            part = next((part for part, held in split.items() if n in held), "train")
            records.append(Record(name, n, n, "1/25", 0, part))
            picture = np.stack([right, down, np.full((height, width), 20.0 * n)], axis=2)[:, :, channels]
            write_picture(folder / records[-1].picture, picture.round().astype(np.uint8))
    domain.save(records)
    return domain


def windows_of(domain: Domain, **changed) -> Windows:
    return Windows(domain, **({"split": "train", "window": 2, "size": 32, "flip": True} | changed))


def read(window: torch.Tensor, channels: list[int]) -> np.ndarray:
    """A window of `make_domain` with the channels in their first order: (window, 3, 32, 32), 0 to 255."""
    return window.numpy().astype(float)[:, np.argsort(channels)]


def first_frame(window: torch.Tensor, channels: list[int]) -> int:
    return round(float(read(window, channels)[0, 2].mean()) / 20)


A, B = [0, 1, 2], [2, 0, 1]


def pair_of_domains(tmp_path: Path, a: Places, b: Places, **options) -> tuple[Domain, Domain]:
    return make_domain(tmp_path / "a", a, A, **options), make_domain(tmp_path / "b", b, B, **options)


def test_a_pair_shows_the_same_frames_at_the_same_place(tmp_path: Path) -> None:
    domains = pair_of_domains(tmp_path, {"c": [0, 1, 2, 3]}, {"d": [0, 1, 2, 3]})
    pairs = PairedWindows(*map(windows_of, domains), seed=1)
    seen = set()
    for k in range(60):
        a, b = pairs[k]
        assert a.shape == b.shape == (2, 3, 32, 32)
        left, right = read(a, A), read(b, B)
        np.testing.assert_allclose(left, right, atol=5)
        assert first_frame(a[1:], A) == first_frame(a, A) + 1
        rises = left[0, 0, 0, -1] > left[0, 0, 0, 0]
        seen.add((bool(rises), round(float(left[0, 0].min()) / 5), round(float(left[0, 1].min()) / 7)))
    assert {flipped for flipped, _, _ in seen} == {True, False}, "flips are drawn"
    assert len({x for _, x, _ in seen}) > 5 and len({y for _, _, y in seen}) > 2, "crops are drawn"


def test_every_pair_once_an_epoch_in_an_order_that_seed_and_number_decide(tmp_path: Path) -> None:
    domains = pair_of_domains(tmp_path, {"c": list(range(9))}, {"d": list(range(9))})
    pairs = PairedWindows(*map(windows_of, domains), seed=1)
    assert pairs.epoch_length == 8
    epochs = [[first_frame(pairs[k][0], A) for k in range(start, start + 8)] for start in (0, 8)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(8))
    assert epochs[0] != epochs[1]

    def stream(start: int, **options) -> list[tuple[torch.Tensor, torch.Tensor]]:
        found = batches(PairedWindows(*map(windows_of, domains), seed=1), batch_size=1, start_step=start, **options)
        return [(a[0], b[0]) for a, b in islice(found, 12 - start)]

    for start, options in ((5, {}), (0, {"workers": 1})):
        for (a, b), k in zip(stream(start, **options), range(start, 12), strict=True):
            assert torch.equal(a, pairs[k][0]) and torch.equal(b, pairs[k][1])


def test_what_one_side_lacks_is_left_out_and_clips_pair_by_their_order(tmp_path: Path) -> None:
    """Clip by clip: deleted in A, excluded in B; held out on one side only."""
    a = make_domain(tmp_path / "a", {"z": [0, 1, 2, 3, 4, 5], "y": [0, 1, 2]}, A)
    b = make_domain(tmp_path / "b", {"m": [0, 1, 2, 4, 5, 6], "n": [1, 2, 3], "o": [0, 1]}, B, test=[6])
    (a.folder / "frames/z/000001.jpg").unlink()
    windows_a, windows_b = windows_of(a), windows_of(b)
    found = paired_places(windows_a, windows_b)
    assert [windows_a.frames_of(i) for i, _ in found] == [(0, 1), (0, 4), (1, 1)]
    assert [windows_b.frames_of(j) for _, j in found] == [(0, 1), (0, 4), (1, 1)]
    for pair in found:
        left, right = draw_pair(windows_a, windows_b, pair, None)
        assert first_frame(left, A) == first_frame(right, B)


def test_held_out_pairs_come_from_the_middle_and_unflipped(tmp_path: Path) -> None:
    domains = pair_of_domains(tmp_path, {"c": list(range(6))}, {"d": list(range(6))}, test=[4, 5])
    held_out = [windows_of(domain, split="test", crop_jitter=False) for domain in domains]
    (pair,) = paired_places(*held_out)
    a, b = draw_pair(*held_out, pair, None)
    np.testing.assert_allclose(read(a, A), read(b, B), atol=5)
    across = np.linspace(0, 240, 48)[8:40]
    np.testing.assert_allclose(read(a, A)[0, 0].mean(0), across, atol=5)


def test_nothing_that_pairs_is_one_line(tmp_path: Path) -> None:
    domains = pair_of_domains(tmp_path, {"c": [0, 1]}, {"d": [5, 6]})
    windows = [windows_of(domain) for domain in domains]
    assert paired_places(*windows) == []
    with pytest.raises(SettingsError, match="same frames") as error:
        PairedWindows(*windows, seed=0)
    assert "\n" not in str(error.value)


def test_pictures_of_another_shape_have_no_shared_place(tmp_path: Path) -> None:
    a = make_domain(tmp_path / "a", {"c": [0, 1]}, A)
    b = make_domain(tmp_path / "b", {"c": [0, 1]}, B, width=64)
    with pytest.raises(SettingsError, match="54x36 and 72x36"):
        PairedWindows(windows_of(a), windows_of(b), seed=0)


def test_domains_of_other_sizes_and_one_shape_pair(tmp_path: Path) -> None:
    """113 x 64 px, which one domain keeps at half its size: scaled for training they differ by rounding alone."""
    a = make_domain(tmp_path / "a", {"c": [0, 1]}, A, height=64, width=113)
    b = make_domain(tmp_path / "b", {"c": [0, 1]}, B, height=32, width=56)
    pairs = PairedWindows(windows_of(a), windows_of(b), seed=0)
    assert (pairs.a.size_of(0), pairs.b.size_of(0)) == ((36, 64), (36, 63))
    for k in range(8):
        left, right = pairs[k]
        np.testing.assert_allclose(read(left, A), read(right, B), atol=10)
