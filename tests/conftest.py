"""What all tests share: quiet threads, no logged errors, and the folder of real clips where it is there."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the processes that tests start
torch.set_num_threads(1)
settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]
# What a helper asserts is told as fully as what a test asserts.
pytest.register_assert_rewrite(
    *(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("tests/**/[!_c]*.py"))
)
SHARED = ROOT.parent / "shared"


@pytest.fixture
def shared() -> Path:
    """The folder of real clips and models beside the checkout; tests that need it are skipped elsewhere."""
    if not (SHARED / "clips").is_dir():
        pytest.skip(f"no real clips: {SHARED / 'clips'} is not there")
    return SHARED


@pytest.fixture(autouse=True)
def no_errors_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What logs an error has failed, whatever it returns."""
    yield
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not errors, [record.getMessage() for record in errors]
