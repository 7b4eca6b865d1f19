"""What `data` states, a user is told how to mend: by options that there are."""

import dataclasses
import re
from pathlib import Path

import pytest

from data.errors import (
    FaceChoiceError,
    FewFacesError,
    MissingDomainError,
    PairsNotStripsError,
    PictureError,
    RetargetError,
    SmallPicturesError,
    TooFewFramesError,
    UnknownPersonError,
)
from pipelines.advice import ADVICE, advised
from pipelines.options import ExtractOptions, TrainOptions
from recycle.config import NetworkConfig

TOLD = {
    MissingDomainError(
        Path("domains/ann")
    ): "domains/ann: no such domain; make it with: retarget extract VIDEO --name ann",
    SmallPicturesError(Path("d"), there=64, wanted=128): "extract again with --size 128, or train with --size 64",
    TooFewFramesError("d", 1, 3): "1 usable frame in a row, a window needs 3; single pictures .* --method cyclegan",
    TooFewFramesError("d", 2, 3): "2 usable frames in a row, a window needs 3; give a longer clip",
    PairsNotStripsError(Path("set/train")): "set/train: .*; leave --strips yes away",
    FaceChoiceError("tallest"): "'tallest': .*; give one of these by --face",
    FewFacesError(wanted=3, most=2): "2 people are in the clip.* no face 3; choose --face 1 to 2, or largest",
    UnknownPersonError(
        0.312, 0.48, "dlib"
    ): r"likeness of 0.31, .* 0.48 \(dlib\); see .* --people .* --face, .* --name",
    UnknownPersonError(0.7, 0.78, "looks"): r"0.70, .* 0.78 \(looks\); see .* pip install -e '\.\[identity\]'",
}


@pytest.mark.parametrize(("error", "line"), TOLD.items(), ids=lambda value: type(value).__name__)
def test_an_error_that_an_option_mends_names_it(error: RetargetError, line: str) -> None:
    assert "--" not in str(error)
    told = advised(error)
    assert re.search(line, told) and "\n" not in told
    options = {
        field.name for kind in (ExtractOptions, TrainOptions, NetworkConfig) for field in dataclasses.fields(kind)
    }
    assert {flag.replace("-", "_") for flag in re.findall(r"--([a-z-]+)", told)} <= options


def test_every_advice_is_told_here_and_other_errors_speak_for_themselves() -> None:
    assert {type(error) for error in TOLD} == set(ADVICE)
    assert advised(PictureError("1.png: not a picture")) == "1.png: not a picture"
