"""Two videos beside each other keep the left one's times and sound; previews are small GIFs."""

import shutil
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

import data.writing.assemble
from data.errors import MissingInputError, NotAVideoError, OutputError, SettingsError
from data.video.frame import Frame, VideoInfo
from data.video.reader import probe, read_frames
from data.writing.assemble import gif_preview, side_by_side
from data.writing.encode import VideoWriter

PROGRAMS = {"wheel": imageio_ffmpeg.get_ffmpeg_exe()}
if found := shutil.which("ffmpeg"):
    PROGRAMS["PATH"] = found


@pytest.fixture(params=PROGRAMS, autouse=True)
def program(request, monkeypatch):
    """Every test runs on the wheel's ffmpeg and on the one on PATH, where there is one."""
    monkeypatch.setattr(data.writing.assemble, "ffmpeg_program", lambda: PROGRAMS[request.param])


def tone(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=44100, layout="mono")
        wave = np.sin(np.arange(44100) / 20, dtype=np.float32)[None]
        frame = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
        frame.sample_rate = 44100
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def video(path: Path, times: list[int], colours: list[tuple], time_base=Fraction(1, 12800), size=(64, 48), **changed):
    """A video of plain frames, one colour each, at the given timestamps."""
    fields = {
        "path": "", "width": size[0], "height": size[1], "sample_aspect": Fraction(1), "rotation": 0,
        "rate": Fraction(25), "time_base": time_base, "frames": None, "codec": "", "pixel_format": "yuv420p",
        "colour": {}, "interlaced": False, "audio_tracks": 0,
    }  # fmt: skip
    audio = changed.pop("audio_from", None)
    with VideoWriter(
        path, source=VideoInfo(**fields | changed), audio_from=audio, metadata={"synthetic": "1"}
    ) as writer:
        for number, (pts, colour) in enumerate(zip(times, colours, strict=True)):
            rgb = np.full((size[1], size[0], 3), colour, np.uint8)
            writer.write(Frame(rgb, number, pts, time_base, 512))
    return path


def packets(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(container.streams.audio[0]) if packet.size]
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in found]


def halves(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Mean colours well inside the left and the right half."""
    width = frame.rgb.shape[1] // 2
    inner = frame.rgb[-16:-4]
    return inner[:, 8 : width - 8].mean(axis=(0, 1)), inner[:, width + 8 : -8].mean(axis=(0, 1))


RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 200, 30), (30, 30, 200), (120, 120, 120)


@pytest.mark.parametrize("first", [0, 18432], ids=["from 0", "from 1.44 s"])
def test_left_decides_times_and_sound(tmp_path, first):
    """Variable rate on the left, another rate and length on the right: at each time what is then on the screen."""
    times = [first + pts for pts in (0, 512, 700, 2048, 5120)]
    left = video(tmp_path / "l.mp4", times, [RED] * 5, audio_from=tone(tmp_path / "tone.mp4"))
    start = first * 90000 // 12800
    right_times = [start, start + 9000, start + 60000]  # 0.1 s and 0.67 s later
    right = video(tmp_path / "r.mp4", right_times, [GREEN, BLUE, GREY], Fraction(1, 90000))
    side_by_side([left, right], tmp_path / "both.mp4", labels=("source", "result"))
    frames = list(read_frames(tmp_path / "both.mp4"))
    assert [frame.seconds for frame in frames] == [Fraction(pts, 12800) for pts in times]
    assert packets(tmp_path / "both.mp4") == packets(left)
    expected = [GREEN, GREEN, GREEN, BLUE, BLUE]  # 0.16 s and 0.4 s are after 0.1 s
    for frame, colour in zip(frames, expected, strict=True):
        one, other = halves(frame)
        assert np.abs(one - RED).max() < 6 and np.abs(other - colour).max() < 6
    with av.open(str(tmp_path / "both.mp4")) as container:
        assert container.metadata["synthetic"] == "1"


def test_a_short_right_video_stays_on_its_last_frame(tmp_path):
    left = video(tmp_path / "l.mp4", [0, 512, 1024, 1536], [RED] * 4)
    right = video(tmp_path / "r.mp4", [0], [GREEN])
    side_by_side([left, right], tmp_path / "both.mp4")
    frames = list(read_frames(tmp_path / "both.mp4"))
    assert len(frames) == 4 and all(np.abs(halves(frame)[1] - GREEN).max() < 6 for frame in frames)


def test_sizes_shapes_and_matrices_are_brought_together(tmp_path):
    """Odd sizes, wide pixels and another matrix on the right: even size, square pixels, the colours that were."""
    left = video(tmp_path / "l.mp4", [0, 512], [RED] * 2, size=(81, 61))
    tags = {"range": "pc", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}
    right = video(tmp_path / "r.mp4", [0, 512], [GREEN] * 2, size=(60, 90), sample_aspect=Fraction(2), colour=tags)
    side_by_side([left, right], tmp_path / "both.mp4")
    info = probe(tmp_path / "both.mp4")
    assert (info.width, info.height, info.sample_aspect) == (80 + 80, 60, 1)
    one, other = halves(next(read_frames(tmp_path / "both.mp4")))
    assert np.abs(one - RED).max() < 6 and np.abs(other - GREEN).max() < 6


def test_three_at_a_given_height(tmp_path):
    """Any number, also the same file again; another height than the first one's."""
    one = video(tmp_path / "1.mp4", [0, 512], [RED] * 2)
    other = video(tmp_path / "2.mp4", [0, 512], [BLUE] * 2, size=(32, 48))
    side_by_side([one, other, other, one], tmp_path / "all.mp4", height=96)
    frame = next(read_frames(tmp_path / "all.mp4"))
    assert frame.rgb.shape == (96, 128 + 64 + 64 + 128, 3)
    assert [int(np.argmax(frame.rgb[48, x])) for x in (64, 160, 224, 320)] == [0, 2, 2, 0]


def test_labels_are_seen(tmp_path):
    clip = video(tmp_path / "l.mp4", [0], [RED], size=(256, 192))
    side_by_side([clip, clip], tmp_path / "plain.mp4")
    side_by_side([clip, clip], tmp_path / "labelled.mp4", labels=("100% 'source': a", "b"))
    plain, labelled = (next(read_frames(tmp_path / name)).rgb.astype(int) for name in ("plain.mp4", "labelled.mp4"))
    different = np.abs(labelled - plain).max(axis=2) > 60
    assert different[:14, :60].mean() > 0.5 and different[:14, 256:270].mean() > 0.5
    assert different[20:].mean() == 0


@pytest.mark.parametrize("name", ["-i.mp4", "http:a.mp4", "concat:a|b.mp4", "it's [x],y;=%d.mp4"])
def test_any_name_is_only_a_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    video(tmp_path / "plain.mp4", [0, 512], [RED] * 2).rename(tmp_path / name)
    side_by_side([Path(name), Path(name)], Path("-o" + name))
    gif_preview(Path(name), Path("-" + name).with_suffix(".gif"))
    assert len(list(read_frames(Path("-o" + name)))) == 2


def test_gif_preview(tmp_path):
    colours = [RED] * 10 + [GREEN] * 10 + [BLUE] * 10
    clip = video(
        tmp_path / "a.mp4",
        [512 * number for number in range(30)],
        colours,
        size=(120, 60),
        sample_aspect=Fraction(1, 2),
    )
    gif_preview(clip, tmp_path / "a.gif", height=60, rate=5)
    info, frames = probe(tmp_path / "a.gif"), list(read_frames(tmp_path / "a.gif"))
    assert (info.codec, info.width, info.height, len(frames)) == ("gif", 60, 60, 6)
    assert [frame.seconds for frame in frames] == [Fraction(number, 5) for number in range(6)]
    for frame, colour in zip(frames, [RED, RED, GREEN, GREEN, BLUE, BLUE], strict=True):
        assert np.abs(frame.rgb.mean(axis=(0, 1)) - colour).max() < 8
    gif_preview(video(tmp_path / "one.mp4", [0], [RED]), tmp_path / "one.gif", rate=2)
    assert len(list(read_frames(tmp_path / "one.gif"))) >= 1


def test_errors_are_one_line_and_leave_nothing(tmp_path):
    clip = video(tmp_path / "a.mp4", [0], [RED])
    (tmp_path / "text.mp4").write_text("#EXTM3U\na.mp4\n")
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(MissingInputError):
        side_by_side([clip, tmp_path / "none.mp4"], tmp_path / "o.mp4")
    with pytest.raises(NotAVideoError):
        side_by_side([clip, tmp_path / "text.mp4"], tmp_path / "o.mp4")
    with pytest.raises(SettingsError, match="replace"):
        side_by_side([clip, clip], clip)
    with pytest.raises(SettingsError):
        gif_preview(clip, tmp_path / "o.gif", rate=0)
    with pytest.raises(OutputError) as error:
        gif_preview(clip, tmp_path / "no folder" / "o.gif")
    assert "\n" not in str(error.value) and "No such file" in str(error.value)
    assert {path.name for path in tmp_path.iterdir()} == before
