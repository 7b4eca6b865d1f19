"""Stages that overlap: order, errors, an early end, and what is under way at once."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.stages import Line
from data.timings import timed


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 40), batch=st.integers(1, 5))
def test_items_pass_in_order_and_none_is_lost(count, batch):
    with Line() as line:
        made = line.made("make", iter(range(count)))
        doubled = line.each("double", lambda item: 2 * item, made)
        assert list(line.last("add", lambda item: item + batch, doubled)) == [2 * n + batch for n in range(count)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_arrives_where_items_are_asked_for(error):
    """And every stage has ended when the block is left."""
    before = threading.active_count()

    def work(item: int) -> int:
        if item == 5:
            raise error("five")
        return item

    came = []
    with pytest.raises(error, match="five"), Line() as line:
        first = line.each("first", work, line.made("make", iter(range(10**9))))
        for item in line.each("second", lambda item: item, first):
            came.append(item)
    assert came == list(range(len(came))) and len(came) <= 5
    assert threading.active_count() == before


def test_what_is_left_early_ends_in_its_own_thread():
    """A generator that holds a file closes it before the block is left; and no more was made than is kept ahead."""
    closed, made = [], []

    def held():
        try:
            for number in range(10**9):
                made.append(number)
                yield number
        finally:
            closed.append(threading.current_thread())

    with Line() as line:
        items = line.each("pass", lambda item: item, line.made("make", held()))
        assert [next(items) for _ in range(4)] == [0, 1, 2, 3]
        time.sleep(0.05)
    assert len(closed) == 1 and closed[0] is not threading.main_thread()
    assert len(made) <= 4 + 3 + 3 + 2  # given, kept by two stages, and one in the hands of each


def test_a_stage_is_told_its_own_time_and_not_its_neighbours():
    with timed() as timings, Line() as line:
        slow = line.each("slow", lambda item: time.sleep(0.01) or item, line.made("quick", iter(range(12))))
        assert len(list(line.each("batches", list, ([item] for item in slow), count=len))) == 12
    spent = timings.stages
    assert {name: stage.items for name, stage in spent.items()} == {"slow": 12, "quick": 12, "batches": 12}
    assert spent["slow"].busy >= 0.12 and spent["quick"].busy < spent["slow"].busy
    assert [line.split(":")[0] for line in timings.lines()] == list(spent)
