"""What repeats, stands still or is shaken is no cut; what repeats is known; another shape is one."""

import av
import cv2
import numpy as np
import pytest
import skimage.data

from data.video.reader import read_frames
from data.video.shots import ShotFinder
from tests.media import portrait


@pytest.mark.parametrize("held", [2, 3, 4])
def test_drawings_held_for_some_frames_are_one_shot_and_known(held):
    """A figure that jumps on every new drawing, each shown for two to four frames under a little grain of coding."""
    rng, finder, repeats = np.random.default_rng(held), ShotFinder(), []
    wall = rng.integers(60, 190, (6, 8, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    for number in range(96):
        if number % held == 0:
            drawing = wall.copy()
            y, x = rng.integers(0, 60), rng.integers(0, 90)
            drawing[y : y + 36, x : x + 36] = (230, 60, 40)
        grain = (rng.random(drawing.shape) < 0.02).astype(np.uint8)
        repeats.append(finder.feed(drawing + grain, number / 24))
    assert finder.finish() == []
    assert repeats == [bool(number % held) for number in range(96)]


@pytest.mark.parametrize("held", [2, 3])
def test_coarsely_compressed_drawings_are_known_to_repeat(tmp_path, held):
    """The encoder corrects edges from frame to frame while a drawing is held."""
    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=24, options={"crf": "26", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(72):
            moment = number // held * held / 8
            drawing, at = np.full((120, 160, 3), (235, 225, 200), np.uint8), int(80 + 25 * np.sin(moment))
            cv2.ellipse(drawing, (at, 60), (28, 36), 10 * np.sin(2 * moment), 0, 360, (220, 170, 140), -1)
            cv2.circle(drawing, (at - 10, 50), 4, (20, 20, 20), -1)
            cv2.line(drawing, (0, 110), (159, 100), (90, 60, 30), 3)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(drawing, "rgb24").reformat(format="yuv420p")))
        output.mux(stream.encode(None))
    finder = ShotFinder()
    repeats = [finder.feed(frame.rgb, frame.seconds) for frame in read_frames(tmp_path / "a.mp4")]
    assert finder.finish() == []
    settled = range(24, 72)
    assert not any(repeats[number] for number in settled if number % held == 0)
    known = [repeats[number] for number in settled if number % held]
    assert np.mean(known) > 0.8


def test_a_still_clip_has_no_cut_and_repeats_itself():
    finder = ShotFinder()
    repeats = [finder.feed(portrait(0), number / 25) for number in range(40)]
    assert finder.finish() == [] and repeats == [False] + [True] * 39


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most", [30, 60])
def test_a_violently_shaken_head_is_no_cut(most, seed):
    """It rests, is thrown about by up to that many of 256 pixels from frame to frame, and rests."""
    rng, finder = np.random.default_rng(seed), ShotFinder()
    for number in range(75):
        across, down = rng.uniform(-most / 2, most / 2, 2) if 25 <= number < 50 else (0, 0)
        matrix = np.array([[1, 0, across], [0, 1, down]], float)
        shaken = cv2.warpAffine(portrait(number / 25), matrix, (256, 256), borderMode=cv2.BORDER_REFLECT_101)
        finder.feed(shaken, number / 25)
    assert finder.finish() == []


def pictures() -> list[np.ndarray]:
    """Photographs that scikit-image carries, (96, 128, 3) uint8."""
    every = (skimage.data.astronaut(), skimage.data.chelsea(), skimage.data.coffee(), skimage.data.rocket())
    return [cv2.resize(picture, (128, 96), interpolation=cv2.INTER_AREA) for picture in every]


def starts(frames: list[np.ndarray], rate: float = 25) -> list[int]:
    finder = ShotFinder()
    for number, frame in enumerate(frames):
        finder.feed(frame, number / rate)
    return finder.finish()


@pytest.mark.parametrize(("held", "rate"), [(13, 25), (50, 25), (15, 30), (5, 10), (1, 1)])
def test_a_slide_show_is_cut_at_every_picture(held, rate):
    assert starts([p for p in pictures() for _ in range(held)], rate) == [held, 2 * held, 3 * held]


def test_a_slide_show_between_black_bars_that_comes_back_is_cut_too():
    narrow = []
    for place in (0, 1, 0, 2):
        narrow.append(np.zeros((96, 128, 3), np.uint8))
        narrow[-1][:, 44:84] = cv2.resize(pictures()[place], (40, 96))
    assert starts([p for p in narrow for _ in range(25)]) == [25, 50, 75]


def test_still_pictures_before_between_and_after_motion_are_cut_off():
    one, two, three, _ = pictures()
    moving = [portrait(number / 25)[:192:2, ::2] for number in range(60)]
    assert starts([one] * 30 + moving[:30] + [two] * 30 + [three] * 30 + moving[30:] + [one] * 30) == [
        30, 60, 90, 120, 150,
    ]  # fmt: skip


def test_a_drawing_that_pauses_before_it_jumps_is_one_shot():
    rng, frames = np.random.default_rng(5), []
    wall = rng.integers(60, 190, (6, 8, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    for number in range(24):
        drawing = wall.copy()
        y, x = rng.integers(0, 40), rng.integers(0, 70)
        drawing[y : y + 50, x : x + 50] = (230, 60, 40)
        frames += [drawing] * (20 if number % 4 == 0 else 3)
    assert starts(frames, 24) == []


def test_another_shape_begins_a_shot():
    finder = ShotFinder()
    for number in range(30):
        finder.feed(portrait(number / 25), number / 25, new_shape=number == 12)
    assert finder.finish() == [12]


def test_reported_drawings_are_one_shot(shared):
    finder = ShotFinder()
    frames = read_frames(shared / "clips" / "reported" / "drawn_on_threes.mp4")
    repeats = [finder.feed(frame.rgb, frame.seconds) for frame in frames]
    assert finder.finish() == [] and sum(repeats) >= 70
