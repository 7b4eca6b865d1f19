"""Windows: consecutive frames only, the same draw for the same number, deleted pictures respected, parts disjoint."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.pictures import write_picture
from data.domain.record import Record
from data.domain.windows import UnpairedWindows, Windows, batches, load_size_of
from data.errors import SettingsError, TooFewFramesError


def make_domain(folder: Path, numbers: list[int], *, size: int = 32, width: int | None = None, shot_at: int = 10**6):
    """A domain whose frame n is the flat grey 8 * n, with the given frame numbers kept."""
    (folder / "frames" / "c").mkdir(parents=True)
    records = [Record("c", n, n, "1/25", int(n >= shot_at), "train") for n in numbers]
    clip = Clip("c", "c.mp4", "", "video", {}, len(numbers), len(numbers), 1, "25", [size, size], 0, {})
    domain = Domain(folder, "none", size, [clip])
    domain.save(records)
    for record in records:
        grey = np.full((size, width or size, 3), 8 * record.number, np.uint8)
        write_picture(folder / record.picture, grey)
    return domain


def greys(window: torch.Tensor) -> list[int]:
    """Frame numbers that a window of `make_domain` shows."""
    return [round(float(frame.float().mean()) / 8) for frame in window]


def windows_of(domain: Domain, **changed) -> Windows:
    options = {"split": "train", "window": 3, "size": 32, "crop_jitter": False} | changed
    return Windows(domain, **options)


def all_shown(windows: Windows) -> list[list[int]]:
    return [greys(windows.draw(i, None)) for i in range(len(windows))]


def test_every_window_of_consecutive_frames_and_no_other(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "d", [0, 1, 2, 3, 5, 6, 7, 8, 9], shot_at=8)
    assert all_shown(windows_of(domain)) == [[0, 1, 2], [1, 2, 3], [5, 6, 7]]


def test_deleting_a_picture_takes_every_window_over_it(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "d", list(range(9)))
    assert len(windows_of(domain)) == 7
    (domain.folder / "frames/c/000005.jpg").unlink()
    assert all_shown(windows_of(domain)) == [[0, 1, 2], [1, 2, 3], [5, 6, 7], [6, 7, 8]]


def test_a_changed_picture_is_read_again(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "d", list(range(3)))
    assert all_shown(windows_of(domain)) == [[0, 1, 2]]
    write_picture(domain.folder / "frames/c/000002.jpg", np.full((32, 32, 3), 8 * 9, np.uint8))
    assert all_shown(windows_of(domain)) == [[0, 9, 2]]
    assert len(list((domain.folder / ".cache").iterdir())) == 1


def test_a_link_out_of_the_domain_is_no_picture(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "d", list(range(6)))
    picture = domain.folder / "frames/c/000006.jpg"
    picture.rename(tmp_path / "elsewhere.jpg")
    picture.symlink_to(tmp_path / "elsewhere.jpg")
    assert all_shown(windows_of(domain)) == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]


def test_too_few_frames_is_said(tmp_path: Path) -> None:
    with pytest.raises(TooFewFramesError, match="2 usable frames in a row, a window needs 3"):
        windows_of(make_domain(tmp_path / "d", [0, 1, 3]))


def test_pictures_smaller_than_training_wants_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="of size 32, training wants 64"):
        windows_of(make_domain(tmp_path / "d", [0, 1, 2]), size=64)


@pytest.mark.parametrize("content", [b"no picture", b"", b"\xff\xd8\xff\xe0 cut"])
def test_a_broken_picture_is_named_and_left_out(tmp_path: Path, content: bytes) -> None:
    notes: list[str] = []
    domain = replace(make_domain(tmp_path / "d", list(range(9))), on_note=notes.append)
    (domain.folder / "frames/c/000005.jpg").write_bytes(content)
    for _ in range(2):  # decoded, and as it was decoded before
        assert all_shown(windows_of(domain)) == [[0, 1, 2], [1, 2, 3], [5, 6, 7], [6, 7, 8]]
    assert len(notes) == 2 and notes[0] == notes[1]
    assert "1 pictures are left out, damaged or of another size" in notes[0] and "(frames/c/000005.jpg)" in notes[0]


def test_nothing_is_left_where_too_many_pictures_are_broken(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "d", [0, 1, 2])
    (domain.folder / "frames/c/000002.jpg").write_bytes(b"no picture")
    with pytest.raises(TooFewFramesError, match="1 usable frame in a row"):
        windows_of(domain)


def test_pictures_that_are_gone_are_named(tmp_path: Path) -> None:
    notes: list[str] = []
    domain = replace(make_domain(tmp_path / "d", list(range(9))), on_note=notes.append)
    (domain.folder / "frames/c/000009.jpg").unlink()
    assert len(windows_of(domain)) == 6
    assert notes == [f"{domain.folder}: 1 pictures are not there (frames/c/000009.jpg)"]


def test_single_pictures_keep_their_own_sizes(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "d", [0, 1, 2])
    domain.save([replace(record, shot=record.number) for record in domain.records()])
    write_picture(domain.folder / "frames/c/000002.jpg", np.full((32, 80, 3), 8, np.uint8))
    write_picture(domain.folder / "frames/c/000003.jpg", np.full((64, 48, 3), 16, np.uint8))
    windows = windows_of(domain, window=1)
    assert [windows.size_of(index) for index in range(3)] == [(32, 32), (32, 80), (43, 32)]
    assert all_shown(windows) == [[0], [1], [2]]


@pytest.mark.parametrize("place", [1, 4])
def test_a_picture_of_another_size_than_its_shot_is_left_out(tmp_path: Path, place: int) -> None:
    notes: list[str] = []
    domain = replace(make_domain(tmp_path / "d", list(range(6))), on_note=notes.append)
    write_picture(domain.folder / f"frames/c/{place:06d}.jpg", np.full((32, 80, 3), 8, np.uint8))
    assert all_shown(windows_of(domain)) == ([[1, 2, 3], [2, 3, 4], [3, 4, 5]] if place == 1 else [[0, 1, 2]])
    assert f"000{place:03d}.jpg" in notes[0]


def test_one_crop_serves_all_frames_of_a_window(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "d", [0, 1, 2], size=32, width=48)
    ramp = np.repeat(np.arange(0, 240, 5, dtype=np.uint8)[None, :, None], 32, 0).repeat(3, 2)
    for n in range(3):
        write_picture(domain.folder / f"frames/c/{n + 1:06d}.jpg", ramp)
    windows = windows_of(domain, crop_jitter=True, flip=True)
    drawn = [windows.draw(0, np.random.default_rng(seed)) for seed in range(30)]
    for window in drawn:
        assert window.shape == (3, 3, 32, 32)
        assert torch.equal(window[0], window[1]) and torch.equal(window[1], window[2])
    rises = {bool(window[0, 0, 0, -1] > window[0, 0, 0, 0]) for window in drawn}
    assert rises == {True, False}, "flips are drawn"
    assert len({float(window[0, 0, 0].min()) for window in drawn}) > 3, "crops are drawn"


def test_pictures_come_as_the_authors_scale_them() -> None:
    assert load_size_of(256, crop_jitter=True) == 286
    assert load_size_of(256, crop_jitter=False) == 256


def test_pixels_come_as_they_are_stored(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "d", [0, 1, 2])
    for n, grey in enumerate((0, 255, 128)):
        write_picture(domain.folder / f"frames/c/{n + 1:06d}.jpg", np.full((32, 32, 3), grey, np.uint8))
    window = windows_of(domain).draw(0, None)
    assert window.dtype == torch.uint8
    assert [frame.unique().tolist() for frame in window] == [[0], [255], [128]]


def test_any_start_and_any_number_of_processes_see_the_same_order(tmp_path: Path) -> None:
    dataset = UnpairedWindows(
        windows_of(make_domain(tmp_path / "a", list(range(12)))),
        windows_of(make_domain(tmp_path / "b", list(range(5)))),
        seed=3,
    )

    def seen(count: int, **options) -> list[tuple[list[int], list[int]]]:
        stream = batches(dataset, **options)
        return [(greys(a), greys(b)) for batch in islice(stream, count) for a, b in zip(*batch, strict=True)]

    whole = seen(24, batch_size=1, start_step=0)
    assert seen(14, batch_size=1, start_step=10) == whole[10:]
    parts = [seen(6, batch_size=2, start_step=0, rank=rank, world_size=2) for rank in (0, 1)]
    together = [pair for step in range(6) for part in parts for pair in part[2 * step : 2 * step + 2]]
    assert together == whole
    assert seen(24, batch_size=1, start_step=0, workers=2) == whole


def test_an_epoch_shows_every_window_of_the_longer_domain_once(tmp_path: Path) -> None:
    dataset = UnpairedWindows(
        windows_of(make_domain(tmp_path / "a", list(range(12)))),
        windows_of(make_domain(tmp_path / "b", list(range(5)))),
        seed=0,
    )
    first = [greys(dataset[k][0])[0] for k in range(10)]
    second = [greys(dataset[k][0])[0] for k in range(10, 20)]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert {greys(dataset[k][1])[0] for k in range(40)} == {0, 1, 2}


def test_a_part_much_shorter_than_a_window_has_none(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "d", [0, 1, 2])
    domain.save([replace(record, split="test") for record in domain.records()])
    assert [len(windows_of(domain, split="test", window=window)) for window in (1, 2, 3, 4, 5, 6)] == [3, 2, 1, 0, 0, 0]


def test_more_domains_leave_the_first_two_as_they_are(tmp_path: Path) -> None:
    a, b, c = (
        windows_of(make_domain(tmp_path / name, list(range(length))))
        for name, length in zip("abc", (6, 5, 9), strict=True)
    )
    two, three = UnpairedWindows(a, b, 1), UnpairedWindows(a, b, 1, c)
    assert three.epoch_length == 7
    assert all(len(three[k]) == 3 for k in range(5))
    assert [greys(three[k][2]) for k in range(9)] == [greys(three[k][2]) for k in range(9)]
    assert {greys(three[k][2])[0] for k in range(60)} == set(range(7))
    same_length = UnpairedWindows(a, b, 1, b)
    assert all(torch.equal(x, y) for k in range(5) for x, y in zip(two[k], same_length[k][:2], strict=True))


def test_a_companion_is_another_window_of_the_same_clip(tmp_path: Path) -> None:
    domain = make_domain(tmp_path / "b", list(range(8)))
    clip = domain.clips[0]
    (domain.folder / "frames" / "d").mkdir()
    later = [Record("d", n, n, "1/25", 0, "train") for n in range(20, 28)]
    domain.clips.append(replace(clip, clip="d"))
    domain.save([*domain.records(), *later])
    for record in later:
        write_picture(domain.folder / record.picture, np.full((32, 32, 3), 8 * record.number, np.uint8))
    windows = windows_of(domain, window=1)
    pairs = [greys(UnpairedWindows(windows, windows, 0, companions=True)[k][1]) for k in range(80)]
    assert all((first < 10) == (other < 10) for first, other in pairs)
    assert {first < 10 for first, _ in pairs} == {True, False}
    assert sum(first != other for first, other in pairs) > 40
