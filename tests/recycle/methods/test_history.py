import json

import pytest
import torch

from recycle.methods.history import HistoryPool


def numbered(first: int, count: int) -> torch.Tensor:
    """Pictures (count, 1, 1, 1) that hold their own number."""
    return torch.arange(first, first + count, dtype=torch.float32).view(-1, 1, 1, 1)


def test_without_capacity_the_input_comes_back_without_gradient():
    pictures = numbered(0, 3).requires_grad_()
    result = HistoryPool(0).query(pictures)
    assert torch.equal(result, pictures)
    assert not result.requires_grad


def test_pictures_of_another_size_begin_it_anew():
    pool = HistoryPool(3)
    pool.query(numbered(0, 5))
    larger = numbered(10, 2).expand(2, 1, 2, 2)
    assert torch.equal(pool.query(larger), larger)
    assert torch.equal(pool.state()[0], larger)
    pool.query(numbered(20, 5).expand(5, 1, 2, 2))
    assert len(pool) == 3


def test_fills_up_first_then_gives_old_ones_about_half_the_time():
    pool = HistoryPool(50)
    assert torch.equal(pool.query(numbered(0, 50)), numbered(0, 50))
    assert len(pool) == 50
    fresh = numbered(50, 2000)
    result = pool.query(fresh)
    assert (result == fresh).float().mean().item() == pytest.approx(0.5, abs=0.05)
    assert len(pool) == 50


def test_every_picture_is_either_shown_or_kept():
    """Nothing is doubled or lost: what went in is what came out and what is still there."""
    pool, shown = HistoryPool(5), []
    for first in range(0, 90, 3):
        shown += pool.query(numbered(first, 3)).flatten().tolist()
    kept = pool.state()[0].flatten().tolist()
    first_showings = shown[:5]
    assert sorted(shown[5:] + kept) == sorted(first_showings + list(range(5, 90)))


def test_what_is_kept_does_not_change_with_the_callers_tensor():
    pool, pictures = HistoryPool(2), numbered(1, 2)
    pool.query(pictures)
    pictures.zero_()
    assert pool.state()[0].flatten().tolist() == [1, 2]


def test_goes_on_from_a_saved_state_with_the_same_draws():
    pool = HistoryPool(4, seed=3)
    for first in range(0, 20, 2):
        pool.query(numbered(first, 2))
    pictures, random_state = pool.state()
    random_state = json.loads(json.dumps(random_state))
    other = HistoryPool(4, seed=99)
    other.load_state(pictures, random_state)
    for first in range(20, 80, 2):
        assert torch.equal(pool.query(numbered(first, 2)), other.query(numbered(first, 2)))


def test_an_empty_pool_is_saved_too():
    pool = HistoryPool(4, seed=1)
    pictures, random_state = pool.state()
    assert pictures is None
    other = HistoryPool(4, seed=2)
    other.load_state(pictures, random_state)
    assert len(other) == 0
    assert torch.equal(pool.query(numbered(0, 50)), other.query(numbered(0, 50)))


def test_draws_follow_its_own_seed_and_nothing_else():
    results = []
    for seed, global_seed in ((1, 1), (1, 2), (2, 1)):
        torch.manual_seed(global_seed)
        results.append(HistoryPool(4, seed=seed).query(numbered(0, 60)))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
