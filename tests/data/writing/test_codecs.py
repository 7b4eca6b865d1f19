"""Every codec: frames leave at their times, untouched planes as well as it can, HDR as HDR where that is asked."""

import dataclasses
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from data.errors import SettingsError
from data.video.hdr import HDR_TRANSFERS, hdr_to_sdr, sdr_to_hdr
from data.video.planes import planes_of
from data.video.reader import probe, read_frames
from data.writing.codecs import CODECS, Encoding
from data.writing.encode import VideoWriter
from tests.data.video.drawn import encoded, planar
from tests.media import portrait, write_frames

# Also of ffv1, which keeps every plane: it does not say where chroma stands between the pixels.
LEAST_DB = {"h264": 34, "hevc": 34, "av1": 33, "prores": 38, "ffv1": 45}


def smooth(pixels: str, number: int) -> av.VideoFrame:
    """A moving ramp of that format's own depth."""
    top = 1023 if pixels.endswith("10le") else 255
    luma = (np.add.outer(np.arange(96), np.arange(128)) * top / 300 + 9 * number).clip(0, top)
    chroma = luma if "444" in pixels else luma[::2, ::2] if "420" in pixels else luma[:, ::2]
    return planar([plane.astype("<u2" if top > 255 else "u1") for plane in (luma, chroma, top - chroma)], pixels)


def planes_in(path: Path) -> list[list[np.ndarray]]:
    with av.open(str(path)) as container:
        return [[plane.copy() for plane in planes_of(frame)] for frame in container.decode(video=0)]


def rewritten(source: Path, output: Path, encoding: Encoding) -> None:
    with VideoWriter(output, source=probe(source), audio_from=source, encoding=encoding) as writer:
        for frame in read_frames(source):
            writer.write(frame)


@pytest.mark.parametrize("codec", CODECS)
def test_frames_leave_at_their_times_and_look_the_same(tmp_path, codec):
    source, new = tmp_path / "a.mp4", tmp_path / f"b{CODECS[codec].suffix}"
    write_frames(source, [portrait(n / 25, 128) for n in range(12)], Fraction(30000, 1001))
    rewritten(source, new, Encoding(codec))
    before, after = list(read_frames(source)), list(read_frames(new))
    exact = CODECS[codec].suffix != ".mkv"  # Matroska counts milliseconds
    assert [f.seconds for f in after] == (
        [f.seconds for f in before] if exact else [Fraction(round(f.seconds * 1000), 1000) for f in before]
    )
    for one, other in zip(before, after, strict=True):
        error = ((one.rgb.astype(float) - other.rgb) ** 2).mean()
        assert 10 * np.log10(255**2 / error) >= LEAST_DB[codec], codec
    with av.open(str(new)) as container:
        assert len(container.streams.audio) == 1
        assert container.streams.video[0].codec_context.codec.canonical_name == codec


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv422p10le", "yuv444p10le"])
def test_ffv1_keeps_every_bit_of_every_format(tmp_path, pixels):
    source = encoded(tmp_path / "a.mkv", [smooth(pixels, n) for n in range(3)], "ffv1")
    rewritten(source, tmp_path / "b.mkv", Encoding("ffv1"))
    before, after = planes_in(source), planes_in(tmp_path / "b.mkv")
    assert len(before) == 3
    for one, other in zip(before, after, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_prores_tells_the_colours_of_an_untagged_source(tmp_path):
    """Without a matrix it would be taken for BT.709."""
    source = encoded(tmp_path / "a.mp4", [smooth("yuv420p", 0)])
    rewritten(source, tmp_path / "b.mov", Encoding("prores"))
    assert probe(tmp_path / "b.mov").colour["space"] == "smpte170m"
    one, other = (next(read_frames(path)).rgb.astype(int) for path in (source, tmp_path / "b.mov"))
    assert np.abs(one - other).mean() < 1.5


def test_more_quality_is_more_bytes(tmp_path):
    source = tmp_path / "a.mp4"
    write_frames(source, [portrait(n / 25, 128) for n in range(6)])
    for codec in ("h264", "hevc", "av1", "prores"):
        sizes = []
        for quality in (20, 75, 95):
            new = tmp_path / f"{codec}{quality}{CODECS[codec].suffix}"
            rewritten(source, new, Encoding(codec, quality))
            sizes.append(new.stat().st_size)
        assert sizes == sorted(set(sizes)), codec


@pytest.mark.parametrize("transfer", HDR_TRANSFERS)
def test_what_was_made_from_hdr_becomes_hdr_again(transfer):
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    error = np.abs(hdr_to_sdr(sdr_to_hdr(rgb, transfer), transfer).astype(int) - rgb)
    assert error.mean() < 0.02 and np.quantile(error, 0.999) <= 1


@pytest.mark.parametrize(("trc", "name"), [(16, "smpte2084"), (18, "arib-std-b67")])
def test_kept_hdr_is_the_source_where_nothing_changed_and_the_change_elsewhere(tmp_path, trc, name):
    tags = {"color_trc": trc, "colorspace": 9, "color_primaries": 9, "color_range": 1}
    source = encoded(tmp_path / "a.mp4", [smooth("yuv420p10le", 0)], **tags)
    new, info, frame = tmp_path / "b.mkv", probe(source), next(read_frames(source))
    rgb = frame.rgb.copy()
    rgb[20:60, 32:80] = (180, 60, 90)
    with VideoWriter(new, source=info, encoding=Encoding("ffv1", keep_hdr=True)) as writer:
        writer.write(dataclasses.replace(frame, rgb=rgb))
    told = probe(new)
    assert (told.pixel_format, told.colour) == ("yuv420p10le", info.colour) and told.colour["transfer"] == name
    for before, after in zip(planes_in(source)[0], planes_in(new)[0], strict=True):
        step = 96 // before.shape[0]
        outside = np.ones(before.shape, bool)
        outside[20 // step : 60 // step, 32 // step : 80 // step] = False
        assert np.array_equal(before[outside], after[outside])
    seen = next(read_frames(new)).rgb.astype(int)
    assert np.abs(seen[24:56, 36:76] - (180, 60, 90)).max() <= 2


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_hdr_that_is_kept_is_tagged(tmp_path, codec):
    tags = {"color_trc": 16, "colorspace": 9, "color_primaries": 9, "color_range": 1}
    source = encoded(tmp_path / "a.mp4", [smooth("yuv420p10le", n) for n in range(2)], **tags)
    rewritten(source, tmp_path / "b.mp4", Encoding(codec, keep_hdr=True))
    told = probe(tmp_path / "b.mp4")
    assert told.pixel_format == "yuv420p10le"
    assert told.colour == probe(source).colour


def test_what_a_codec_cannot_hold_is_refused_beforehand(tmp_path):
    odd = tmp_path / "odd.mp4"
    encoded(odd, [planar([np.full((33, 65), 90, np.uint8)] * 3, "yuv444p")] * 2)
    for encoding, path, words in (
        (Encoding("av1"), "b.mp4", "below 64"),
        (Encoding("prores"), "b.mp4", "end its name in .mov"),
        (Encoding("hevc"), "b.mp4", "below 64"),
        (Encoding("ffv1", 50), "b.mkv", "loses nothing"),
        (Encoding("h264", 101), "b.mp4", "0 to 100"),
    ):
        with (
            pytest.raises(SettingsError, match=words),
            VideoWriter(tmp_path / path, source=probe(odd), encoding=encoding) as writer,
        ):
            for frame in read_frames(odd):
                writer.write(frame)
    assert {path.name for path in tmp_path.iterdir()} == {"odd.mp4"}
