"""Awkward, damaged and hostile files: what they hold, or one line of why not."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext

from data.errors import MissingInputError, NotAVideoError
from data.video.reader import probe, read_frames
from tests.data.video.drawn import AWKWARD, encoded, needs_clips, patches, yuv420


def test_cover_art_is_not_the_video(tmp_path):
    song = tmp_path / "song.mp4"
    cover = cv2.imencode(".png", patches())[1].tobytes()
    with av.open(str(song), "w") as output:
        sound = output.add_stream("aac", rate=44100)
        picture = output.add_mux_stream("png", width=128, height=96)
        picture.disposition = av.stream.Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 44100), np.float32), "fltp", "stereo")
        silence.sample_rate = 44100
        packet = av.Packet(cover)
        packet.stream, packet.pts, packet.dts, packet.time_base = picture, 0, 0, Fraction(1, 25)
        output.mux(packet)
        output.mux(sound.encode(silence))
        output.mux(sound.encode(None))
    with pytest.raises(NotAVideoError, match="sound but no picture"):
        probe(song)


def line_of(error: pytest.ExceptionInfo) -> str:
    message = str(error.value)
    assert "\n" not in message and ";" in message
    return message


@pytest.mark.parametrize("reader", [probe, lambda path: list(read_frames(path))], ids=["probe", "read"])
def test_what_is_no_video_is_refused_in_one_line(tmp_path, reader, capfd):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video at all\n" * 50)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    for name in ("empty", "text", "noise", "folder", "pipe"):
        with pytest.raises(NotAVideoError) as error:
            reader(tmp_path / f"{name}.mp4")
        assert f"{name}.mp4" in line_of(error)
    with pytest.raises(MissingInputError) as error:
        reader(tmp_path / "missing.mp4")
    assert "missing.mp4" in line_of(error)
    assert capfd.readouterr() == ("", "")


def test_playlists_open_nothing(tmp_path):
    """A text that names another file is refused, whatever it is called, and the other file is not read."""
    real = encoded(tmp_path / "real.ts", [yuv420(patches() / 255, "smpte170m", full=False)], "mpeg2video")
    texts = {
        "hls.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nreal.ts\n#EXT-X-ENDLIST\n",
        "hls.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{real}\n#EXT-X-ENDLIST\n",
        "list.mp4": "ffconcat version 1.0\nfile real.ts\n",
        "list.ffconcat": "ffconcat version 1.0\nfile real.ts\n",
        "web.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(NotAVideoError):
            list(read_frames(tmp_path / name))
    assert len(list(read_frames(real))) == 1


@pytest.mark.parametrize("name", ["http:__a.mp4", "concat:b.mp4", "-i.mp4", "a%03d.mp4", "ä b'\"$.mp4", "file:c.mp4"])
def test_any_name_is_only_a_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    encoded(tmp_path / "plain.mp4", [yuv420(patches() / 255, "smpte170m", full=False)]).rename(tmp_path / name)
    assert probe(name).width == 128
    assert len(list(read_frames(Path(name)))) == 1


@needs_clips
@pytest.mark.parametrize(
    ("name", "count"),
    [("corrupted.mp4", 49), ("damaged_bytes.mp4", 73), ("truncated_faststart.mp4", 39), ("jpeg_named.mp4", 1),
     ("no_duration.webm", 74), ("face_interlaced.ts", 73), ("one_pixel.mp4", 5), ("frames_1.mp4", 1),
     ("daily_timelapse.gif", 100), ("flower-fragmented.mp4", 150), ("av1_video.mkv", 125)],
)  # fmt: skip
def test_awkward_files_give_what_they_hold(name, count, capfd):
    info, shapes, times = probe(AWKWARD / name), set(), []
    for number, frame in enumerate(read_frames(AWKWARD / name)):
        assert frame.number == number and frame.rgb.dtype == np.uint8
        shapes.add(frame.rgb.shape)
        times.append(frame.pts)
    assert len(times) == count and times == sorted(set(times))
    assert shapes == {(info.height, info.width, 3)}
    assert capfd.readouterr() == ("", "")


@needs_clips
@pytest.mark.parametrize("name", ["audio_only_named.mp4", "bunny.stereo.audio.opus.mp4"])
def test_sound_alone_is_named_as_such(name):
    with pytest.raises(NotAVideoError, match="has sound but no picture"):
        probe(AWKWARD / name)


@needs_clips
@pytest.mark.parametrize("name", ["broken-file.ogg", "empty.mp4", "text_named.mp4", "truncated_no_moov.mp4"])
def test_unreadable_files_are_refused(name):
    with pytest.raises(NotAVideoError) as error:
        list(read_frames(AWKWARD / name))
    assert name in line_of(error)


@needs_clips
def test_damaged_files_decode_to_the_same_pixels_every_time():
    first, second = ([frame.rgb for frame in read_frames(AWKWARD / "damaged_bytes.mp4")] for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


@needs_clips
def test_the_first_of_two_videos_is_read():
    info = probe(AWKWARD / "nasa_13013.mp4")
    assert (info.width, info.height, info.frames, info.audio_tracks) == (320, 180, 325, 2)


@needs_clips
def test_a_phone_video_stands_upright():
    """The same face, stored sideways, reads as the clip it was made from."""
    sideways = next(read_frames(AWKWARD / "face_rotated_meta.mp4")).rgb.astype(int)
    upright = next(read_frames(AWKWARD / "face_no_audio.mp4")).rgb
    assert probe(AWKWARD / "face_rotated_meta.mp4").rotation == 90
    assert np.abs(sideways - upright).mean() < 4


@pytest.mark.parametrize(
    ("name", "size", "count"),
    [("androidx_water_mvhevc.mov", (1934, 2160), 5), ("timelapse_exif.avi", (160, 120), 12),
     ("png_icc.mov", (160, 120), 12)],
)  # fmt: skip
def test_side_data_that_is_not_needed_is_not_touched(shared, name, size, count):
    """Kinds that PyAV cannot name, and colour profiles: in a process of its own, for they end the interpreter."""
    code = (
        "import sys; from data.video.reader import probe, read_frames; info = probe(sys.argv[1]);"
        "print(info.width, info.height, sum(1 for _ in read_frames(sys.argv[1])))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(shared / "clips" / "reported" / name)],
        capture_output=True, text=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert (result.stdout.split(), result.returncode) == ([str(value) for value in (*size, count)], 0), result.stderr


def test_a_picture_that_is_turned_midway_is_shown_upright_from_there_on(tmp_path):
    """Only key frames say which way up they are, as cameras write it."""
    wide = np.full((48, 96, 3), 200, np.uint8)
    wide[:, :24] = 20
    frames = [av.VideoFrame.from_ndarray(wide, "rgb24").reformat(format="yuv420p") for _ in range(6)]
    part = encoded(tmp_path / "part.h264", frames)
    with av.open(str(part)) as container:
        stream = container.streams.video[0]
        turning = BitStreamFilterContext("h264_metadata=display_orientation=insert:rotate=90", stream)
        turned = [bytes(new) for packet in container.demux(stream) for new in turning.filter(packet)]
    path = tmp_path / "a.h264"
    path.write_bytes(part.read_bytes() + b"".join(turned) + part.read_bytes())
    seen = list(read_frames(path))
    assert [frame.shape for frame in seen] == 6 * [0] + 6 * [1] + 6 * [2]
    level, upright = (seen[number].rgb.astype(int).mean(axis=2) for number in (0, 11))
    assert upright.shape == level.shape == (48, 96) and np.abs(seen[17].rgb.astype(int).mean(axis=2) - level).max() < 3
    # Counter-clockwise by a quarter: what was left is at the bottom; 24 of 48 columns are picture, the rest bars.
    assert upright[:34, 37:59].min() > 190 and upright[38:, 37:59].max() < 30 and upright[:, :35].max() < 5


@pytest.mark.parametrize(("suffix", "codec", "pixels"), [(".mov", "png", "rgba"), (".webm", "libvpx-vp9", "yuva420p")])
def test_what_is_transparent_in_a_video_lies_on_the_background(tmp_path, suffix, codec, pixels):
    """Not the colours that hide there; VP9 keeps transparency beside the picture."""
    rgba = np.full((48, 64, 4), (200, 30, 30, 255), np.uint8)
    rgba[:, :32, 3] = 0
    path = tmp_path / f"a{suffix}"
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format=pixels)))
        output.mux(stream.encode(None))
    assert probe(path).transparent
    for background in ((255, 255, 255), (0, 128, 0)):
        frames = list(read_frames(path, background=background))
        assert len(frames) == 3
        assert np.abs(frames[2].rgb[:, :28].astype(int) - background).max() < 6
        assert np.abs(frames[2].rgb[:, 36:].astype(int) - (200, 30, 30)).max() < 12
