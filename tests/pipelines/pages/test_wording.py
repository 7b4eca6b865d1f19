"""Settings in words, as a report says them."""

from dataclasses import replace

import pytest

from pipelines.pages.wording import in_words
from recycle.methods import METHODS


@pytest.mark.parametrize(
    ("grow", "words"),
    [(None, "256 x 256 px"), (64, "256 x 256 px, begun at 64 x 64 and doubled in the first half")],
)
def test_pictures_say_where_they_grow_from(grow, words):
    config, training = METHODS["recyclegan"].defaults("paper")
    config = replace(config, networks=replace(config.networks, grow=grow))
    assert dict(in_words({"method": "recyclegan"}, config, training, "float32"))["Pictures"] == words
