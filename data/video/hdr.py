"""Between the light of HDR pictures and the 8-bit SDR R'G'B' that this program works on, both ways."""

import functools
import math

import cv2
import numpy as np

HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
REFERENCE_WHITE_NITS = 203.0  # BT.2408: diffuse white of HDR programmes; the light of a full SDR screen
PEAK_NITS = 1000.0  # what HLG is defined for and most PQ programmes are graded to; brighter is clipped
MAX_NITS = 10000.0  # of PQ
BT2020_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)  # BT.2087, inverse of its matrix M2
BT2020_LUMA = np.array([[0.2627, 0.6780, 0.0593]])
PQ_M1, PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
PQ_C1, PQ_C2, PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
HLG_A = 0.17883277
HLG_B, HLG_C = 1 - 4 * HLG_A, 0.5 - HLG_A * math.log(4 * HLG_A)  # BT.2100

CODES = np.arange(65536) / 65535
_ROWS = 32


def hdr_to_sdr(signal: np.ndarray, transfer: str) -> np.ndarray:
    """(height, width, 3) uint16 full-range BT.2020 R'G'B' to uint8 SDR BT.709.

    `transfer` is "smpte2084" (PQ) or "arib-std-b67" (HLG). First to light on the screen (ST 2084, or BT.2100 HLG with
    the OOTF of a 1000-nit screen). The brightest of R, G, B is bent by the EETF of BT.2390 from PEAK_NITS to
    REFERENCE_WHITE_NITS and the other two follow in proportion, so that the hue stays. BT.2020 to BT.709 primaries,
    clipped; then the inverse of BT.1886's gamma 2.4.

    All by tables over 16 bits, a strip of rows at a time, which a processor's cache holds: at most one code of 8 bits
    beside the formulas.
    """
    made = np.empty(signal.shape, np.uint8)
    for top in range(0, len(signal), _ROWS):
        strip = np.ascontiguousarray(signal[top : top + _ROWS])
        light, factor = _light_of(strip, transfer)
        linear = cv2.multiply(cv2.transform(light, BT2020_TO_BT709), cv2.merge([factor] * 3))
        made[top : top + _ROWS] = _looked_up(_root_codes(linear), _gamma_table())
    return made


def _light_of(signal: np.ndarray, transfer: str) -> tuple[np.ndarray, np.ndarray]:
    """(height, width, 3) float32 light of some unit, and the factor (height, width) that makes it that of an SDR screen
    of one."""
    if transfer == "smpte2084":
        red, green, blue = cv2.split(signal)
        brightest = cv2.max(cv2.max(red, green), blue)
        return _looked_up(signal, _pq_table()), _looked_up(brightest, _pq_bend_table())
    scene = _looked_up(signal, _hlg_table())
    red, green, blue = cv2.split(scene)
    luma = _root_codes(cv2.transform(scene, BT2020_LUMA))
    gain = _looked_up(luma, _ootf_table())
    nits = cv2.multiply(cv2.max(cv2.max(red, green), blue), gain)
    return scene, cv2.multiply(gain, _looked_up(_root_codes(nits / MAX_NITS), _bend_table()))


def sdr_to_hdr(rgb: np.ndarray, transfer: str) -> np.ndarray:
    """(height, width, 3) uint8 SDR BT.709 to uint16 full-range BT.2020 R'G'B': what `hdr_to_sdr` made it from.

    transfer: as there. What that clipped, beyond PEAK_NITS or outside BT.709, does not come back.
    """
    light = cv2.transform(_light_table()[rgb], np.linalg.inv(BT2020_TO_BT709))
    brightest = cv2.max(cv2.max(light[..., 0], light[..., 1]), light[..., 2])
    nits = np.maximum(light, 0) * _unbend_table()[_root_code(brightest)][..., None]
    if transfer == "smpte2084":
        return np.rint(_nits_to_pq(nits) * 65535).astype(np.uint16)
    screen = np.clip(nits / PEAK_NITS, 0, 1)
    luma = cv2.transform(screen, BT2020_LUMA)
    scene = screen / np.maximum(luma, 1e-9)[..., None] ** (1 - 1 / 1.2)
    return np.interp(np.sqrt(np.minimum(scene, 1)), np.sqrt(_hlg_table()), CODES * 65535).round().astype(np.uint16)


def _root_code(values: np.ndarray) -> np.ndarray:
    """float32 in [0, 1] (clipped) to uint16 by its square root: a table over these codes is fine near black too."""
    return np.rint(cv2.sqrt(np.clip(values, 0, 1)) * 65535).astype(np.uint16)


def _root_codes(values: np.ndarray) -> np.ndarray:
    """As `_root_code`, in OpenCV's time."""
    return cv2.multiply(cv2.sqrt(np.maximum(values, 0)), 65535.0, dtype=cv2.CV_16U)  # type: ignore[call-overload]  # saturates


def _looked_up(codes: np.ndarray, table: np.ndarray) -> np.ndarray:
    """`table[codes]`, uint16 codes; three times as fast where OpenCV looks up 16 bits."""
    return cv2.LUT(codes, table) if _looks_up_16_bits() else table[codes]


@functools.cache
def _looks_up_16_bits() -> bool:
    """Older versions do 8 bits only."""
    try:
        return cv2.LUT(np.array([[7]], np.uint16), CODES.astype(np.float32)).dtype == np.float32
    except cv2.error:
        return False


@functools.cache
def _pq_table() -> np.ndarray:
    """SMPTE ST 2084 EOTF, 16-bit code to cd/m2."""
    power = CODES ** (1 / PQ_M2)
    return (MAX_NITS * (np.maximum(power - PQ_C1, 0) / (PQ_C2 - PQ_C3 * power)) ** (1 / PQ_M1)).astype(np.float32)


@functools.cache
def _hlg_table() -> np.ndarray:
    """BT.2100 HLG inverse OETF, 16-bit code to scene light in [0, 1]."""
    light = (np.exp((CODES - HLG_C) / HLG_A) + HLG_B) / 12
    return np.where(CODES <= 0.5, CODES**2 / 3, light).astype(np.float32)


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
def _pq_bend_table() -> np.ndarray:
    """PQ code of the brightest to the factor on light."""
    return _bend_table()[_root_code(_pq_table() / MAX_NITS)]


@functools.cache
def _ootf_table() -> np.ndarray:
    """Root code of a scene's luma to nits of an HLG screen over scene light."""
    return (PEAK_NITS * CODES**0.4).astype(np.float32)


@functools.cache
def _unbend_table() -> np.ndarray:
    """Root code of the brightest of an SDR picture's light to the factor that makes it nits: `_bend_table` undone."""
    nits = CODES**2 * PEAK_NITS
    bent = nits * _bend_table()[np.rint(np.sqrt(nits / MAX_NITS) * 65535).astype(int)]
    light = CODES**2
    back = np.interp(light, np.maximum.accumulate(bent), nits)
    return np.where(light > 0, back / np.maximum(light, 1e-12), REFERENCE_WHITE_NITS).astype(np.float32)


@functools.cache
def _light_table() -> np.ndarray:
    """8-bit SDR signal to the light of a BT.1886 screen."""
    return ((np.arange(256) / 255) ** 2.4).astype(np.float32)


@functools.cache
def _gamma_table() -> np.ndarray:
    """Root code of light to the 8-bit signal that a BT.1886 screen shows as that light."""
    return np.rint(CODES ** (2 / 2.4) * 255).astype(np.uint8)


def _nits_to_pq(nits: np.ndarray) -> np.ndarray:
    power = (nits / MAX_NITS) ** PQ_M1
    return ((PQ_C1 + PQ_C2 * power) / (1 + PQ_C3 * power)) ** PQ_M2
