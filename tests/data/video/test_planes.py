"""What is not translated stays what it was: decoded planes are encoded, and only what changed is laid over them."""

import dataclasses
from fractions import Fraction

import av
import numpy as np
import pytest

from data.video.planes import planes_of
from data.video.reader import probe, read_frames
from data.writing.codecs import Encoding
from data.writing.encode import VideoWriter
from data.writing.storing import Storing
from tests.data.video.drawn import encoded, planar

FORMATS = ["yuv420p", "yuv444p", "yuv420p10le", "yuv444p10le"]


def noise(pixels: str, seed: int) -> av.VideoFrame:
    """Any planes at all, out of the nominal range too; no R'G'B' of 8 bits could bring them back."""
    rng, deep = np.random.default_rng(seed), pixels.endswith("10le")
    chroma = (96, 128) if "444" in pixels else (48, 64)
    shapes = [(96, 128), chroma, chroma]
    return planar(
        [rng.integers(0, 1024 if deep else 256, shape).astype("<u2" if deep else "u1") for shape in shapes], pixels
    )


def decoded(path) -> list[list[np.ndarray]]:
    with av.open(str(path)) as container:
        return [[plane.copy() for plane in planes_of(frame)] for frame in container.decode(video=0)]


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("pixels", FORMATS)
def test_an_untouched_frame_is_encoded_from_its_own_planes(tmp_path, pixels, full):
    clip = encoded(tmp_path / "a.mp4", [noise(pixels, n) for n in range(3)], color_range=2 if full else 1)
    storing = Storing(probe(clip), (128, 96))
    assert storing.encoded == pixels
    for own, frame in zip(decoded(clip), read_frames(clip), strict=True):
        stored = storing.picture(frame)
        assert all(np.array_equal(one, other) for one, other in zip(own, planes_of(stored), strict=True))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_planes_stand_upright(tmp_path, degrees):
    clip = encoded(tmp_path / "a.mp4", [noise("yuv420p", 0)], rotation=(degrees,))
    info, own = probe(clip), decoded(clip)[0]
    stored = Storing(info, (info.width, info.height)).picture(next(read_frames(clip)))
    assert all(
        np.array_equal(np.rot90(one, degrees // 90), other) for one, other in zip(own, planes_of(stored), strict=True)
    )


@pytest.mark.parametrize("pixels", FORMATS)
def test_only_what_changed_is_laid_over(tmp_path, pixels):
    clip = encoded(tmp_path / "a.mp4", [noise(pixels, 0)])
    frame, own = next(read_frames(clip)), decoded(clip)[0]
    rgb = frame.rgb.copy()
    rgb[21:60, 33:80] = (200, 30, 60)
    stored = planes_of(Storing(probe(clip), (128, 96)).picture(dataclasses.replace(frame, rgb=rgb)))
    anew = planes_of(Storing(probe(clip), (128, 96)).picture(dataclasses.replace(frame, rgb=rgb, planes=None)))
    for plane, new, before in zip(stored, anew, own, strict=True):
        step = 96 // plane.shape[0]
        inside = np.zeros(plane.shape, bool)
        inside[21 // step : -(-60 // step), 33 // step : -(-80 // step)] = True
        assert np.array_equal(plane[~inside], before[~inside]) and np.array_equal(plane[inside], new[inside])


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le"])
def test_a_part_is_painted_as_in_the_whole_picture(tmp_path, pixels):
    """Only the part about a change is brought to planes: it has the bytes that it has in the whole picture."""
    rng, size = np.random.default_rng(3), (384, 448)
    shapes = [size, *[(size[0] // (2 if "420" in pixels else 1), size[1] // 2)] * 2]
    clip = encoded(
        tmp_path / "a.mp4",
        [planar([rng.integers(64, 200, shape).astype("<u2" if "10" in pixels else "u1") for shape in shapes], pixels)],
    )
    frame, info = next(read_frames(clip)), probe(clip)
    storing, whole = Storing(info, (448, 384), Encoding("ffv1")), Storing(info, (448, 384), Encoding("ffv1"))
    for _ in range(12):
        (top, bottom), (left, right) = (sorted(rng.integers(0, side, 2)) for side in size)
        rgb = frame.rgb.copy()
        rgb[top : bottom + 1, left : right + 1] = rng.integers(0, 256, (bottom + 1 - top, right + 1 - left, 3))
        stored = planes_of(storing.picture(dataclasses.replace(frame, rgb=rgb)))
        anew = planes_of(whole.picture(dataclasses.replace(frame, rgb=rgb, planes=None)))
        for plane, new in zip(stored, anew, strict=True):
            rows, columns = size[0] // plane.shape[0], size[1] // plane.shape[1]
            inside = np.s_[-(-top // rows) : bottom // rows + 1, -(-left // columns) : right // columns + 1]
            assert np.array_equal(plane[inside], new[inside])


def test_another_size_and_high_dynamic_range_are_made_anew(tmp_path):
    clip = encoded(tmp_path / "a.mp4", [noise("yuv420p10le", 0)], color_trc=16, colorspace=9, color_primaries=9)
    info = probe(clip)
    assert Storing(info, (128, 96)).encoded == "yuv420p"
    small = np.full((48, 64, 3), 90, np.uint8)
    plain = encoded(tmp_path / "b.mp4", [noise("yuv420p", 0)])
    with VideoWriter(tmp_path / "c.mp4", source=probe(plain), size=(64, 48)) as writer:
        writer.write(dataclasses.replace(next(read_frames(plain)), rgb=small))
    assert np.abs(next(read_frames(tmp_path / "c.mp4")).rgb.astype(int) - 90).max() < 4


def test_surroundings_of_a_real_face_lose_little(shared, tmp_path):
    """Luma above 45 dB and chroma above 46 dB, at the default quality, where nothing was changed."""
    source = shared / "clips" / "faces" / "grid_bbaf2n.mpg"
    with VideoWriter(tmp_path / "a.mp4", source=probe(source)) as writer:
        for frame in read_frames(source, stop=Fraction(2)):
            writer.write(frame)
    before, after = decoded(source), decoded(tmp_path / "a.mp4")
    errors = [
        [((one.astype(float) - other) ** 2).mean() for one, other in zip(*pair, strict=True)]
        for pair in zip(before, after, strict=False)
    ]
    luma, blue, red = 10 * np.log10(255**2 / np.mean(errors, axis=0))
    assert luma > 45 and min(blue, red) > 46
