"""Domains on disk: what is written is read back, splits share no frame, bad names and damaged files are refused."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.disk import check_name, name_from
from data.domain.clipfile import Clip
from data.domain.domain import Domain
from data.domain.record import linked, runs, windows_in
from data.domain.splits import LEAST_TO_HALVE, halves, held_out, require_window
from data.errors import BadNameError, MissingInputError, SettingsError, TooFewFramesError
from tests.data.domain.records import clip_records


def described(name: str) -> Clip:
    return Clip(name, f"/films/{name}.mp4", "0" * 64, "video", {}, 3, 3, 1, "25", [64, 48], 0, {})


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    domain = Domain(tmp_path / "d", "yunet", 256, [described("a")], {"looks": [[0.5]]}, {"av": "18"})
    domain.folder.mkdir()
    records = clip_records([True, False, True])
    records[0] = replace(records[0], landmarks=[[1.5, 2.0]], transform=[[1, 0, 0], [0, 1, 0]], sharpness=3.5)
    domain.save(records)
    again = Domain.load(domain.folder)
    assert again == domain
    assert list(again.records()) == records


BEFORE = """{
 "format": 1,
 "aligner": "yunet",
 "size": 64,
 "clips": [
  {
   "clip": "anna", "path": "/films/anna.mp4", "sha256": "ba90b12a", "kind": "video",
   "settings": {"align": "yunet", "size": 64, "face": "largest", "window": 3},
   "frames": 3, "kept": 2, "shots": 1, "rate": "30000/1001", "size": [64, 48], "rotation": 90,
   "colour": {"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}, "excluded": {"no face": 1}
  },
  {
   "clip": "train", "path": "/films/set/train", "sha256": "00ff", "kind": "strips",
   "settings": {"align": "yunet", "size": 64, "face": "largest", "window": 1,
                "strips": "auto", "frames": "single", "half": 1, "split": "test"},
   "frames": 1, "kept": 1, "shots": 1, "rate": "25", "size": [64, 64], "rotation": 0, "colour": {}, "excluded": {}
  }
 ],
 "versions": {"retarget": "0.1.0", "av": "18.1.0"}
}
"""
BEFORE_FRAMES = """\
{"clip":"anna","number":0,"pts":0,"time_base":"1/12800","shot":0,"split":"train","track":0,\
"landmarks":[[1.5,2.0],[3.0,4.25]],"transform":[[1.0,0.0,-2.5],[0.0,1.0,3.0]],"sharpness":2089.0}
{"clip":"anna","number":1,"pts":512,"time_base":"1/12800","shot":0,"split":"excluded","reason":"no face"}
{"clip":"anna","number":2,"pts":1024,"time_base":"1/12800","shot":0,"split":"train","track":1,"sharpness":7.5}
{"clip":"train","number":0,"pts":0,"time_base":"1/25","shot":0,"split":"test","track":0,"sharpness":1.0}
"""


def test_a_domain_of_version_0_1_becomes_a_file_for_each_clip(tmp_path: Path) -> None:
    (tmp_path / "domain.json").write_text(BEFORE)
    (tmp_path / "frames.jsonl").write_text(BEFORE_FRAMES)
    (tmp_path / "identity.json").write_text('{"looks": [[0.5]], "others": []}')
    notes: list[str] = []
    domain = Domain.load(tmp_path, notes.append)
    assert len(notes) == 1 and "earlier version" in notes[0]
    records = list(domain.records())
    assert [clip.from_video for clip in domain.clips] == [True, False]
    assert domain.identity == {"looks": [[0.5]], "others": []}
    assert domain.clip("train").settings["half"] == 1
    assert records[0].transform == [[1, 0, -2.5], [0, 1, 3]] and records[1].reason == "no face"
    assert records[2].picture == "frames/anna/000003.jpg" and records[3].split == "test"
    assert not (tmp_path / "frames.jsonl").exists()
    again = Domain.load(tmp_path, notes.append)
    assert again == domain and list(again.records()) == records and len(notes) == 1


def test_records_of_a_clip_that_was_dropped_are_not_read(tmp_path: Path) -> None:
    domain = Domain(tmp_path, "none", 64, [described("b")])
    domain.save(clip_records([True] * 3, clip="a") + clip_records([True] * 2, clip="b"))
    assert {record.clip for record in Domain.load(tmp_path).records()} == {"b"}


@pytest.mark.parametrize("place", ["head", "middle", "end"])
@pytest.mark.parametrize("damage", ["bit", "cut", "empty"])
def test_a_damaged_clip_is_named_and_left_out(tmp_path: Path, damage: str, place: str) -> None:
    domain = Domain(tmp_path, "none", 64, [described("a"), described("b")])
    domain.save(clip_records([True] * 3, clip="a") + clip_records([True] * 9, clip="b"))
    path = tmp_path / "clips/b.jsonl"
    content = bytearray(path.read_bytes())
    at = {"head": 30, "middle": len(content) // 2, "end": len(content) - 2}[place]
    if damage == "bit":
        content[at] ^= 4
    path.write_bytes(content[:at] if damage == "cut" else content if damage == "bit" else b"")
    notes: list[str] = []
    records = list(Domain.load(tmp_path, notes.append).records())
    assert {record.clip for record in records} == {"a"}
    assert len(notes) == 1 and str(path) in notes[0] and "damaged" in notes[0]


@given(st.binary(max_size=200))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_clips_file_is_no_traceback(tmp_path: Path, content: bytes) -> None:
    Domain(tmp_path, "none", 64).begin()
    (tmp_path / "clips/a.jsonl").write_bytes(content)
    domain = Domain.load(tmp_path)
    assert list(domain.records()) == [] and domain.clips == []


def test_names_and_places_are_promised_once(tmp_path: Path) -> None:
    domain = Domain(tmp_path / "d", "none", 64)
    domain.begin()
    paths = ["/x/take.mp4", "/y/take.mp4", "/y/other.mp4"]
    assert domain.places(paths) == [("take", 0), ("take-2", 1), ("other", 2)]
    with (domain.folder / "names.jsonl").open("ab") as names:
        names.write(b'{"source": "/torn')
    again = Domain.load(domain.folder)
    assert again.places(["/z/take.mp4", *paths]) == [("take-3", 3), ("take", 0), ("take-2", 1), ("other", 2)]
    assert Domain.load(domain.folder).places(["/z/take.mp4"]) == [("take-3", 3)]


def test_records_without_landmarks_are_the_same_otherwise(tmp_path: Path) -> None:
    record = replace(clip_records([True])[0], landmarks=[[1.5, 2.0]], transform=[[1, 0, 0]], reason='a,"landmarks":')
    domain = Domain(tmp_path, "none", 64, [described("a")])
    domain.save([record])
    assert list(domain.records()) == [record]
    assert list(domain.records(landmarks=False)) == [replace(record, landmarks=None, transform=None)]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 99}', '{"format": 1, "clips": [{"clip": "../x"}]}', "[" * 10**5]
)
def test_a_damaged_domain_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "domain.json").write_text(content)
    with pytest.raises(SettingsError) as error:
        Domain.load(tmp_path)
    assert "\n" not in str(error.value)


def test_a_clip_name_that_climbs_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    domain = Domain(tmp_path, "none", 64, [described("a")])
    domain.save([])
    path = tmp_path / "clips/a.jsonl"
    path.write_text(path.read_text().replace('"clip":"a"', '"clip":"../../etc"'))
    assert Domain.load(tmp_path).clips == []


def test_a_missing_domain_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="nobody: no such domain"):
        Domain.load(tmp_path / "nobody")


def test_records_say_which_follow_each_other() -> None:
    records = clip_records([True] * 4 + [False] + [True] * 7, [0] * 8 + [1] * 4)
    records = [replace(r, pts=r.pts + (100 * 512 if r.number >= 10 else 0)) for r in records]
    follows = [record.follows for record in linked(records)]
    #           first                   excluded  after it           cut               hole
    assert follows == [False, True, True, True, None, False, True, True, False, True, False, True]
    runs_of = [[r.number for r in run] for run in runs(records)]
    assert [[r.number for r in run] for run in runs(linked(records))] == runs_of == [
        [0, 1, 2, 3], [5, 6, 7], [8, 9], [10, 11],
    ]  # fmt: skip


def test_runs_break_at_cuts_gaps_and_clips() -> None:
    records = clip_records([True] * 3 + [False] + [True] * 4, [0] * 6 + [1] * 2) + clip_records([True] * 2, clip="b")
    assert [[(r.clip, r.number) for r in run] for run in runs(records)] == [
        [("a", 0), ("a", 1), ("a", 2)],
        [("a", 4), ("a", 5)],
        [("a", 6), ("a", 7)],
        [("b", 0), ("b", 1)],
    ]


def test_too_few_frames_says_how_many_there_are_and_are_needed() -> None:
    with pytest.raises(TooFewFramesError, match="2 usable frames in a row, a window needs 3"):
        require_window(clip_records([True, True, False, True]), 3, "clip.mp4")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", ".hidden", "a\0b", "x" * 101, "a\nb", " a", "a."])
def test_names_that_must_not_become_paths(name: str) -> None:
    with pytest.raises(BadNameError):
        check_name(name, "--name")


@given(st.text(max_size=150))
def test_any_text_gives_a_fit_name(text: str) -> None:
    assert check_name(name_from(text), "name")


def test_names_keep_what_people_write() -> None:
    assert name_from("name with spaces & ünïcode") == "name with spaces & ünïcode"


@given(st.integers(0, 120), st.integers(1, 6))
def test_what_chooses_a_checkpoint_and_what_judges_it_share_no_window(count: int, window: int) -> None:
    records = held_out(clip_records([True] * 10 * count), window)
    test = [record for record in records if record.split == "test"]
    choosing, judging = halves(records, window)
    if len(test) < LEAST_TO_HALVE:
        assert choosing == judging == test
        return
    assert choosing and choosing == test[: len(choosing)] and judging == test[-len(judging) :]
    assert judging[0].number - choosing[-1].number > window
    assert abs(len(judging) - len(test) / 2) <= 0.5


def test_windows_never_span_a_hole_in_time() -> None:
    records = clip_records([True] * 75)
    later = [replace(r, pts=r.pts + 25_600) if r.number >= 40 else r for r in records]
    assert [len(run) for run in runs(later)] == [40, 35]


@given(st.lists(st.integers(1, 4), min_size=2, max_size=40))
def test_unsteady_rates_are_no_holes(steps: list[int]) -> None:
    """As of phones: a step may be four times another."""
    records = clip_records([True] * (len(steps) + 1))
    times = [sum(steps[:count]) for count in range(len(steps) + 1)]
    varied = [replace(record, pts=pts * 512, time_base="1/12800") for record, pts in zip(records, times, strict=True)]
    assert len(list(runs(varied))) == 1


def test_windows_step_over_frames_that_repeat() -> None:
    records = [replace(r, repeats=True) if r.number % 3 else r for r in clip_records([True] * 12)]
    (run,) = runs(records)
    assert [[record.number for record in window] for window in windows_in(run, 3)] == [[0, 3, 6], [3, 6, 9]]
    still = [replace(record, repeats=record.number > 0) for record in records]
    assert [[record.number for record in window] for window in windows_in(still, 3)][:2] == [[0, 1, 2], [1, 2, 3]]


def test_a_file_name_that_is_no_unicode_is_found_again(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    (tmp_path / name).touch()
    domain = Domain(tmp_path / "d", "none", 64, [replace(described("café"), path=str(tmp_path / name))])
    domain.folder.mkdir()
    domain.save(clip_records([True]))
    assert (domain.folder / "clips/café.jsonl").read_bytes().decode()  # is UTF-8
    assert Path(Domain.load(domain.folder).clips[0].path).exists()
