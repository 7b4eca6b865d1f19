"""Between what a decoder gives and the one kind of picture this program works on: 8-bit full-range R'G'B'.

Matrix and range are honoured as tagged. An untagged picture is taken as `assumed_matrix` has it, limited range. PQ
and HLG pictures are brought to SDR (data.video.hdr).
"""

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from data.video.hdr import HDR_TRANSFERS, hdr_to_sdr

RANGES = {0: "unspecified", 1: "tv", 2: "pc"}
MATRICES = {
    0: "gbr", 1: "bt709", 2: "unspecified", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco",
    9: "bt2020nc", 10: "bt2020c", 14: "ictcp",
}  # fmt: skip
PRIMARIES = {
    1: "bt709", 2: "unspecified", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
    10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 2: "unspecified", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100",
    10: "log316", 11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12",
    16: "smpte2084", 17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip

LIMITED, FULL = 1, 2
# swscale's own numbers of the matrices it can apply (SWS_CS_*).
SWSCALE_MATRICES = {
    "bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 5, "smpte240m": 7, "bt2020nc": 9, "bt2020c": 9,
}  # fmt: skip
# Chroma is interpolated instead of repeated, rounding is exact, nothing depends on the processor's vector unit.
_EXACT = Interpolation.ACCURATE_RND | Interpolation.BITEXACT
READING = Interpolation.BILINEAR | Interpolation.FULL_CHR_H_INT | _EXACT
WRITING = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INP | _EXACT


def colour_of(frame: av.VideoFrame) -> dict[str, str]:
    """FFmpeg's names of a decoded frame's range, space, primaries and transfer; "unspecified" where untagged."""
    colour_range = RANGES.get(frame.color_range, "unspecified")
    if frame.format.name.startswith("yuvj"):
        colour_range = "pc"
    return {
        "range": colour_range,
        "space": MATRICES.get(frame.colorspace, "unspecified"),
        "primaries": PRIMARIES.get(frame.color_primaries, "unspecified"),
        "transfer": TRANSFERS.get(frame.color_trc, "unspecified"),
    }


def number_of(names: dict[int, str], name: str) -> int:
    """FFmpeg's number of a colour tag; 2 is its "unspecified"."""
    return next((number for number, known in names.items() if known == name), 2)


def assumed_matrix(width: int, height: int) -> str:
    """The matrix of an untagged picture: BT.709 from 1280 pixels of width or more than 576 lines on, BT.601 below.

    That is libplacebo's rule, which mpv and VLC show by (`pl_color_system_guess_ycbcr`: "typical HD content"); here the
    longer side is the width, so that turning a picture changes nothing. No standard says it. FFmpeg's own scaler takes
    BT.601 for all, browsers mostly go by the height alone: see `doubtful_matrix`.
    """
    return "bt709" if max(width, height) >= 1280 or min(width, height) > 576 else "smpte170m"


def doubtful_matrix(colour: dict[str, str], width: int, height: int) -> bool:
    """Whether players disagree on the colours of a picture: untagged, as wide as HD, and as low as SD."""
    untagged = colour.get("space", "unspecified") == "unspecified" and colour.get("primaries") in (None, "unspecified")
    return untagged and max(width, height) >= 1280 and min(width, height) <= 576


def matrix_of(colour: dict[str, str], width: int, height: int) -> str:
    """The matrix a picture is read with: the tagged one where swscale knows it, else the assumed one."""
    return colour["space"] if colour["space"] in SWSCALE_MATRICES else assumed_matrix(width, height)


class ToRgb:
    """Turns decoded frames into (height, width, 3) uint8 R'G'B'."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(
        self,
        frame: av.VideoFrame,
        colour: dict[str, str],
        size: tuple[int, int],
        *,
        of: tuple[int, int] | None = None,
    ) -> np.ndarray:
        """`colour` as `colour_of` gives it; `size` is (width, height) to scale to. of: size of the picture that it is
        a part of."""
        if colour["space"] == "ycgco":  # swscale has no such matrix
            return self._ycgco(frame, colour, size)
        hdr = colour["transfer"] in HDR_TRANSFERS
        matrix = SWSCALE_MATRICES[matrix_of(colour, *(of or (frame.width, frame.height)))]
        pixels = self._reformatter.reformat(
            frame,
            *size,
            "gbrp16le" if hdr else "rgb24",  # rgb48le comes out wrong with full chroma interpolation
            src_colorspace=matrix,
            src_color_range=FULL if colour["range"] == "pc" or frame.format.is_rgb else LIMITED,
            dst_colorspace=matrix,
            dst_color_range=FULL,
            interpolation=READING,
            threads=1,
        ).to_ndarray()
        return hdr_to_sdr(pixels, colour["transfer"]) if hdr else pixels

    def _ycgco(self, frame: av.VideoFrame, colour: dict[str, str], size: tuple[int, int]) -> np.ndarray:
        """H.273, matrix coefficients 8, equations 44 to 47: chroma planes hold Cg and Co."""
        full = FULL if colour["range"] == "pc" else LIMITED
        stored = self._reformatter.reformat(
            frame,
            *size,
            "yuv444p",
            src_colorspace=SWSCALE_MATRICES["bt709"],  # to and from the same: nothing but chroma is scaled
            src_color_range=full,
            dst_colorspace=SWSCALE_MATRICES["bt709"],
            dst_color_range=full,
            interpolation=READING,
            threads=1,
        )
        luma, green, orange = stored.to_ndarray().astype(np.float32)
        if full == LIMITED:
            luma, green, orange = (luma - 16) * 255 / 219, (green - 128) * 255 / 224, (orange - 128) * 255 / 224
        else:
            green, orange = green - 128, orange - 128
        rest = luma - green
        return np.rint(np.clip(np.stack([rest + orange, luma + green, rest - orange], -1), 0, 255)).astype(np.uint8)


def from_rgb(
    rgb: np.ndarray, pixels: str, matrix: str, colour_range: int, reformatter: VideoReformatter
) -> av.VideoFrame:
    """(height, width, 3) uint8 or uint16 full-range R'G'B' as a frame of pixel format `pixels`, by that matrix."""
    given = "rgb24" if rgb.dtype == np.uint8 else "gbrp16le"
    return reformatter.reformat(
        av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), given),
        format=pixels,
        src_colorspace=SWSCALE_MATRICES[matrix],
        src_color_range=FULL,
        dst_colorspace=SWSCALE_MATRICES[matrix],
        dst_color_range=colour_range,
        interpolation=WRITING,
        threads=1,
    )


def in_format(picture: av.VideoFrame, pixels: str, colour_range: int, reformatter: VideoReformatter) -> av.VideoFrame:
    """YUV of one pixel format as YUV of another: depth and chroma change, colours do not."""
    same = SWSCALE_MATRICES["bt709"]
    return reformatter.reformat(
        picture,
        format=pixels,
        src_colorspace=same,
        src_color_range=colour_range,
        dst_colorspace=same,
        dst_color_range=colour_range,
        interpolation=WRITING,
        threads=1,
    )
