"""What of a clip is held out: at its end, apart in time, and not too much."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.domain.record import Record, runs
from data.domain.splits import halves, held_out, put_in
from tests.data.domain.records import clip_records


@given(st.lists(st.booleans(), min_size=1, max_size=80), st.integers(1, 5), st.data())
def test_the_held_out_part_shares_no_frame_and_lies_at_the_end(
    kept: list[bool], window: int, data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.booleans(), min_size=len(kept), max_size=len(kept)))
    shots = [sum(cuts[: n + 1]) for n in range(len(kept))]
    before = clip_records(kept, shots)
    after = held_out(before, window)
    assert [r.number for r in after] == [r.number for r in before]
    assert all((r.split == "excluded") == (b.split == "excluded") for r, b in zip(after, before, strict=True))
    splits = [r.split for r in after if r.split != "excluded"]
    assert splits == sorted(splits, key=["train", "gap", "test"].index)
    if "test" in splits:
        times = {split: [r.seconds for r in after if r.split == split] for split in ("train", "gap", "test")}
        apart = times["test"][0] - times["train"][-1]
        assert len(times["gap"]) >= window
        assert apart >= Fraction(1, 2) or len(splits) - splits.count("train") >= len(splits) // 3
        for split in ("train", "test"):
            assert any(len(run) >= window and run[0].split == split for run in runs(after))
        assert splits.count("test") >= round(len(splits) / 10)


def test_a_clip_of_one_window_is_all_for_training() -> None:
    assert [r.split for r in held_out(clip_records([True] * 3), 3)] == ["train"] * 3


def test_a_hundred_frames_hold_out_the_last_ten() -> None:
    splits = [r.split for r in held_out(clip_records([True] * 100), 3)]
    assert splits == ["train"] * 78 + ["gap"] * 12 + ["test"] * 10


@pytest.mark.parametrize(("frames", "train", "gap"), [(24, 16, 5), (12, 12, 0), (50, 34, 11), (60, 42, 12)])
def test_a_very_short_clip_keeps_most_of_it_to_learn_from(frames: int, train: int, gap: int) -> None:
    splits = [r.split for r in held_out(clip_records([True] * frames), 3)]
    assert splits == ["train"] * train + ["gap"] * gap + ["test"] * (frames - train - gap)


def test_each_clip_is_divided_by_itself() -> None:
    long, short = (put_in("test", clip_records([True] * count)) for count in (40, 10))
    short = [replace(record, clip="short") for record in short]
    choosing, judging = halves([*long, *short], 3)
    assert [len(choosing), len(judging)] == [17 + 10, 20 + 10]


def test_short_clips_are_held_out_whole() -> None:
    """Forty clips of ten frames: a tenth of them, evenly spread, in whatever order they are done."""
    beside: list[Record] = []
    for number in range(40):
        clip = held_out([replace(r, clip=str(number)) for r in clip_records([True] * 10)], 3, number)
        assert len({record.split for record in clip}) == 1
        beside += clip
    assert [sum(r.split == s for r in beside) for s in ("train", "gap", "test")] == [360, 0, 40]
