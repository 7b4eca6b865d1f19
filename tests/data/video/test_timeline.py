"""Times of whole containers: clocks that jump, wrap or start below zero, and sound beside them."""

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.video.clocks import SampleClock
from data.video.reader import probe, read_frames
from data.writing.encode import VideoWriter
from tests.media import write_av, write_frames

WRAP_SECONDS = Fraction(2**33, 90_000)


def joined(
    folder: Path,
    offsets: list[Fraction],
    video: float = 1.2,
    sound: float = 1.344,
    kind: str = "ts",
    rates: tuple[int, ...] = (48_000,),
    codec: str = "mp2",
) -> Path:
    """Files in a row, the clock of each at its own offset, with a flash and a click 0.4 s into each.

    rates: of sound, by turns; where there are several, many of its packets share a time.
    """
    content = b""
    for number, offset in enumerate(offsets):
        part, rate = folder / f"{number}.{kind}", rates[number % len(rates)]
        delay = 0.5 if len(rates) > 1 else 0
        write_av(
            part,
            video_seconds=video,
            sound_seconds=sound,
            events=[0.4],
            start=offset,
            rate=rate,
            delay_seconds=delay,
            codec=codec,
        )
        content += part.read_bytes()
    path = folder / f"joined.{kind}"
    path.write_bytes(content)
    return path


def flashes(path: Path) -> list[Fraction]:
    """Times of the frames that are white."""
    return [frame.seconds for frame in read_frames(path) if frame.rgb.mean() > 180]


def clicks(path: Path) -> list[float]:
    """Times at which clicks begin, by the times that the decoder gives."""
    found: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float32).reshape(-1))
            scale = np.iinfo(np.int16).max if frame.format.name.startswith("s16") else 1
            for at in np.flatnonzero(samples > 0.25 * scale):
                second = float(frame.pts * frame.time_base) + at / frame.sample_rate
                if not found or second > found[-1] + 0.1:
                    found.append(second)
    return found


def rewritten(source: Path, output: Path) -> list[str]:
    with VideoWriter(output, source=probe(source), audio_from=source) as writer:
        for frame in read_frames(source):
            writer.write(frame)
    return writer.notes


@pytest.mark.parametrize("sound", [1.344, 1.056], ids=["sound longer", "sound shorter"])
@pytest.mark.parametrize(
    "offsets",
    [[0, 0, 0, 0], [0, 100, 3], [50, 0], [0, 20, 40]],
    ids=["same clock thrice", "forward and back", "back", "gaps that players skip"],
)
def test_picture_and_sound_stay_together_over_every_jump(tmp_path, offsets, sound):
    source = joined(tmp_path, [Fraction(offset) for offset in offsets], sound=sound)
    frames = list(read_frames(source))
    steps = np.diff([float(frame.seconds) for frame in frames])
    assert len(frames) == 30 * len(offsets)
    assert steps.min() > 0.039 and steps.max() < 0.25  # no overlap, and no hole but what the longer track needs
    rewritten(source, tmp_path / "new.mp4")
    shown = flashes(tmp_path / "new.mp4")
    assert np.array_equal(np.diff(shown), np.diff(flashes(source))) and len(shown) == len(offsets)
    assert clicks(tmp_path / "new.mp4") == pytest.approx([float(time) for time in shown], abs=0.002)


@pytest.mark.parametrize("codec", ["aac", "mp2"])
def test_times_that_are_guessed_by_the_first_rate_are_no_jumps(tmp_path, codec):
    """Several pieces of sound share one time in a broadcast stream; the others' are counted by another length."""
    offsets, rates = [Fraction(0), Fraction(7), Fraction(3)], (22_050, 48_000)
    source = joined(tmp_path, offsets, video=2.4, sound=2.4, rates=rates, codec=codec)
    assert "changes midway" in rewritten(source, tmp_path / "new.mp4")[0]
    shown = [float(time) for time in flashes(tmp_path / "new.mp4")]
    assert len(shown) == 3 and clicks(tmp_path / "new.mp4") == pytest.approx(shown, abs=0.002)


@pytest.mark.parametrize("kind", ["mkv", "nut"])
def test_files_joined_byte_to_byte_stay_together_where_clocks_should_not_jump(tmp_path, kind):
    source = joined(tmp_path, 2 * [Fraction(0)], video=1.6, sound=1.68, kind=kind)
    rewritten(source, tmp_path / "new.mp4")
    shown = [float(time) for time in flashes(tmp_path / "new.mp4")]
    assert len(shown) == 2 and clicks(tmp_path / "new.mp4") == pytest.approx(shown, abs=0.002)
    late = list(read_frames(source, start=Fraction(2), near=True))
    assert [f.seconds for f in late] == [f.seconds for f in read_frames(source) if f.seconds >= 2] != []


def test_fragments_whose_clock_starts_anew_stay_together(tmp_path):
    """Two recordings of a live stream: the second's fragments say 0 again."""
    write_av(tmp_path / "whole.mp4", video_seconds=1.6, sound_seconds=1.68, events=[0.4, 1.2])
    one, options = tmp_path / "one.mp4", {"movflags": "empty_moov+default_base_moof", "frag_duration": "400000"}
    with av.open(str(tmp_path / "whole.mp4")) as whole, av.open(str(one), "w", container_options=options) as output:
        streams = [output.add_stream_from_template(stream) for stream in whole.streams]
        for packet in whole.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                output.mux(packet)
    source = tmp_path / "joined.mp4"
    source.write_bytes(2 * one.read_bytes())
    rewritten(source, tmp_path / "new.mp4")
    shown = [float(time) for time in flashes(tmp_path / "new.mp4")]
    assert len(shown) >= 3 and clicks(tmp_path / "new.mp4") == pytest.approx(shown, abs=0.002)


def test_a_pause_of_one_track_is_no_jump(tmp_path):
    """A picture that stands still for twelve seconds, while sound goes on, stays so."""
    source = tmp_path / "a.ts"
    write_av(source, video_seconds=14, sound_seconds=14, events=[13.2], hole=(0.5, 13.0))
    frames = list(read_frames(source))
    assert max(np.diff([float(frame.seconds) for frame in frames])) > 12
    rewritten(source, tmp_path / "new.mp4")
    assert clicks(tmp_path / "new.mp4") == pytest.approx([float(time) for time in flashes(source)], abs=0.002)


@pytest.mark.parametrize("start", [WRAP_SECONDS - 1, Fraction(0), WRAP_SECONDS - 40], ids=["wraps", "zero", "near"])
def test_a_clock_that_wraps_loses_nothing(tmp_path, start):
    source = tmp_path / "a.ts"
    write_av(source, video_seconds=2, sound_seconds=2, events=[0.4, 1.4], start=start)
    frames = list(read_frames(source))
    assert len(frames) == 50
    assert {after.seconds - before.seconds for before, after in itertools.pairwise(frames)} == {Fraction(1, 25)}
    rewritten(source, tmp_path / "new.mp4")
    after = list(read_frames(tmp_path / "new.mp4"))
    assert len(after) == 50 and after[0].seconds >= 0
    assert clicks(tmp_path / "new.mp4") == pytest.approx([float(t) for t in flashes(tmp_path / "new.mp4")], abs=0.002)


@given(lengths=st.lists(st.integers(1, 4096), min_size=1, max_size=60), unit=st.sampled_from([1000, 90_000, 25]))
def test_coarse_times_are_counted_in_samples(lengths, unit):
    """However coarse a container rounds, no piece is early or late by more than its unit, and none overlaps."""
    clock, samples, last = SampleClock(Fraction(1, unit)), 0, Fraction(-1)
    for length in lengths:
        exact = Fraction(samples, 48_000)
        stamp = clock.stamp(Fraction(round(exact * unit), unit), Fraction(length, 48_000))
        assert abs(stamp - exact) <= Fraction(1, unit) and stamp > last
        samples, last = samples + length, stamp


def test_missing_and_repeated_times_of_sound_are_counted():
    clock, second = SampleClock(), Fraction(1, 50)
    given = [Fraction(0), None, None, Fraction(2, 50), Fraction(4, 50), Fraction(1)]
    assert [clock.stamp(time, second) * 50 for time in given] == [0, 1, 2, 3, 4, 50]


def test_a_time_hours_away_from_its_neighbours_is_a_mistake(tmp_path):
    """Damaged times of some pictures of a broadcast stream: MP4 could not even hold the hole before them."""
    path = tmp_path / "a.ts"
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=25, options={"bf": "2", "b-adapt": "0"})  # stored in another order
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * number, np.uint8), "rgb24")
            output.mux(video.encode(frame.reformat(format="yuv420p")))
        output.mux(video.encode(None))
    right = [frame.seconds for frame in read_frames(path)]
    data, stamp = bytearray(path.read_bytes()), 2**32 + 2**31  # twenty hours of 1/90,000 s
    fields = (0x31 | stamp >> 29 & 14, (stamp & 0x3FFF8000) << 2 | 0x10000 | (stamp & 0x7FFF) << 1 | 1)
    both = [at for at in range(len(data)) if data[at : at + 4] == b"\0\0\1\xe0" and data[at + 7] == 0xC0]
    for at in both[20:24]:
        data[at + 9 : at + 14] = fields[0].to_bytes(1, "big") + fields[1].to_bytes(4, "big")
    path.write_bytes(data)
    times = [frame.seconds for frame in read_frames(path)]
    assert len(times) == len(right) == 50 and times[:20] == right[:20] and times[-1] - times[0] < 3
    rewritten(path, tmp_path / "new.mp4")
    new = [frame.seconds for frame in read_frames(tmp_path / "new.mp4")]
    assert [time - new[0] for time in new] == [time - times[0] for time in times]


def test_tracks_that_appear_midway_cost_nothing(tmp_path):
    """The second recording has four tracks more, of which the beginning of the stream does not tell."""
    write_frames(tmp_path / "silent.mp4", [np.full((48, 64, 3), 90, np.uint8)] * 60, sound=False)
    with av.open(str(tmp_path / "silent.mp4")) as source, av.open(str(tmp_path / "1.ts"), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    with av.open(str(tmp_path / "2.ts"), "w") as output:
        video = output.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sounds = [output.add_stream("mp2", rate=48_000, layout="mono") for _ in range(4)]
        for number in range(25):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * number, np.uint8), "rgb24")
            picture.pts, picture.time_base = 60 + number, Fraction(1, 25)
            output.mux(video.encode(picture.reformat(format="yuv420p")))
            for sound in sounds:
                piece = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), "s16", "mono")
                piece.sample_rate, piece.pts, piece.time_base = 48_000, (60 + number) * 1920, Fraction(1, 48_000)
                output.mux(sound.encode(piece))
        for one in (video, *sounds):
            output.mux(one.encode(None))
    path = tmp_path / "both.ts"
    path.write_bytes((tmp_path / "1.ts").read_bytes() + (tmp_path / "2.ts").read_bytes())
    assert len(list(read_frames(path))) == 85
    notes = rewritten(path, tmp_path / "new.mp4")
    assert len(notes) == 4 and all("encoded to AAC at 48000 Hz" in note for note in notes)
    assert len(list(read_frames(tmp_path / "new.mp4"))) == 85
