"""One person through a clip: links, gaps, cuts, other people; smoothing against the paper's formulas."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from data.errors import NoFaceError
from data.faces.follow import each_its_own, follow
from data.faces.haar import Haar
from data.faces.people import Identity
from data.faces.recognise import Looks
from data.faces.yunet import YuNet
from data.models import MODELS
from tests.data.faces.people import ANN, BOB, EVE, seen

SHARED = Path(__file__).parents[4] / "shared"
needs_clips = pytest.mark.skipif(not (SHARED / "clips").exists(), reason="no shared clips beside the checkout")


def centres(result) -> list[float | None]:
    return [None if c is None else (c.detection.box[0] + c.detection.box[2]) / 2 for c in result.choices]


def test_largest_is_followed_whatever_the_order_of_detections():
    frames = [[seen(ANN, 50 + i, width=80), seen(BOB, 300 - i, width=60)][:: 1 if i % 2 else -1] for i in range(20)]
    result = follow(frames, [], Looks())
    assert centres(result) == [50.0 + i for i in range(20)]
    assert {c.track for c in result.choices} == {0}


@pytest.mark.parametrize(("number", "start"), [(1, 300), (2, 50)])
def test_people_are_numbered_by_how_much_they_are_seen(number, start):
    frames = [[seen(BOB, 300, width=90), seen(ANN, 50)]] * 10 + [[seen(BOB, 300)]] * 3
    expected = [50.0] * 10 + [None] * 3 if start == 50 else [300.0] * 13
    assert centres(follow(frames, [], Looks(), face=number)) == expected


def test_largest_is_so_over_the_whole_clip():
    """Somebody passes before the one whom the clip is about is seen."""
    frames = [[seen(BOB, 50, width=70)]] * 6 + [[seen(ANN, 300)]] * 30
    assert centres(follow(frames, [6], Looks())) == [None] * 6 + [300.0] * 30


def test_second_face_that_comes_later():
    frames = [[seen(ANN, 50)]] * 10 + [[seen(BOB, 300), seen(ANN, 50)]] * 10
    assert centres(follow(frames, [], Looks(), face=2)) == [None] * 10 + [300.0] * 10


def test_number_beyond_the_people_of_the_clip_is_refused():
    with pytest.raises(NoFaceError, match="2 people"):
        follow([[seen(ANN, 50), seen(BOB, 300)]] * 10, [], Looks(), face=3)


def test_people_who_cross_are_not_swapped():
    frames = [[seen(ANN, 50 + 6 * i, width=80), seen(BOB, 300 - 6 * i, width=70)] for i in range(40)]
    assert centres(follow(frames, [], Looks())) == [50.0 + 6 * i for i in range(40)]


def test_short_miss_is_filled_and_long_one_is_not():
    frames = [[seen(ANN, 100 + 2 * i)] for i in range(40)]
    for i in (8, 9, 10):
        frames[i] = []
    for i in range(20, 28):
        frames[i] = []
    result = follow(frames, [], Looks())
    assert [c is not None and c.interpolated for c in result.choices] == [i in (8, 9, 10) for i in range(40)]
    assert np.allclose(centres(result)[:20], [100 + 2 * i for i in range(20)])
    assert np.allclose(result.choices[9].detection.points, frames[7][0].points + np.array([4, 0]))
    assert result.choices[20:28] == [None] * 8
    assert result.reasons[20:28] == ["no face"] * 8
    assert result.choices[19].track == 0
    assert result.choices[28].track == 1


def test_identity_is_found_again_after_a_cut_and_others_are_left_alone():
    frames = [[seen(ANN, 100)]] * 10 + [[seen(BOB, 100)]] * 10 + [[seen(BOB, 100), seen(ANN, 300)]] * 10
    result = follow(frames, [10, 20], Looks())
    assert centres(result) == [100.0] * 10 + [None] * 10 + [300.0] * 10
    assert result.reasons[10] == "someone else"
    assert [result.choices[i].track for i in (0, 20)] == [0, 1]


def test_no_gap_is_filled_across_a_cut():
    frames = [[seen(ANN, 100)]] * 10 + [[]] * 2 + [[seen(ANN, 102)]] * 10
    result = follow(frames, [11], Looks())
    assert [c is None for c in result.choices] == [i in (10, 11) for i in range(22)]


def test_brief_and_doubtful_faces_do_not_become_the_identity():
    frames = [[seen(ANN, 100)] for _ in range(30)]
    for i in range(3):
        frames[i] = [seen(EVE, 400, width=200)]  # three frames of something large
    for i in range(5, 25):
        frames[i] = [seen(ANN, 100), seen(BOB, 400, width=200, score=0.5)]  # large, long, never certain
    result = follow(frames, [], Looks())
    assert centres(result) == [None] * 3 + [100.0] * 27
    assert result.reasons[0] == "no face"


def test_one_frame_is_enough_where_there_is_only_one():
    assert centres(follow([[seen(ANN, 100)]], [], Looks())) == [100.0]


def test_no_face_at_all():
    result = follow([[]] * 5, [3], Looks())
    assert result.choices == [None] * 5
    assert result.identity is None
    assert follow([], [], Looks()).choices == []


def test_identity_goes_on_to_the_next_clip_and_through_json():
    first = follow([[seen(ANN, 100, width=80), seen(BOB, 300)]] * 10, [], Looks())
    identity = Identity.from_json(json.loads(json.dumps(first.identity.to_json())))
    second = follow([[seen(BOB, 100, width=90), seen(ANN, 300)]] * 10, [], Looks(), face=identity)
    assert centres(second) == [300.0] * 10
    with pytest.raises(NoFaceError):
        follow([[seen(EVE, 100)]] * 10, [], Looks(), face=identity)


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
    sides = []
    for number in (1, 2):
        x = centres(follow(frames, [], Looks(), face=number))
        sides.append({v is not None and v < 360 for v in x})
    assert sorted(map(sorted, sides)) == [[False], [True]]
    assert {v is not None and v < 360 for v in centres(follow(frames, [], Looks()))} == sides[0]


@needs_clips
@pytest.mark.parametrize("backend", ["yunet", "haar"])
def test_gap_without_a_face(backend):
    find = finder(backend).find
    result = follow([find(rgb) for rgb in read("awkward/face_gap_25_50.mp4")], [25, 50], Looks())
    assert [c is None for c in result.choices] == [25 <= i < 50 for i in range(75)]


@needs_clips
def test_first_person_of_a_cut_clip_and_nobody_else():
    find = finder("yunet").find
    result = follow([find(rgb) for rgb in read("scenes/cuts_at_25_60_100_130.mp4")], [25, 60, 100, 130], Looks())
    assert [c is not None for c in result.choices] == [i < 25 or 100 <= i < 130 for i in range(160)]
    assert result.reasons[30] == "no face"
    assert result.reasons[80] == result.reasons[140] == "someone else"


@needs_clips
def test_no_false_face_beside_the_speaker():
    find = Haar().find
    frames = [find(rgb) for i, rgb in enumerate(read("faces/wh_obama_weekly_address.mp4")) if i % 6 == 0]
    assert all(240 < x < 420 for x in centres(follow(frames, [], Looks())))


def test_single_pictures_take_each_their_own_face():
    frames = [[], [seen(ANN, 100), seen(EVE, 300, width=20)], [seen(BOB, 100), seen(EVE, 300, width=20)]]
    found = each_its_own(frames)
    assert [choice and choice.detection for choice in found.choices] == [None, frames[1][0], frames[2][0]]
    assert found.reasons == ["no face", "", ""] and len({choice.track for choice in found.choices if choice}) == 2
