"""Interlaced frames lose their combs but not their times."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from data.video.reader import probe, read_frames
from tests.data.video.drawn import AWKWARD, needs_clips, planar, raw


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


@pytest.mark.parametrize("count", [1, 2, 8])
def test_interlaced_frames_lose_their_combs_but_not_their_times(tmp_path, count):
    clip = interlaced(tmp_path / "a.mp4", count)
    before, after = raw(clip), list(read_frames(clip))
    assert probe(clip).interlaced
    assert [frame.pts for frame in after] == [pts for pts, _ in before]
    if count > 2:
        middle = count // 2
        assert combing(after[middle].rgb) < 0.2 * combing(before[middle][1])


@needs_clips
def test_broadcast_combs_are_gone():
    clip = AWKWARD / "face_interlaced.ts"
    before, after = raw(clip), [(frame.pts, frame.rgb) for frame in read_frames(clip)]
    assert [pts for pts, _ in after] == [pts for pts, _ in before]
    assert combing(after[40][1]) < combing(before[40][1])
