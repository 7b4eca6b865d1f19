"""Clips drawn for reading: planes in known colours, encoded without visible loss."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

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


def raw(path: Path) -> list[tuple[int, np.ndarray]]:
    """(pts, rgb) of what the decoder gives, nothing applied."""
    with av.open(str(path)) as container:
        return [(frame.pts, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
