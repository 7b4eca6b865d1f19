"""Reading: what comes out of a file, however awkward the file is."""

import gc
import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from data.errors import MissingInputError, NotAVideoError
from data.video.colour import BT2020_TO_BT709, HDR_TRANSFERS, MATRICES, TRANSFERS, hdr_to_sdr
from data.video.container import Clock
from data.video.reader import probe, read_frames
from tests.media import write_frames

SHARED = Path(__file__).parents[4] / "shared" / "clips"
AWKWARD = SHARED / "awkward"
needs_clips = pytest.mark.skipif(not SHARED.exists(), reason="the shared clips are not beside this checkout")

PATCHES = np.array(
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255], [0, 0, 0], [255, 255, 255],
     [128, 128, 128], [200, 120, 80], [60, 90, 200], [30, 160, 60]], np.uint8,
)  # fmt: skip
KR_KB = {"smpte170m": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020nc": (0.2627, 0.0593)}


def number_of(names: dict[int, str], name: str) -> int:
    return next(number for number, known in names.items() if known == name)


def encoded(path: Path, frames: list[av.VideoFrame], codec: str = "libx264", time_base=Fraction(1, 25), **tags) -> Path:
    """A file of the given frames, one unit of time apart, encoded without visible loss."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=1 / time_base, options={"qp": "1"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, frames[0].format.name
        stream.codec_context.time_base = time_base
        rotation = tags.pop("rotation", None)
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        if rotation is not None:
            stream.set_display_rotation(*rotation)
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, time_base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def planar(planes: list[np.ndarray], pixel_format: str) -> av.VideoFrame:
    """A frame of the given planes, copied row by row because a frame's rows are padded."""
    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], pixel_format)
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        content = np.ascontiguousarray(values).view(np.uint8).reshape(plane.height, -1)
        rows[:, : content.shape[1]] = content
        plane.update(rows.tobytes())
    return frame


def yuv420(rgb: np.ndarray, matrix: str, full: bool, bits: int = 8) -> av.VideoFrame:
    """R'G'B' in [0, 1], constant over 2x2 blocks, as 4:2:0 by the textbook formulas."""
    kr, kb = KR_KB[matrix]
    luma = rgb @ [kr, 1 - kr - kb, kb]
    blue, red = (rgb[..., 2] - luma) / (2 - 2 * kb), (rgb[..., 0] - luma) / (2 - 2 * kr)
    unit, top = 2 ** (bits - 8), 2**bits - 1
    planes = [top * luma, (top + 1) / 2 + top * blue, (top + 1) / 2 + top * red]
    if not full:
        planes = [unit * (16 + 219 * luma), unit * (128 + 224 * blue), unit * (128 + 224 * red)]
    planes = [np.rint(np.clip(plane, 0, top)).astype("u1" if bits == 8 else "<u2") for plane in planes]
    return planar([planes[0], planes[1][::2, ::2], planes[2][::2, ::2]], "yuv420p" if bits == 8 else "yuv420p10le")


def patches(side: int = 32) -> np.ndarray:
    """(3 * side, 4 * side, 3): the PATCHES in a grid."""
    return PATCHES.reshape(3, 4, 3).repeat(side, 0).repeat(side, 1)


def centres(picture: np.ndarray, side: int = 32) -> np.ndarray:
    return picture[side // 2 :: side, side // 2 :: side].reshape(-1, 3).astype(int)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", ["smpte170m", "bt709", "bt2020nc"])
def test_known_colours_are_read_by_their_tags(tmp_path, matrix, full):
    frame = yuv420(patches() / 255, matrix, full)
    clip = encoded(tmp_path / "a.mp4", [frame], colorspace=number_of(MATRICES, matrix), color_range=2 if full else 1)
    assert np.abs(centres(next(read_frames(clip)).rgb) - PATCHES).max() <= 3
    assert probe(clip).colour["space"] == matrix
    assert probe(clip).colour["range"] == ("pc" if full else "tv")


@pytest.mark.parametrize(("side", "matrix"), [(32, "smpte170m"), (200, "bt709")], ids=["small", "large"])
def test_untagged_colours_are_taken_as_players_take_them(tmp_path, side, matrix):
    clip = encoded(tmp_path / "a.mp4", [yuv420(patches(side) / 255, matrix, full=False)])
    assert np.abs(centres(next(read_frames(clip)).rgb, side) - PATCHES).max() <= 3


def test_ten_bits_are_read_as_eight(tmp_path):
    frame = yuv420(patches() / 255, "bt709", full=False, bits=10)
    clip = encoded(tmp_path / "a.mp4", [frame], colorspace=1)
    assert probe(clip).pixel_format == "yuv420p10le"
    assert np.abs(centres(next(read_frames(clip)).rgb) - PATCHES).max() <= 3


def literal_hdr_to_sdr(signal: np.ndarray, transfer: str) -> np.ndarray:
    """ST 2084 / BT.2100, BT.2390 section 5.4.1, BT.2087 and BT.1886 written out in float64. [0, 1] to [0, 255]."""

    def pq(nits):
        power = (nits / 10000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375

    def inverse_pq(code):
        power = code ** (1 / 78.84375)
        return 10000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)

    if transfer == "smpte2084":
        nits = inverse_pq(signal)
    else:
        low, high = signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
        scene = np.where(signal <= 0.5, low, high)
        nits = 1000 * (scene @ [0.2627, 0.678, 0.0593])[..., None] ** 0.2 * scene
    brightest = np.maximum(nits.max(axis=-1, keepdims=True), 1e-9)
    code, target = pq(np.minimum(brightest, 1000)) / pq(1000.0), pq(203.0) / pq(1000.0)
    knee = 1.5 * target - 0.5
    t = (code - knee) / (1 - knee)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * target
    linear = nits / brightest * inverse_pq(np.where(code < knee, code, bent) * pq(1000.0)) / 203
    return np.clip(linear @ BT2020_TO_BT709.T, 0, 1) ** (1 / 2.4) * 255


@pytest.mark.parametrize("transfer", HDR_TRANSFERS)
def test_hdr_pixels_equal_the_written_out_formulas(transfer):
    codes = np.random.default_rng(0).integers(0, 65536, (64, 64, 3), dtype=np.uint16)
    assert np.abs(hdr_to_sdr(codes, transfer) - literal_hdr_to_sdr(codes / 65535, transfer)).max() < 0.6


@pytest.mark.parametrize(("transfer", "white"), [("smpte2084", 0.5807), ("arib-std-b67", 0.75)], ids=["PQ", "HLG"])
def test_hdr_becomes_sdr(tmp_path, transfer, white):
    """A grey ramp stays one, black is black, diffuse white (203 cd/m2, BT.2408) is bright but not clipped."""
    ramp = np.linspace(0, 1, 64)
    ramp[32] = white
    ramp.sort()
    grey = np.broadcast_to(ramp[None, :, None], (64, 64, 3)).repeat(4, 0).repeat(4, 1)
    frame = yuv420(grey, "bt2020nc", full=False, bits=10)
    clip = encoded(
        tmp_path / "a.mp4", [frame], colorspace=9, color_primaries=9, color_trc=number_of(TRANSFERS, transfer)
    )
    assert probe(clip).colour["transfer"] == transfer
    read = next(read_frames(clip)).rgb[128, 2::4].astype(int)
    assert np.all(np.diff(read[:, 1]) >= 0)
    assert np.ptp(read, axis=1).max() <= 3  # grey stays grey
    assert read[0].max() <= 2 and read[-1].min() >= 253
    assert 180 <= read[int(np.searchsorted(ramp, white)), 1] <= 235
    assert np.abs(read - literal_hdr_to_sdr(ramp[:, None].repeat(3, 1), transfer)).max() <= 4


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True], ids=["", "mirrored"])
def test_pictures_are_upright(tmp_path, degrees, mirrored):
    """What the display matrix asks for is applied: turn counter-clockwise, then mirror."""
    stored = patches()
    clip = encoded(tmp_path / "a.mp4", [yuv420(stored / 255, "smpte170m", full=False)], rotation=(degrees, mirrored))
    expected = np.rot90(stored, degrees // 90)
    expected = expected[:, ::-1] if mirrored else expected
    info, read = probe(clip), next(read_frames(clip)).rgb
    assert read.shape == expected.shape == (info.height, info.width, 3)
    assert np.abs(centres(read) - centres(expected)).max() <= 4
    if not mirrored:
        assert info.rotation == degrees


def test_sample_aspect_turns_with_the_picture_and_is_not_applied(tmp_path):
    frame = yuv420(patches() / 255, "smpte170m", full=False)
    clip = encoded(tmp_path / "a.mp4", [frame], sample_aspect_ratio=Fraction(4, 3), rotation=(90,))
    info = probe(clip)
    assert (info.width, info.height, info.sample_aspect) == (96, 128, Fraction(3, 4))
    assert info.display_size == (96, 171)


def test_part_of_a_clip_keeps_its_numbers_and_times(tmp_path):
    clip = encoded(tmp_path / "a.mp4", [yuv420(patches() / 255, "smpte170m", full=False) for _ in range(12)])
    whole = list(read_frames(clip))
    part = list(read_frames(clip, start=Fraction(3, 25), stop=Fraction(7, 25)))
    assert [frame.number for frame in part] == [3, 4, 5, 6]
    assert [frame.seconds for frame in whole] == [Fraction(number, 25) for number in range(12)]
    assert all(np.array_equal(one.rgb, whole[one.number].rgb) and one.pts == whole[one.number].pts for one in part)


def interlaced(path: Path, count: int) -> Path:
    """A white bar that moves 8 pixels a field, top field first, as interlaced MPEG-2."""
    frames = []
    for number in range(count):
        luma = np.full((96, 192), 40, np.uint8)
        for field in range(2):
            left = 8 * (2 * number + field)
            luma[field::2, left : left + 32] = 200
        frames.append(planar([luma, np.full((48, 96), 128, np.uint8), np.full((48, 96), 128, np.uint8)], "yuv420p"))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme", "qscale": "2"})
        stream.width, stream.height = 192, 96
        stream.codec_context.bit_rate = 4_000_000
        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_buffer(width=192, height=96, format=av.VideoFormat("yuv420p"), time_base=Fraction(1, 25)),
            graph.add("setfield", "tff"),
            graph.add("buffersink"),
        ).configure()
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.vpush(frame)
            output.mux(stream.encode(graph.vpull()))
        output.mux(stream.encode(None))
    return path


def combing(rgb: np.ndarray) -> float:
    """Mean difference of a row to the mean of its neighbours."""
    luma = rgb.astype(float).mean(axis=2)
    return float(np.abs(luma[1:-1] - (luma[:-2] + luma[2:]) / 2).mean())


def raw(path: Path) -> list[tuple[int, np.ndarray]]:
    """(pts, rgb) of what the decoder gives, nothing applied."""
    with av.open(str(path)) as container:
        return [(frame.pts, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


@pytest.mark.parametrize("count", [1, 2, 8])
def test_interlaced_frames_lose_their_combs_but_not_their_times(tmp_path, count):
    clip = interlaced(tmp_path / "a.mp4", count)
    before, after = raw(clip), list(read_frames(clip))
    assert probe(clip).interlaced
    assert [frame.pts for frame in after] == [pts for pts, _ in before]
    if count > 2:
        middle = count // 2
        assert combing(after[middle].rgb) < 0.2 * combing(before[middle][1])


def test_a_picture_that_changes_its_size_is_scaled_to_the_first(tmp_path):
    parts = b""
    for scale in (2, 1):
        frame = yuv420(patches(16 * scale) / 255, "smpte170m", full=False)
        parts += encoded(tmp_path / f"{scale}.ts", [frame] * 3, "mpeg2video").read_bytes()
    clip = tmp_path / "both.ts"
    clip.write_bytes(parts)
    frames = list(read_frames(clip))
    assert len(frames) == len(raw(clip)) >= 5 and all(frame.rgb.shape == (96, 128, 3) for frame in frames)
    assert np.abs(centres(frames[-1].rgb) - PATCHES).max() < 40
    times = [frame.pts for frame in frames]
    assert times == sorted(set(times))  # the second part starts its clock anew


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


def test_missing_and_repeated_times_are_repaired_without_drift():
    clock = Clock(Fraction(1000 * 1001, 30000), Fraction(1000))
    assert [clock.stamp(None) for _ in range(31)][::10] == [0, 334, 667, 1001]
    clock = Clock(Fraction(40), Fraction(1000))
    assert [clock.stamp(pts) for pts in (0, 40, 40, 80, None, 160)] == [0, 40, 41, 80, 120, 160]
    assert [clock.stamp(pts) for pts in (100_000, 0, 40)] == [100_000, 100_040, 100_080]


def test_a_stream_without_any_times_gets_them_from_its_rate(tmp_path):
    frames = [yuv420(patches() / 255, "smpte170m", full=False) for _ in range(6)]
    clip = encoded(tmp_path / "a.h264", frames)
    assert [frame.seconds for frame in read_frames(clip)] == [Fraction(number, 25) for number in range(6)]


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


@needs_clips
def test_broadcast_combs_are_gone():
    clip = AWKWARD / "face_interlaced.ts"
    before, after = raw(clip), [(frame.pts, frame.rgb) for frame in read_frames(clip)]
    assert [pts for pts, _ in after] == [pts for pts, _ in before]
    assert combing(after[40][1]) < combing(before[40][1])


def test_frames_are_let_go_as_they_are_read(tmp_path: Path) -> None:
    """Nothing waits for the collector of cycles: memory is flat in the length of the clip."""
    path = tmp_path / "clip.mp4"
    write_frames(path, [np.full((32, 32, 3), 5 * n, np.uint8) for n in range(40)], sound=False)
    gc.collect()
    gc.disable()
    try:
        for _ in read_frames(path):
            held = sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())
    finally:
        gc.enable()
    assert held < 6
