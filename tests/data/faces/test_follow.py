"""One person through a clip: links, gaps, cuts, other people; smoothing against the paper's formulas."""

import json
import math
from pathlib import Path

import av
import numpy as np
import pytest

from data.errors import NoFaceError
from data.faces.align import FACE_WIDTH, TEMPLATE
from data.faces.follow import Identity, each_its_own, follow, steady
from data.faces.haar import Haar
from data.faces.smooth import OneEuro, smooth_track
from data.faces.yunet import YuNet
from data.models import MODELS
from tests.data.faces.people import ANN, BOB, EVE, seen

SHARED = Path(__file__).parents[4] / "shared"
needs_clips = pytest.mark.skipif(not (SHARED / "clips").exists(), reason="no shared clips beside the checkout")


def centres(result) -> list[float | None]:
    return [None if c is None else (c.detection.box[0] + c.detection.box[2]) / 2 for c in result.choices]


def test_largest_is_followed_whatever_the_order_of_detections():
    frames = [[seen(ANN, 50 + i, width=80), seen(BOB, 300 - i, width=60)][:: 1 if i % 2 else -1] for i in range(20)]
    result = follow(frames, [])
    assert centres(result) == [50.0 + i for i in range(20)]
    assert {c.track for c in result.choices} == {0}


@pytest.mark.parametrize(("number", "start"), [(1, 50), (2, 300)])
def test_numbered_from_the_left_in_the_first_frame_with_so_many(number, start):
    frames = [[seen(BOB, 300, width=90), seen(ANN, 50)]] * 10 + [[seen(BOB, 300)]] * 3
    expected = [50.0] * 10 + [None] * 3 if start == 50 else [300.0] * 13
    assert centres(follow(frames, [], face=number)) == expected


def test_second_face_that_comes_later():
    frames = [[seen(ANN, 50)]] * 10 + [[seen(BOB, 300), seen(ANN, 50)]] * 10
    assert centres(follow(frames, [], face=2)) == [None] * 10 + [300.0] * 10


def test_number_beyond_the_most_in_view_is_refused():
    with pytest.raises(NoFaceError, match="at most 2"):
        follow([[seen(ANN, 50), seen(BOB, 300)]] * 10, [], face=3)


def test_people_who_cross_are_not_swapped():
    frames = [[seen(ANN, 50 + 6 * i, width=80), seen(BOB, 300 - 6 * i, width=70)] for i in range(40)]
    assert centres(follow(frames, [])) == [50.0 + 6 * i for i in range(40)]


def test_short_miss_is_filled_and_long_one_is_not():
    frames = [[seen(ANN, 100 + 2 * i)] for i in range(40)]
    for i in (8, 9, 10):
        frames[i] = []
    for i in range(20, 28):
        frames[i] = []
    result = follow(frames, [])
    assert [c is not None and c.interpolated for c in result.choices] == [i in (8, 9, 10) for i in range(40)]
    assert np.allclose(centres(result)[:20], [100 + 2 * i for i in range(20)])
    assert np.allclose(result.choices[9].detection.points, frames[7][0].points + np.array([4, 0]))
    assert result.choices[20:28] == [None] * 8
    assert result.reasons[20:28] == ["no face"] * 8
    assert result.choices[19].track == 0
    assert result.choices[28].track == 1


def test_identity_is_found_again_after_a_cut_and_others_are_left_alone():
    frames = [[seen(ANN, 100)]] * 10 + [[seen(BOB, 100)]] * 10 + [[seen(BOB, 100), seen(ANN, 300)]] * 10
    result = follow(frames, [10, 20])
    assert centres(result) == [100.0] * 10 + [None] * 10 + [300.0] * 10
    assert result.reasons[10] == "someone else"
    assert [result.choices[i].track for i in (0, 20)] == [0, 1]


def test_no_gap_is_filled_across_a_cut():
    frames = [[seen(ANN, 100)]] * 10 + [[]] * 2 + [[seen(ANN, 102)]] * 10
    result = follow(frames, [11])
    assert [c is None for c in result.choices] == [i in (10, 11) for i in range(22)]


def test_brief_and_doubtful_faces_do_not_become_the_identity():
    frames = [[seen(ANN, 100)] for _ in range(30)]
    for i in range(3):
        frames[i] = [seen(EVE, 400, width=200)]  # three frames of something large
    for i in range(5, 25):
        frames[i] = [seen(ANN, 100), seen(BOB, 400, width=200, score=0.5)]  # large, long, never certain
    result = follow(frames, [])
    assert centres(result) == [None] * 3 + [100.0] * 27
    assert result.reasons[0] == "no face"


def test_one_frame_is_enough_where_there_is_only_one():
    assert centres(follow([[seen(ANN, 100)]], [])) == [100.0]


def test_no_face_at_all():
    result = follow([[]] * 5, [3])
    assert result.choices == [None] * 5
    assert result.identity is None
    assert follow([], []).choices == []


def test_identity_goes_on_to_the_next_clip_and_through_json():
    first = follow([[seen(ANN, 100, width=80), seen(BOB, 300)]] * 10, [])
    identity = Identity.from_json(json.loads(json.dumps(first.identity.to_json())))
    second = follow([[seen(BOB, 100, width=90), seen(ANN, 300)]] * 10, [], face=identity)
    assert centres(second) == [300.0] * 10
    with pytest.raises(NoFaceError):
        follow([[seen(EVE, 100)]] * 10, [], face=identity)


def literal_one_euro(x, t, mincutoff, beta, dcutoff):
    """Algorithm 1 of the paper on one coordinate, line by line."""

    def alpha(rate, cutoff):
        tau = 1.0 / (2 * math.pi * cutoff)
        te = 1.0 / rate
        return 1.0 / (1.0 + tau / te)

    out, hatxprev, dxprev = [], None, None
    for i, value in enumerate(x):
        if i == 0:
            dx, edx, hatx = 0.0, 0.0, value
        else:
            rate = 1 / (t[i] - t[i - 1])
            dx = (value - hatxprev) * rate
            a = alpha(rate, dcutoff)
            edx = a * dx + (1 - a) * dxprev
            a = alpha(rate, mincutoff + beta * abs(edx))
            hatx = a * value + (1 - a) * hatxprev
        hatxprev, dxprev = hatx, edx
        out.append(hatx)
    return out


def test_one_euro_is_the_papers():
    rng = np.random.default_rng(0)
    t = np.cumsum(rng.uniform(0.01, 0.08, 50))  # variable rate
    points = rng.normal(size=(50, 3, 2)).cumsum(0)
    smoother = OneEuro(0.7, 3.0, 1.2)
    found = np.stack([smoother(p, s, 1.0) for p, s in zip(points, t, strict=True)])
    for k in range(3):
        for c in range(2):
            assert np.allclose(found[:, k, c], literal_one_euro(points[:, k, c], t, 0.7, 3.0, 1.2), atol=1e-12)


def still_and_moving(width: float, rate: float):
    t = np.arange(int(4 * rate)) / rate
    base = TEMPLATE * width / FACE_WIDTH
    noise = np.random.default_rng(0).normal(size=(len(t), 5, 2)) * 0.003 * width
    return t, base + noise, base + np.stack([t * width, 0 * t], 1)[:, None]


@pytest.mark.parametrize("width", [20.0, 400.0])
@pytest.mark.parametrize("rate", [25.0, 60.0])
@pytest.mark.parametrize("settings", [(Haar.minimum_cutoff_hz, Haar.beta), (YuNet.minimum_cutoff_hz, YuNet.beta)])
def test_zero_lag_smoothing_is_steady_and_prompt(width, rate, settings):
    t, still, moving = still_and_moving(width, rate)
    smooth = smooth_track(still, t, *settings)
    assert np.std(smooth[10:-10], axis=0).max() < np.std(still, axis=0).max() / 3
    half = len(t) // 2
    lag = np.abs(smooth_track(moving, t, *settings) - moving)[half - 10 : half + 10].max()
    assert lag < 0.02 * width


@pytest.mark.parametrize("width", [20.0, 400.0])
@pytest.mark.parametrize("rate", [25.0, 60.0])
def test_online_smoothing_for_fan_is_steady_and_prompt(width, rate):
    pytest.importorskip("face_alignment")
    from data.faces.fan import Fan

    t, still, moving = still_and_moving(width, rate)
    smoother = OneEuro(Fan.minimum_cutoff_hz, Fan.beta)
    smooth = np.stack([smoother(p, s) for p, s in zip(still, t, strict=True)])
    assert np.std(smooth[10:], axis=0).max() < np.std(still, axis=0).max() / 3
    smoother.reset()
    last = [smoother(p, s) for p, s in zip(moving, t, strict=True)][-1]
    assert np.abs(last - moving[-1]).max() < 0.02 * width


def test_steady_smooths_each_track_by_itself():
    rng = np.random.default_rng(1)
    frames = [[seen(ANN, 100 + rng.normal())] for _ in range(20)] + [[seen(ANN, 300 + rng.normal())] for _ in range(20)]
    result = follow(frames, [20])
    calm = steady(result.choices, np.arange(40) / 25, Haar())
    x = np.array([c.detection.points[2, 0] for c in calm])
    raw = np.array([c.detection.points[2, 0] for c in result.choices])
    assert np.abs(np.diff(x[1:19])).mean() < np.abs(np.diff(raw[1:19])).mean() / 3
    assert x[:20].max() < 110  # nothing of one shot leaks into the other
    assert x[20:].min() > 290


def read(name: str):
    with av.open(str(SHARED / "clips" / name)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def finder(name: str):
    return Haar() if name == "haar" else YuNet(SHARED / "models" / MODELS["yunet"].file_name)


@needs_clips
@pytest.mark.parametrize("backend", ["yunet", "haar"])
def test_same_person_in_every_frame_of_two(backend):
    find = finder(backend).find
    frames = [find(rgb) for rgb in read("scenes/two_faces_side_by_side.mp4")]
    for number, side in ((1, 0), (2, 360)):
        x = centres(follow(frames, [], face=number))
        assert all(v is not None and side <= v < side + 360 for v in x)
    assert len({v < 360 for v in centres(follow(frames, []))}) == 1


@needs_clips
@pytest.mark.parametrize("backend", ["yunet", "haar"])
def test_gap_without_a_face(backend):
    find = finder(backend).find
    result = follow([find(rgb) for rgb in read("awkward/face_gap_25_50.mp4")], [25, 50])
    assert [c is None for c in result.choices] == [25 <= i < 50 for i in range(75)]


@needs_clips
def test_first_person_of_a_cut_clip_and_nobody_else():
    find = finder("yunet").find
    result = follow([find(rgb) for rgb in read("scenes/cuts_at_25_60_100_130.mp4")], [25, 60, 100, 130])
    assert [c is not None for c in result.choices] == [i < 25 or 100 <= i < 130 for i in range(160)]
    assert result.reasons[30] == "no face"
    assert result.reasons[80] == result.reasons[140] == "someone else"


@needs_clips
def test_no_false_face_beside_the_speaker():
    find = Haar().find
    frames = [find(rgb) for i, rgb in enumerate(read("faces/wh_obama_weekly_address.mp4")) if i % 6 == 0]
    assert all(240 < x < 420 for x in centres(follow(frames, [])))


def test_single_pictures_take_each_their_own_face():
    frames = [[], [seen(ANN, 100), seen(EVE, 300, width=20)], [seen(BOB, 100), seen(EVE, 300, width=20)]]
    found = each_its_own(frames)
    assert [choice and choice.detection for choice in found.choices] == [None, frames[1][0], frames[2][0]]
    assert found.reasons == ["no face", "", ""] and len({choice.track for choice in found.choices if choice}) == 2
