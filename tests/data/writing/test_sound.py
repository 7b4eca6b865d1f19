"""Sound that cannot be copied as it is: what becomes of it is known beforehand, said, and heard at its time."""

import errno
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from data.errors import OutputError
from data.video.reader import probe, read_frames
from data.writing.encode import VideoWriter
from data.writing.join import writing
from data.writing.tracks import plan_tracks
from tests.data.writing.hearing import heard
from tests.media import write_av


def rewritten(source: Path, output: Path) -> list[str]:
    with VideoWriter(output, source=probe(source), audio_from=source) as writer:
        for frame in read_frames(source):
            writer.write(frame)
    return writer.notes


def tone(
    path: Path, hz: float, rate: int, layout: str, start: float, seconds: float = 1.0, codec: str = "aac"
) -> bytes:
    """A grey clip with a tone; its clock begins at `start` seconds."""
    channels = 2 if layout == "stereo" else 1
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg2video", rate=25)
        video.width, video.height = 64, 48
        sound = output.add_stream(codec, rate=rate, layout=layout)
        for number in range(round(seconds * 25)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24")
            frame.pts, frame.time_base = number + round(start * 25), Fraction(1, 25)
            output.mux(video.encode(frame))
        wave = 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate).astype(np.float32)
        for first in range(0, len(wave), 1024):
            part = av.AudioFrame.from_ndarray(np.tile(wave[first : first + 1024], (channels, 1)), "fltp", layout)
            part.sample_rate, part.pts, part.time_base = rate, first + round(start * rate), Fraction(1, rate)
            output.mux(sound.encode(part))
        output.mux(video.encode(None))
        output.mux(sound.encode(None))
    return path.read_bytes()


def test_a_rate_that_changes_midway_is_one_rate_afterwards(tmp_path):
    source = tmp_path / "a.ts"
    first = tone(tmp_path / "1.ts", 1000, 44_100, "mono", 0)
    source.write_bytes(first + tone(tmp_path / "2.ts", 700, 48_000, "stereo", 1.2))
    notes = rewritten(source, tmp_path / "new.mp4")
    assert len(notes) == 1 and "changes midway (44100 Hz 1 ch, 48000 Hz 2 ch): encoded to AAC at 48000 Hz" in notes[0]
    with av.open(str(tmp_path / "new.mp4")) as container:
        assert {(f.sample_rate, f.layout.name) for f in container.decode(audio=0)} == {(48_000, "stereo")}
    sound, picture = heard(tmp_path / "new.mp4"), next(read_frames(tmp_path / "new.mp4")).seconds
    begin = float(picture)
    parts = [sound[round((begin + at) * 48_000) :][:24_000] for at in (0.2, 1.45)]
    for part, hz in zip(parts, (1000, 700), strict=True):
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2  # 2 Hz a bin
        assert power[hz // 2 - 4 : hz // 2 + 5].sum() > 0.99 * power.sum()


@pytest.mark.parametrize("codec", ["ac3", "mp3"])
def test_a_change_that_was_copied_into_a_container_that_does_not_tell_is_found(tmp_path, codec):
    """A broadcast with the advertisements' sound, copied into Matroska, which describes a track once."""
    stream, source = tmp_path / "a.ts", tmp_path / "a.mkv"
    first = tone(tmp_path / "1.ts", 1000, 44_100, "mono", 0, codec=codec)
    stream.write_bytes(first + tone(tmp_path / "2.ts", 700, 48_000, "stereo", 1.2, codec=codec))
    with av.open(str(stream)) as recording, av.open(str(source), "w") as output:
        streams = [output.add_stream_from_template(stream) for stream in recording.streams]
        for packet in recording.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                output.mux(packet)
    notes = rewritten(source, tmp_path / "new.mp4")
    assert len(notes) == 1 and "changes midway (44100 Hz 1 ch, 48000 Hz 2 ch): encoded to AAC at 48000 Hz" in notes[0]
    sound = heard(tmp_path / "new.mp4")
    for at, hz in ((0.2, 1000), (1.45, 700)):
        part = sound[round(at * 48_000) :][:24_000]
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2  # 2 Hz a bin
        assert power[hz // 2 - 4 : hz // 2 + 5].sum() > 0.99 * power.sum()


def test_packets_shorter_than_the_containers_unit_keep_their_length(tmp_path):
    """Pieces of 40 samples in Matroska, as TrueHD has them: 1,200 a second, and times in milliseconds."""
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as output:
        video = output.add_stream("libx264", rate=25)
        video.width, video.height = 64, 48
        sound = output.add_stream("pcm_s16le", rate=48_000, layout="mono")
        samples = np.zeros(2 * 48_000, np.int16)
        samples[72_000:72_096] = 20_000
        for _ in range(50):
            output.mux(video.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24")))
        for first in range(0, len(samples), 40):
            block = av.AudioFrame.from_ndarray(samples[None, first : first + 40], "s16", "mono")
            block.sample_rate, block.pts, block.time_base = 48_000, first, Fraction(1, 48_000)
            output.mux(sound.encode(block))
        output.mux(video.encode(None))
        output.mux(sound.encode(None))
    for kind in ("mp4", "mkv"):
        rewritten(source, tmp_path / f"new.{kind}")
        samples = heard(tmp_path / f"new.{kind}")
        assert len(samples) / 48_000 == pytest.approx(2, abs=0.025)
        assert np.flatnonzero(np.abs(samples) > 0.2)[0] / 48_000 == pytest.approx(1.5, abs=0.002)


def test_windows_media_sound_arrives(tmp_path):
    """Its last piece of sound has no time of its own."""
    source = tmp_path / "a.wmv"
    write_av(source, video_seconds=2, sound_seconds=2, events=[1.0], codec="wmav2")
    notes = rewritten(source, tmp_path / "new.mp4")
    assert "(wmav2) does not fit into mp4: encoded to AAC" in notes[0]
    begins = [np.flatnonzero(np.abs(heard(path)) > 0.2)[0] / 48_000 for path in (source, tmp_path / "new.mp4")]
    assert begins[1] == pytest.approx(begins[0], abs=0.002)


def test_a_track_of_which_nothing_arrives_is_left_out_before_any_work(tmp_path):
    source = tmp_path / "a.ts"
    with av.open(str(source), "w") as output:
        video = output.add_stream("mpeg2video", rate=25)
        video.width, video.height = 64, 48
        output.add_stream("mp2", rate=48_000, layout="mono")
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24")
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    plan = plan_tracks(source, "mp4")
    assert not plan.copied and not plan.encoded
    assert [note.split(") ")[1] for note in plan.notes] == ["is declared, and nothing arrives in it: left out"]
    assert rewritten(source, tmp_path / "new.mp4") == list(plan.notes)
    with av.open(str(tmp_path / "new.mp4")) as container:
        assert not container.streams.audio


@pytest.mark.parametrize("kind", ["mp4", "mkv", "mov"])
def test_chapters_are_kept_and_what_cannot_be_is_named(tmp_path, kind):
    source, unit = tmp_path / "a.mkv", Fraction(1, 1000)
    with av.open(str(source), "w") as output:
        video = output.add_stream("libx264", rate=25)
        video.width, video.height = 64, 48
        ends = {"one": (0, 800), "two": (800, 2000)}
        output.set_chapters(
            [
                {"id": number, "start": start, "end": end, "time_base": unit, "metadata": {"title": title}}
                for number, (title, (start, end)) in enumerate(ends.items())
            ]
        )
        output.add_attachment("notes.txt", "text/plain", b"hello")
        for _ in range(50):
            output.mux(video.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24")))
        output.mux(video.encode(None))
    assert rewritten(source, tmp_path / f"new.{kind}") == ["a.mkv: left out: attachment track 1 (notes.txt)"]
    with av.open(str(tmp_path / f"new.{kind}")) as container:
        found = {
            chapter["metadata"]["title"]: tuple(chapter[end] * chapter["time_base"] for end in ("start", "end"))
            for chapter in container.chapters()
        }
    assert found == {title: (start * unit, end * unit) for title, (start, end) in ends.items()}
    assert plan_tracks(tmp_path / f"new.{kind}", "mp4").notes == ()


def test_the_reason_of_a_failure_is_the_true_one(tmp_path):
    with pytest.raises(OutputError, match="FFmpeg says: Invalid argument") as error, writing(tmp_path / "a.mp4"):
        raise av.ArgumentError(errno.EINVAL, "Invalid argument")
    assert "room" not in str(error.value)
    with pytest.raises(OutputError, match="make room"), writing(tmp_path / "a.mp4"):
        raise av.FFmpegError(errno.ENOSPC, "No space left on device")


REPORTED = {
    "adts_rate_changes.ts": "changes midway",
    "latm_sound_changes.ts": "changes midway",
    "second_sound_apac.mov": "cannot be decoded here: left out",
    "sound_declared_only.ts": "nothing arrives",
    "sound_time_twice.ts": None,
    "truehd.mkv": "encoded to AAC",
    "two_edits.mp4": "edit list hides: encoded to AAC",
    "wma2.wmv": "encoded to AAC",
    "joined_four_parts.ts": None,
    "pts_wraps_midway.ts": None,
}


@pytest.mark.parametrize("name", REPORTED)
def test_reported_sound_is_in_sync(shared, tmp_path, name):
    """The place of best correlation, of every half second of the source's sound in the new one's, is its own."""
    source, new = shared / "clips" / "reported" / name, tmp_path / "new.mp4"
    notes = [note for note in rewritten(source, new) if "audio" in note]
    assert not notes if REPORTED[name] is None else len(notes) == 1 and REPORTED[name] in notes[0]
    if name == "sound_declared_only.ts":
        return  # no sound
    parts = parts_of(source, tmp_path)
    times = [frame.seconds for frame in read_frames(new)]
    shown = 0
    for part in parts:
        begin, shown = times[shown], shown + len(list(read_frames(part)))
        end = times[shown] if shown < len(times) else None
        first = next(read_frames(part)).seconds
        before, after = from_frame(part, first, stored="changes" in name), from_frame(new, begin)
        in_sync(before, after if end is None else after[: round((end - begin) * 8000)])
    assert shown == len(times)


def parts_of(path: Path, folder: Path) -> list[Path]:
    """The recordings that a broadcast stream was joined of, each by its own clock; else the file itself."""
    if path.name != "joined_four_parts.ts":
        return [path]
    data, begins, last = path.read_bytes(), [0], -1
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.dts is None or packet.pos is None:
                continue
            if last >= 0 and not 0 < packet.dts - last < 90_000:
                # It begins at the table of programmes, in pieces of 188 bytes, that comes before.
                before = range(packet.pos // 188 * 188, 0, -188)
                begins.append(next(at for at in before if data[at + 1] & 31 == data[at + 2] == 0))
            last = packet.dts
    paths = [folder / f"part{number}.ts" for number in range(len(begins))]
    for part, first, end in zip(paths, begins, [*begins[1:], len(data)], strict=True):
        part.write_bytes(data[first:end])
    assert len(paths) == 4
    return paths


def in_sync(before: np.ndarray, after: np.ndarray) -> None:
    for first in range(0, min(len(before), len(after)) - 4000, 4000):
        one, other = before[first : first + 4000], after[first : first + 4000]
        if (
            one.reshape(8, -1).std(axis=1).min() > 0.02
        ):  # no hole in it; a steady tone fits in many places: its own must be as good as any
            places = np.lib.stride_tricks.sliding_window_view(other, 3200)
            likeness = places @ one[400:-400] / (np.linalg.norm(places, axis=1) + 1e-6)
            assert likeness[400 - 16 : 400 + 17].max() > 0.97 * likeness.max(), first / 8000


def from_frame(path: Path, start: Fraction, *, stored: bool = False) -> np.ndarray:
    """The sound at 8 kHz from `start` seconds on; as `heard` has it."""
    sound = heard(path, since=min(start, Fraction(0)), stored=stored)[max(0, round(start * 48_000)) :]
    return sound[: len(sound) // 6 * 6].reshape(-1, 6).mean(axis=1)
