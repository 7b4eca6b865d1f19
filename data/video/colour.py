"""Between what a decoder gives and the one kind of picture this program works on: 8-bit full-range R'G'B'.

Matrix and range are honoured as tagged. An untagged picture is taken as BT.601 where its shorter side is at most 576
and as BT.709 above, limited range, as players do. PQ and HLG pictures are brought to SDR by `hdr_to_sdr`.
"""

import functools
import math

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

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

HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
LIMITED, FULL = 1, 2
# swscale's own numbers of the matrices it can apply (SWS_CS_*).
SWSCALE_MATRICES = {
    "bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 5, "smpte240m": 7, "bt2020nc": 9, "bt2020c": 9,
}  # fmt: skip
# Chroma is interpolated instead of repeated, rounding is exact, nothing depends on the processor's vector unit.
_EXACT = Interpolation.ACCURATE_RND | Interpolation.BITEXACT
READING = Interpolation.BILINEAR | Interpolation.FULL_CHR_H_INT | _EXACT
WRITING = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INP | _EXACT

REFERENCE_WHITE_NITS = 203.0  # BT.2408: diffuse white of HDR programmes; the light of a full SDR screen
PEAK_NITS = 1000.0  # what HLG is defined for and most PQ programmes are graded to; brighter is clipped
MAX_NITS = 10000.0  # of PQ
BT2020_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)  # BT.2087, inverse of its matrix M2
BT2020_LUMA = np.array([[0.2627, 0.6780, 0.0593]])
PQ_M1, PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
PQ_C1, PQ_C2, PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


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


def assumed_matrix(width: int, height: int) -> str:
    """The matrix of an untagged picture. The shorter side decides, so that turning a picture changes nothing."""
    return "smpte170m" if min(width, height) <= 576 else "bt709"


def matrix_of(colour: dict[str, str], width: int, height: int) -> str:
    """The matrix a picture is read with: the tagged one where swscale knows it, else the assumed one."""
    return colour["space"] if colour["space"] in SWSCALE_MATRICES else assumed_matrix(width, height)


class ToRgb:
    """Turns decoded frames into (height, width, 3) uint8 R'G'B'."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame, colour: dict[str, str], size: tuple[int, int]) -> np.ndarray:
        """`colour` as `colour_of` gives it; `size` is (width, height) to scale to."""
        if colour["space"] == "ycgco":  # swscale has no such matrix
            return self._ycgco(frame, colour, size)
        hdr = colour["transfer"] in HDR_TRANSFERS
        matrix = SWSCALE_MATRICES[matrix_of(colour, frame.width, frame.height)]
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
    """(height, width, 3) uint8 R'G'B' as a frame of pixel format `pixels`, by the matrix of that name."""
    return reformatter.reformat(
        av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24"),
        format=pixels,
        src_colorspace=SWSCALE_MATRICES[matrix],
        src_color_range=FULL,
        dst_colorspace=SWSCALE_MATRICES[matrix],
        dst_color_range=colour_range,
        interpolation=WRITING,
        threads=1,
    )


def hdr_to_sdr(signal: np.ndarray, transfer: str) -> np.ndarray:
    """(height, width, 3) uint16 full-range BT.2020 R'G'B' to uint8 SDR BT.709.

    `transfer` is "smpte2084" (PQ) or "arib-std-b67" (HLG). First to light on the screen (ST 2084, or BT.2100 HLG with
    the OOTF of a 1000-nit screen). The brightest of R, G, B is bent by the EETF of BT.2390 from PEAK_NITS to
    REFERENCE_WHITE_NITS and the other two follow in proportion, so that the hue stays. BT.2020 to BT.709 primaries,
    clipped; then the inverse of BT.1886's gamma 2.4.
    """
    if transfer == "smpte2084":
        nits = _pq_table()[signal]
    else:
        scene = _hlg_table()[signal]
        nits = scene * (PEAK_NITS * cv2.pow(cv2.transform(scene, BT2020_LUMA), 0.2))[..., None]
    brightest = cv2.max(cv2.max(nits[..., 0], nits[..., 1]), nits[..., 2])
    ratio = _bend_table()[_root_code(brightest / MAX_NITS)]
    linear = cv2.transform(nits * ratio[..., None], BT2020_TO_BT709)
    return _gamma_table()[_root_code(linear)]


def _root_code(values: np.ndarray) -> np.ndarray:
    """float32 in [0, 1] (clipped) to uint16 by its square root: a table over these codes is fine near black too."""
    return np.rint(cv2.sqrt(np.clip(values, 0, 1)) * 65535).astype(np.uint16)


CODES = np.arange(65536) / 65535


@functools.cache
def _pq_table() -> np.ndarray:
    """SMPTE ST 2084 EOTF, 16-bit code to cd/m2."""
    power = CODES ** (1 / PQ_M2)
    return (MAX_NITS * (np.maximum(power - PQ_C1, 0) / (PQ_C2 - PQ_C3 * power)) ** (1 / PQ_M1)).astype(np.float32)


@functools.cache
def _hlg_table() -> np.ndarray:
    """BT.2100 HLG inverse OETF, 16-bit code to scene light in [0, 1]."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * math.log(4 * a)
    return np.where(CODES <= 0.5, CODES**2 / 3, (np.exp((CODES - c) / a) + b) / 12).astype(np.float32)


@functools.cache
def _bend_table() -> np.ndarray:
    """Root code of brightness over MAX_NITS to the factor on light: BT.2390's EETF without black lift.

    Linear in PQ below the knee, a Hermite spline above it; then over REFERENCE_WHITE_NITS.
    """
    nits = np.maximum(CODES**2 * MAX_NITS, 1e-6)
    peak = _nits_to_pq(np.array(PEAK_NITS))
    target = _nits_to_pq(np.array(REFERENCE_WHITE_NITS)) / peak
    x = np.minimum(_nits_to_pq(nits) / peak, 1)
    knee = 1.5 * target - 0.5
    t = np.maximum(x - knee, 0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * target
    bent = np.where(x < knee, nits, np.interp(spline * peak, CODES, _pq_table().astype(np.float64)))
    return (bent / nits / REFERENCE_WHITE_NITS).astype(np.float32)


@functools.cache
def _gamma_table() -> np.ndarray:
    """Root code of light to the 8-bit signal that a BT.1886 screen shows as that light."""
    return np.rint(CODES ** (2 / 2.4) * 255).astype(np.uint8)


def _nits_to_pq(nits: np.ndarray) -> np.ndarray:
    power = (nits / MAX_NITS) ** PQ_M1
    return ((PQ_C1 + PQ_C2 * power) / (1 + PQ_C3 * power)) ** PQ_M2
