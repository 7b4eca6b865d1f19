"""Sound, subtitles and tags of the source arrive in the new file, in sync."""

from fractions import Fraction

import av
import pytest

from data.video.reader import probe, read_frames, read_metadata
from tests.data.writing.written import (
    RATE,
    SHARED,
    clicks,
    drawn,
    heard_clicks,
    info_of,
    needs_clips,
    sound_in,
    times_in,
    write,
)


def test_a_part_starts_at_zero_with_its_own_sound(tmp_path):
    """From 1 s to 2 s of the source: clicks are heard where they were, one second earlier, and none from outside."""
    source = clicks(tmp_path / "source.mp4", "aac")
    info, start, stop = probe(source), Fraction(1), Fraction(2)
    frames = read_frames(source, start=start, stop=stop)
    write(tmp_path / "part.mp4", frames, info, audio_from=source, start=start, stop=stop)
    assert times_in(tmp_path / "part.mp4") == [Fraction(number, 25) for number in range(25)]
    whole, part = heard_clicks(source), heard_clicks(tmp_path / "part.mp4")
    # The packet that holds 1 s starts before it; players begin at 0.
    inside = [second - 1 for second in whole if 1 <= second < 1.98]
    assert [second for second in part if second >= -0.001][: len(inside)] == pytest.approx(inside, abs=2e-3)
    assert max(time for time, _ in sound_in(tmp_path / "part.mp4")) < 1


@pytest.mark.parametrize(
    ("source", "codec", "new", "kept"),
    [("s.mkv", "pcm_s16le", "n.mp4", False), ("s.mkv", "pcm_s16le", "n.mov", True), ("s.ts", "aac", "n.mp4", True),
     ("s.mkv", "pcm_s16le", "n.mkv", True), ("s.mkv", "flac", "n.mp4", True), ("s.mkv", "libopus", "n.mov", False),
     ("s.mkv", "libopus", "n.mp4", True), ("s.mp4", "aac", "n.mkv", True), ("s.avi", "mp2", "n.mp4", True)],
)  # fmt: skip
def test_sound_stays_in_sync_whatever_carries_it(tmp_path, source, codec, new, kept):
    original = clicks(tmp_path / source, codec, rate=48000 if codec == "libopus" else RATE)
    notes = write(tmp_path / new, read_frames(original), probe(original), audio_from=original)
    assert [note for note in notes if "AAC" in note] == [] if kept else [f"{source}: audio track 1 (" in notes[0]]
    offset = float(times_in(tmp_path / new)[0] - times_in(original)[0])
    assert offset == 0
    assert heard_clicks(tmp_path / new) == pytest.approx(heard_clicks(original), abs=3e-3)
    with av.open(str(tmp_path / new)) as container:
        if not source.endswith((".ts", ".avi")):
            assert container.streams.audio[0].metadata["language"] == "eng"


def test_holes_in_transcoded_sound_stay_holes(tmp_path):
    """Packets missing for a second: what follows is heard at its time."""
    clicks(tmp_path / "whole.mkv", "pcm_s16le")
    source = tmp_path / "holed.mkv"
    with av.open(str(tmp_path / "whole.mkv")) as whole, av.open(str(source), "w") as holed:
        streams = [holed.add_stream_from_template(stream, opaque=True) for stream in whole.streams]
        for packet in whole.demux():
            if packet.size and not (packet.stream.index == 1 and 0.7 < packet.pts * packet.time_base < 1.7):
                packet.stream = streams[packet.stream.index]
                holed.mux(packet)
    write(tmp_path / "a.mp4", read_frames(source), probe(source), audio_from=source)
    assert heard_clicks(tmp_path / "a.mp4") == pytest.approx([0.5, 2.0, 2.5], abs=5e-3)


def test_a_hole_of_hours_is_damage_and_not_filled(tmp_path):
    """Times that jump ahead again and again: days of silence would be encoded."""
    clicks(tmp_path / "whole.mkv", "pcm_s16le")
    source = tmp_path / "holed.mkv"
    with av.open(str(tmp_path / "whole.mkv")) as whole, av.open(str(source), "w") as holed:
        streams = [holed.add_stream_from_template(stream, opaque=True) for stream in whole.streams]
        for packet in whole.demux():
            if packet.size:
                if packet.stream.index == 1 and packet.pts * packet.time_base > 1:
                    packet.pts = packet.dts = packet.pts + int(5 * 3600 / packet.time_base)
                packet.stream = streams[packet.stream.index]
                holed.mux(packet)
    write(tmp_path / "a.mp4", read_frames(source), probe(source), audio_from=source)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.duration < 10 * av.time_base


def test_chapters_of_a_part_end_with_it(tmp_path):
    whole, source, unit = clicks(tmp_path / "whole.mp4", "aac"), tmp_path / "source.mp4", Fraction(1, 1000)
    chapters = [{"id": n, "start": 1500 * n, "end": 1500 * n + 1500, "time_base": unit, "metadata": {}} for n in (0, 1)]
    with av.open(str(whole)) as before, av.open(str(source), "w") as after:
        after.set_chapters(chapters)
        streams = [after.add_stream_from_template(stream) for stream in before.streams]
        for packet in before.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                after.mux(packet)
    start, stop = Fraction(1), Fraction(2)
    frames = read_frames(source, start=start, stop=stop)
    write(tmp_path / "part.mp4", frames, probe(source), audio_from=source, start=start, stop=stop)
    with av.open(str(tmp_path / "part.mp4")) as container:
        spans = [(part["start"] * part["time_base"], part["end"] * part["time_base"]) for part in container.chapters()]
    assert spans == [(0, Fraction(1, 2)), (Fraction(1, 2), 1)]


def test_tags_of_the_file_survive(tmp_path):
    tags = {"title": "ünïcode = \"quotes\"; 'and more'", "synthetic": "true", "com.example.any": "x" * 3000}
    info = info_of()
    write(tmp_path / "a.mp4", drawn([0], info), info, metadata=tags)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert tags.items() <= container.metadata.items()
    write(tmp_path / "a.mkv", drawn([0], info), info, metadata=tags)
    assert tags.items() <= read_metadata(tmp_path / "a.mp4").items() & read_metadata(tmp_path / "a.mkv").items()
    (tmp_path / "text.mp4").write_text("no video")
    assert read_metadata(tmp_path / "text.mp4") == {}
    assert (tmp_path / "a.mp4").read_bytes().find(b"moov") < (tmp_path / "a.mp4").read_bytes().find(b"mdat")


@needs_clips
def test_two_sound_tracks_and_subtitles_go_along(tmp_path):
    source, new = SHARED / "awkward" / "nasa_13013.mp4", tmp_path / "new.mp4"
    write(new, read_frames(source, stop=Fraction(1)), probe(source), audio_from=source, stop=Fraction(1))
    with av.open(str(source)) as before, av.open(str(new)) as after:
        assert [stream.type for stream in after.streams] == ["video", "audio", "subtitle", "audio", "subtitle"]
        for one, other in zip(before.streams.audio, after.streams.audio, strict=True):
            assert one.metadata.get("language") == other.metadata.get("language")
    for track in range(2):
        assert all(time < 1 for time, _ in sound_in(new, track))
        assert sound_in(new, track) == [packet for packet in sound_in(source, track) if packet[0] < 1]
