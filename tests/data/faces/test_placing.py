"""The first look over a clip: kept and read again, whole without faces, and in agreement with the second pass."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from data.domain.pictures import resize
from data.domain.sources import open_source
from data.errors import MissingInputError, SettingsError
from data.faces.cropper import Cropper
from data.faces.detection import Detection
from data.faces.haar import Haar
from data.faces.placing import SEGMENT_FRAMES, Placing, look, square_pixels, whom
from data.faces.recognise import Looks
from data.video.frame import VideoInfo
from data.video.pixels import whole_of
from tests.media import write_portrait


class Blind(Haar):
    """Must not be asked."""

    def find(self, rgb: np.ndarray) -> list[Detection]:
        raise AssertionError("looked again")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "p.mp4"
    write_portrait(path, frames=16, without=range(6, 14))
    return path


def test_faces_and_shots_are_found_and_read_again(clip: Path, tmp_path: Path) -> None:
    source = open_source(clip)
    first = look(source, Haar(), "largest", tmp_path, Looks())
    assert [place is not None for place in first.places or []] == [True] * 6 + [False] * 8 + [True] * 2
    assert first.times == [Fraction(n, 25) for n in range(16)]
    (kept,) = tmp_path.iterdir()
    before = kept.read_bytes()
    again = look(source, Blind(), "largest", tmp_path, Looks())
    assert kept.read_bytes() == before
    assert again.shot_starts == first.shot_starts and again.reasons == first.reasons
    for one, other in zip(first.places or [], again.places or [], strict=True):
        assert (one is None) == (other is None)
        assert one is None or other is None or np.array_equal(one.landmarks, other.landmarks)


def test_whole_frames_need_no_face(clip: Path, tmp_path: Path) -> None:
    looked = look(open_source(clip), None, "largest", tmp_path)
    assert looked.places is None and looked.frames == 16


def test_the_crop_of_an_unchanged_face_goes_back_unseen(clip: Path, tmp_path: Path) -> None:
    source = open_source(clip)
    cropper = Cropper(look(source, Haar(), "largest", tmp_path, Looks()), source.info, 256)
    frame = next(source.frames())
    place = cropper.place(frame)
    assert place is not None
    pasted = whole_of(cropper.paste(frame, cropper.crop(frame, place), place, np.ones((256, 256), np.float32)))
    assert np.abs(pasted.astype(int) - frame.rgb).mean() < 2


def test_a_crop_is_the_picture_that_training_makes_of_the_domains(clip: Path, tmp_path: Path) -> None:
    """Cut at the domain's size and made smaller, not cut smaller: one and a half times as much fine detail."""
    source = open_source(clip)
    placing, frame = look(source, Haar(), "largest", tmp_path, Looks()), next(source.frames())
    extracting, rendering = (Cropper(placing, source.info, size, cut_px=96) for size in (96, 72))
    kept, shown = (cropper.crop(frame, cropper.place(frame)) for cropper in (extracting, rendering))  # type: ignore[arg-type]
    assert np.array_equal(shown, resize(kept, (72, 72)))


def test_segments_break_at_cuts_and_after_many_frames() -> None:
    looked = Placing([Fraction(n) for n in range(600)], [40], None, None, None)

    segment = looked.segment_of
    assert segment(39) == (0, 0) and segment(40) == (1, 0)
    assert segment(40 + SEGMENT_FRAMES - 1) == (1, 0) and segment(40 + SEGMENT_FRAMES) == (1, 1)


def test_whom_to_follow_is_checked() -> None:
    assert whom("largest", Haar(), Looks()) == "largest" and whom("2", Haar(), Looks()) == 2
    with pytest.raises(SettingsError, match="face 'tallest'"):
        whom("tallest", Haar(), Looks())
    with pytest.raises(MissingInputError):
        whom("none.jpg", Haar(), Looks())


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (40, 20)), (Fraction(1, 2), (30, 40))])
def test_pixels_are_made_square(aspect: Fraction, size: tuple[int, int]) -> None:
    info = VideoInfo("", 30, 20, aspect, 0, Fraction(25), Fraction(1, 25), None, "", "", {}, False, 0)
    assert square_pixels(np.zeros((20, 30, 3), np.uint8), info).shape[1::-1] == size
