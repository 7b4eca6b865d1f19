"""The first look over a clip: kept and read again, whole without faces, and in agreement with the second pass."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from data.domain.sources import open_source
from data.errors import MissingInputError, SettingsError
from data.faces.haar import Haar
from data.faces.placing import SEGMENT_FRAMES, Analysis, Cropper, analyse, square_pixels, whom
from data.video.frame import Frame, VideoInfo
from tests.media import write_portrait


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "p.mp4"
    write_portrait(path, frames=16, without=range(6, 14))
    return path


def test_faces_and_shots_are_found_and_read_again(clip: Path, tmp_path: Path) -> None:
    source, spool = open_source(clip), tmp_path / "looked.jsonl"
    first = analyse(source, Haar(), spool)
    assert [choice is not None for choice in first.choices or []] == [True] * 6 + [False] * 8 + [True] * 2
    assert first.times == [Fraction(n, 25) for n in range(16)]
    stamp = spool.stat().st_mtime_ns
    again = analyse(source, Haar(), spool)
    assert spool.stat().st_mtime_ns == stamp
    assert again.shot_starts == first.shot_starts and again.reasons == first.reasons
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


def test_whole_frames_need_no_face(clip: Path, tmp_path: Path) -> None:
    looked = analyse(open_source(clip), None, tmp_path / "looked.jsonl")
    assert looked.choices is None and looked.frames == 16


def test_the_crop_of_an_unchanged_face_goes_back_unseen(clip: Path, tmp_path: Path) -> None:
    source = open_source(clip)
    cropper = Cropper(Haar(), analyse(source, Haar(), tmp_path / "looked.jsonl"), source.info, 256)
    frame = next(source.frames())
    place = cropper.place(frame)
    assert place is not None
    pasted = cropper.paste(frame, cropper.crop(frame, place), place, np.ones((256, 256), np.float32))
    assert np.abs(pasted.astype(int) - frame.rgb).mean() < 2


def test_segments_break_at_cuts_and_after_many_frames() -> None:
    looked = Analysis([Fraction(n) for n in range(600)], [40], None, None, None)

    def segment(number: int) -> tuple[int, int]:
        return looked.segment_of(Frame(np.zeros((1, 1, 3), np.uint8), number, number, Fraction(1)))

    assert segment(39) == (0, 0) and segment(40) == (1, 0)
    assert segment(40 + SEGMENT_FRAMES - 1) == (1, 0) and segment(40 + SEGMENT_FRAMES) == (1, 1)


def test_whom_to_follow_is_checked() -> None:
    assert whom("largest", Haar()) == "largest" and whom("2", Haar()) == 2
    with pytest.raises(SettingsError, match="face 'tallest'"):
        whom("tallest", Haar())
    with pytest.raises(MissingInputError):
        whom("none.jpg", Haar())


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (40, 20)), (Fraction(1, 2), (30, 40))])
def test_pixels_are_made_square(aspect: Fraction, size: tuple[int, int]) -> None:
    info = VideoInfo("", 30, 20, aspect, 0, Fraction(25), Fraction(1, 25), None, "", "", {}, False, 0)
    assert square_pixels(np.zeros((20, 30, 3), np.uint8), info).shape[1::-1] == size
