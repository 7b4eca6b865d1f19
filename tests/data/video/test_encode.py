"""Writing: times, sound, colour and tags of the source arrive in the new file; nothing half-written stays."""

import dataclasses
import itertools
import json
import resource
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import MissingInputError, OutputError, SettingsError
from data.video.encode import SegmentWriter, VideoWriter
from data.video.frame import Frame, VideoInfo
from data.video.join import join_segments
from data.video.reader import probe, read_frames, read_metadata

SHARED = Path(__file__).parents[4] / "shared" / "clips"
needs_clips = pytest.mark.skipif(not SHARED.exists(), reason="the shared clips are not beside this checkout")
needs_ffprobe = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not on PATH")
CLIPS = [
    "awkward/face_vfr.mp4", "awkward/face_rotated_meta.mp4", "awkward/face_other_fps.mp4",
    "awkward/face_audio_late.mp4", "awkward/face_audio_longer.mp4", "awkward/face_nonsquare_sar.mp4",
    "awkward/face_odd_dims_444.mp4", "awkward/face_hevc_10bit.mp4", "awkward/face_two_audio_sine_first.mp4",
    "awkward/flower-fragmented.mp4", "faces/grid_bbaf2n.mpg", "awkward/face_interlaced.ts",
    "awkward/no_duration.webm",
]  # fmt: skip
RATE = 44100


def info_of(time_base=Fraction(1, 12800), size=(32, 16), rate=Fraction(25), **changed) -> VideoInfo:
    fields = {
        "path": "drawn", "width": size[0], "height": size[1], "sample_aspect": Fraction(1), "rotation": 0,
        "rate": rate, "time_base": time_base, "frames": None, "codec": "drawn", "pixel_format": "yuv420p",
        "colour": {}, "interlaced": False, "audio_tracks": 0,
    }  # fmt: skip
    return VideoInfo(**fields | changed)


def drawn(times: list[int], info: VideoInfo, duration: int = 0) -> list[Frame]:
    """Grey frames of rising brightness at the given timestamps."""
    shape = (info.height, info.width, 3)
    return [
        Frame(np.full(shape, 40 + 10 * (number % 20), np.uint8), number, pts, info.time_base, duration)
        for number, pts in enumerate(times)
    ]


def write(path: Path, frames, info: VideoInfo, **options) -> list[str]:
    with VideoWriter(path, source=info, **options) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.notes


def times_in(path: Path) -> list[Fraction]:
    return [frame.seconds for frame in read_frames(path)]


def sound_in(path: Path, track: int = 0) -> list[tuple[Fraction, bytes]]:
    """(seconds, bytes) of every packet of a sound track."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.audio[track]) if packet.size]
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in packets]


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def clicks(path: Path, codec: str, seconds: float = 3, start: Fraction = Fraction(0), rate: int = RATE) -> Path:
    """Sound with a click at every half second, and a grey picture of 25 frames a second, from `start` seconds on."""
    samples = np.zeros(int(rate * seconds), np.float32)
    for click in np.arange(0.5, seconds, 0.5):
        samples[int(click * rate) :][:64] = 0.8
    with av.open(str(path), "w") as output:
        picture = output.add_stream("mpeg4" if path.suffix == ".avi" else "libx264", rate=25)
        picture.width, picture.height = 32, 16
        sound = output.add_stream(codec, rate=rate, layout="mono")
        sound.metadata["language"] = "eng"
        sound.metadata["title"] = "clicks"
        for number in range(int(25 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), 90, np.uint8), "rgb24")
            frame.pts, frame.time_base = number + round(25 * start), Fraction(1, 25)
            output.mux(picture.encode(frame))
            block = samples[number * rate // 25 : (number + 1) * rate // 25]
            chunk = av.AudioFrame.from_ndarray(block[None], "fltp", "mono")
            chunk.sample_rate, chunk.time_base = rate, Fraction(1, rate)
            chunk.pts = number * rate // 25 + round(rate * start)
            output.mux(sound.encode(chunk))
        output.mux(picture.encode(None))
        output.mux(sound.encode(None))
    return path


def heard_clicks(path: Path) -> list[float]:
    """Seconds at which clicks begin, by the times that the decoder gives."""
    found: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.abs(frame.to_ndarray().astype(np.float32)).reshape(-1)
            scale = 32768 if frame.format.name.startswith("s16") else 1
            for at in np.flatnonzero(loud > 0.3 * scale):
                second = float(frame.pts * frame.time_base) + at / frame.sample_rate
                if not found or second - found[-1] > 0.1:
                    found.append(second)
    return found


@st.composite
def timings(draw) -> tuple[Fraction, list[int]]:
    time_base = draw(
        st.sampled_from(
            [Fraction(1, 12800), Fraction(1, 30000), Fraction(1001, 30000), Fraction(1, 1000), Fraction(1, 90000),
             Fraction(1, 25), Fraction(1, 1), Fraction(2, 15), Fraction(1, 1_000_000), Fraction(1, 16384)]
        )
    )  # fmt: skip
    most = max(1, int(2 / time_base))
    first = draw(st.integers(0, int(9 / time_base)))
    steps = draw(st.lists(st.integers(1, most), min_size=0, max_size=12))
    return time_base, [first + sum(steps[:count]) for count in range(len(steps) + 1)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(timing=timings(), with_sound=st.booleans())
def test_times_arrive_exactly(tmp_path_factory, timing, with_sound):
    folder = tmp_path_factory.mktemp("times")
    time_base, times = timing
    info = info_of(time_base)
    audio = clicks(folder / "sound.mp4", "aac", seconds=0.2) if with_sound else None
    write(folder / "a.mp4", drawn(times, info, duration=1), info, audio_from=audio)
    assert times_in(folder / "a.mp4") == [pts * time_base for pts in times]
    assert left_in(folder) == {"a.mp4", "sound.mp4"} if with_sound else {"a.mp4"}
    if audio:
        assert sound_in(folder / "a.mp4") == sound_in(audio)


@needs_clips
@pytest.mark.parametrize("name", CLIPS)
def test_times_and_sound_of_real_clips(tmp_path, name):
    source, new = SHARED / name, tmp_path / "new.mp4"
    info = probe(source)
    frames = list(read_frames(source))
    size = None
    if info.width >= 640:  # the picture does not matter here: a small one is written sooner
        size, grey = (64, 48), np.full((48, 64, 3), 90, np.uint8)
        frames = [dataclasses.replace(frame, rgb=grey) for frame in frames]
    write(new, frames, info, size=size, audio_from=source)
    again = probe(new)
    assert times_in(new) == [frame.seconds for frame in frames]
    assert (again.width, again.height) == (size or (info.width, info.height))
    assert again.sample_aspect == info.sample_aspect
    assert (again.rotation, again.interlaced, again.audio_tracks) == (0, False, info.audio_tracks)
    for track in range(info.audio_tracks):
        before, after = sound_in(source, track), sound_in(new, track)
        assert [content for _, content in after] == [content for _, content in before]
        # MP4 counts sound in samples; a source that counts coarser is met to half a sample.
        assert max(abs(one[0] - other[0]) for one, other in zip(before, after, strict=True)) <= Fraction(1, 2 * 8000)


def ffprobe(path: Path, streams: str, entries: str, *options: str) -> list[dict]:
    command = ["ffprobe", "-v", "error", "-select_streams", streams, "-show_entries", entries, "-of", "json", *options]
    result = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True)
    return next(iter(json.loads(result.stdout).values()))


@needs_clips
@needs_ffprobe
@pytest.mark.parametrize("name", ["awkward/face_vfr.mp4", "awkward/face_audio_late.mp4", "awkward/face_interlaced.ts"])
def test_ffprobe_sees_the_same_times_and_sound(tmp_path, name):
    source, new = SHARED / name, tmp_path / "new.mp4"
    write(new, read_frames(source), probe(source), audio_from=source)
    before, after = (ffprobe(path, "v:0", "frame=pts_time") for path in (source, new))
    assert [frame["pts_time"] for frame in before] == [frame["pts_time"] for frame in after]
    options = ("-show_data_hash", "md5")
    before, after = (ffprobe(path, "a:0", "packet=pts_time,data_hash", *options) for path in (source, new))
    assert [packet["data_hash"] for packet in before] == [packet["data_hash"] for packet in after]
    for one, other in zip(before, after, strict=True):
        assert float(one["pts_time"]) == pytest.approx(float(other["pts_time"]), abs=1.2e-5)


def test_the_last_frame_stays_as_long_as_it_was(tmp_path):
    info = info_of()
    write(tmp_path / "a.mp4", drawn([0, 512, 1024], info, duration=5120), info)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].duration == 1024 + 5120
    write(tmp_path / "b.mp4", drawn([0, 512, 1536], info), info)  # nobody says how long: as long as the one before
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.video[0].duration == 1536 + 1024


def test_segments_join_to_what_one_writer_makes(tmp_path):
    info = info_of(Fraction(1, 30000), size=(64, 48))
    frames = drawn([500 + 1001 * number + (number % 3) for number in range(30)], info, duration=1001)
    cuts, paths = [0, 1, 13, 30], []
    for first, last in itertools.pairwise(cuts):
        paths.append(tmp_path / f"{first}.mp4")
        with SegmentWriter(paths[-1], source=info) as writer:
            for frame in frames[first:last]:
                writer.write(frame)
    assert join_segments(paths, tmp_path / "joined.mp4") == []
    write(tmp_path / "whole.mp4", frames, info)
    joined, whole = list(read_frames(tmp_path / "joined.mp4")), list(read_frames(tmp_path / "whole.mp4"))
    assert [frame.seconds for frame in joined] == [frame.seconds for frame in whole] == [f.seconds for f in frames]
    assert all(np.abs(one.rgb.astype(int) - other.rgb).max() <= 2 for one, other in zip(joined, whole, strict=True))
    with pytest.raises(ValueError, match="starts before"):
        join_segments(paths[::-1], tmp_path / "wrong.mp4")
    with SegmentWriter(tmp_path / "other.mp4", source=info_of(info.time_base, (32, 16))) as writer:
        writer.write(Frame(frames[0].rgb[:16, :32], 0, 900_000, info.time_base))
    with pytest.raises(ValueError, match="other settings"):
        join_segments([paths[0], tmp_path / "other.mp4"], tmp_path / "wrong.mp4")
    assert "wrong.mp4" not in left_in(tmp_path)


@pytest.mark.parametrize("first", [-3 * 12800 - 100, -1, 40 * 3600 * 12800 + 7])
def test_starts_that_no_player_shows_are_moved_by_whole_seconds(tmp_path, first):
    """Before 0, or hours in: picture and sound move together, and the user is told."""
    info = info_of()
    start = Fraction(first, 12800)
    audio = clicks(tmp_path / "sound.mkv", "aac", seconds=0.4, start=max(Fraction(0), Fraction(round(25 * start), 25)))
    notes = write(tmp_path / "a.mp4", drawn([first, first + 512, first + 1536], info), info, audio_from=audio)
    times = times_in(tmp_path / "a.mp4")
    moved = times[0] - start
    assert moved.denominator == 1 and 0 <= times[0] < 10 and len(notes) == 1 and "moved by" in notes[0]
    assert [time - times[0] for time in times] == [0, Fraction(512, 12800), Fraction(1536, 12800)]
    before, after = sound_in(audio), sound_in(tmp_path / "a.mp4")
    assert all(abs(time + moved - new) < Fraction(1, RATE) for (time, _), (new, _) in zip(before, after, strict=True))


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


@pytest.mark.parametrize("start", [Fraction(1, 3), Fraction(1001, 30000)])
def test_any_start_shifts_all_frames_alike(tmp_path, start):
    info = info_of()
    write(tmp_path / "a.mp4", drawn([12800, 13312, 14000], info), info, start=start)
    assert times_in(tmp_path / "a.mp4") == [Fraction(pts, 12800) - start for pts in (12800, 13312, 14000)]


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


SMOOTH = np.stack(
    [np.tile(np.linspace(10, 245, 96), (64, 1)), np.tile(np.linspace(230, 30, 64)[:, None], (1, 96)),
     np.tile(np.linspace(60, 180, 96)[::-1], (64, 1))], axis=-1,
).astype(np.uint8)  # fmt: skip


@pytest.mark.parametrize(
    ("colour", "written"),
    [
        ({}, ("unspecified", "unspecified")),
        ({"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}, ("tv", "bt709")),
        ({"range": "pc", "space": "smpte170m"}, ("pc", "smpte170m")),
        ({"range": "pc", "space": "bt709", "transfer": "iec61966-2-1"}, ("pc", "bt709")),
        ({"range": "tv", "space": "bt2020nc", "primaries": "bt2020", "transfer": "smpte2084"}, ("tv", "bt709")),
        ({"range": "tv", "space": "bt2020nc", "primaries": "bt2020", "transfer": "bt2020-10"}, ("tv", "bt2020nc")),
        ({"range": "tv", "space": "ycgco"}, ("tv", "smpte170m")),
    ],
    ids=["untagged", "709", "full 601", "full 709", "HDR", "2020 SDR", "unknown matrix"],
)
def test_colours_come_back(tmp_path, colour, written):
    info = info_of(size=(96, 64), colour=colour)
    frame = Frame(SMOOTH, 0, 0, info.time_base)
    write(tmp_path / "a.mp4", [frame], info)
    again = probe(tmp_path / "a.mp4").colour
    assert (again["range"], again["space"]) == written
    if colour.get("transfer") == "smpte2084":
        assert (again["primaries"], again["transfer"]) == ("bt709", "bt709")
    elif "transfer" in colour:
        assert again["transfer"] == colour["transfer"]
    read = next(read_frames(tmp_path / "a.mp4")).rgb.astype(int)
    assert np.abs(read - SMOOTH).mean() < 2


@pytest.mark.parametrize("pixel_format", ["rgb24", "yuv420p"])
def test_another_size_does_not_change_untagged_colours(tmp_path, pixel_format):
    """A small crop of a large untagged picture is tagged, for readers guess the matrix by the size."""
    info = info_of(size=(1920, 1080), pixel_format=pixel_format)
    write(tmp_path / "a.mp4", [Frame(SMOOTH, 0, 0, info.time_base)], info, size=(96, 64))
    assert probe(tmp_path / "a.mp4").colour["space"] == "bt709"
    assert np.abs(next(read_frames(tmp_path / "a.mp4")).rgb.astype(int) - SMOOTH).mean() < 2


@pytest.mark.parametrize("size", [(33, 17), (33, 16), (1, 1)])
def test_odd_sizes_stay(tmp_path, size):
    info = info_of(size=size)
    notes = write(tmp_path / "a.mp4", drawn([0, 512], info), info)
    assert (probe(tmp_path / "a.mp4").width, probe(tmp_path / "a.mp4").height) == size
    assert len(notes) == 1 and "odd" in notes[0]


def test_nothing_stays_of_a_video_that_broke_off(tmp_path):
    info = info_of()
    (tmp_path / "a.mp4").write_bytes(b"the one before")
    with pytest.raises(RuntimeError, match="stop"), VideoWriter(tmp_path / "a.mp4", source=info) as writer:
        for frame in drawn(list(range(0, 51200, 512)), info):
            writer.write(frame)
        raise RuntimeError("stop")
    assert left_in(tmp_path) == {"a.mp4"} and (tmp_path / "a.mp4").read_bytes() == b"the one before"


def test_what_cannot_be_written_is_said_in_one_line(tmp_path):
    info = info_of()
    frames = drawn([0, 512], info)
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "missing" / "a.mp4", tmp_path / "folder.mp4", tmp_path / "file" / "a.mp4"):
        with pytest.raises(OutputError) as error:
            write(path, frames, info)
        assert "\n" not in str(error.value) and path.name in str(error.value)
    with pytest.raises(OutputError, match="no frame"):
        write(tmp_path / "a.mp4", [], info)
    with pytest.raises(SettingsError, match=r"\.mkv"):
        write(tmp_path / "a.txt", frames, info)
    with pytest.raises(MissingInputError):
        write(tmp_path / "a.mp4", frames, info, audio_from=tmp_path / "none.mp4")
    source = clicks(tmp_path / "source.mp4", "aac", seconds=0.2)
    before = source.read_bytes()
    with pytest.raises(SettingsError, match="replace"):
        write(source, frames, info, audio_from=source)
    assert left_in(tmp_path) == {"folder.mp4", "file", "source.mp4"} and source.read_bytes() == before


def test_wrong_frames_are_refused(tmp_path):
    info = info_of()
    good = drawn([0, 512], info)
    wrong = [
        Frame(good[1].rgb[:8], 1, 512, info.time_base),
        Frame(good[1].rgb.astype(np.float32), 1, 512, info.time_base),
        Frame(good[1].rgb, 1, 0, info.time_base),
        Frame(good[1].rgb, 1, 512, Fraction(1, 25)),
    ]
    for frame in wrong:
        with pytest.raises(ValueError):
            write(tmp_path / "a.mp4", [good[0], frame], info)
    assert left_in(tmp_path) == set()


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from fractions import Fraction
import numpy as np
from data.video.encode import VideoWriter
from data.errors import OutputError
from data.video.frame import Frame, VideoInfo
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
info = VideoInfo("", 320, 240, Fraction(1), 0, Fraction(25), Fraction(1, 25), None, "", "yuv420p", {}, False, 0)
noise = np.random.default_rng(0)
try:
    with VideoWriter(Path(sys.argv[1]), source=info) as writer:
        for number in range(12):
            writer.write(Frame(noise.integers(0, 255, (240, 320, 3), dtype=np.uint8), number, number, info.time_base))
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("most", [20_000, 400_000, 700_000])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, most):
    """The limit on the size of a file stands for a full disk: while encoding, at its end, while joining."""
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.mp4"), str(most)],
        capture_output=True, text=True, cwd=Path(__file__).parents[3], check=True,
    )  # fmt: skip
    assert result.stderr == ""
    if result.stdout:
        assert "a.mp4: cannot be written" in result.stdout and left_in(tmp_path) == set()
    else:
        assert len(times_in(tmp_path / "a.mp4")) == 12
    assert result.stdout or most == 700_000


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


def test_memory_stays_flat(tmp_path):
    """Eight times the frames take no more memory: the peak of this process grows by less than 20 MB."""
    info = info_of(Fraction(1, 25), size=(160, 120))

    def peak_after(count: int) -> int:
        pictures = (np.full((120, 160, 3), number % 200, np.uint8) for number in range(count))
        frames = (Frame(rgb, number, number, info.time_base) for number, rgb in enumerate(pictures))
        write(tmp_path / "a.mp4", frames, info)
        assert sum(1 for _ in read_frames(tmp_path / "a.mp4")) == count
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    short = peak_after(100)
    assert peak_after(800) - short < 20_000  # 700 frames are 40 MB
