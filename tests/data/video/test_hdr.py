"""HDR to SDR by tables against the formulas of the standards, written out in float64."""

import numpy as np
import pytest

from data.video.hdr import hdr_to_sdr

M1, M2, C1, C2, C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
TO_BT709 = [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]


def pq(nits: np.ndarray) -> np.ndarray:
    power = (nits / 1e4) ** M1
    return ((C1 + C2 * power) / (1 + C3 * power)) ** M2


def pq_light(signal: np.ndarray) -> np.ndarray:
    power = signal ** (1 / M2)
    return 1e4 * (np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1)


def hlg_light(signal: np.ndarray) -> np.ndarray:
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return 1000 * scene * (scene @ [0.2627, 0.6780, 0.0593])[..., None] ** 0.2


def formula(codes: np.ndarray, transfer: str) -> np.ndarray:
    """What `hdr_to_sdr` says it does, without a table: 0 to 255, not rounded."""
    nits = (pq_light if transfer == "smpte2084" else hlg_light)(codes / 65535)
    brightest = np.maximum(nits.max(-1), 1e-6)
    peak = pq(np.array(1000.0))
    target = pq(np.array(203.0)) / peak
    x, knee = np.minimum(pq(brightest) / peak, 1), 1.5 * target - 0.5  # BT.2390, EETF
    t = np.maximum(x - knee, 0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * target
    bent = np.where(x < knee, brightest, pq_light(spline * peak))
    linear = nits * (bent / brightest / 203)[..., None] @ np.transpose(TO_BT709)
    return 255 * np.clip(linear, 0, 1) ** (1 / 2.4)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_no_colour_is_more_than_one_code_off(transfer):
    rng = np.random.default_rng(0)
    greys = np.repeat(np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64, 1), 3, axis=2)
    colours = rng.integers(0, 65536, (128, 64, 3)).astype(np.uint16)
    dark = rng.integers(0, 4096, (61, 64, 3)).astype(np.uint16)  # and a height that no strip divides
    codes = np.concatenate([greys, colours, dark])
    assert np.abs(hdr_to_sdr(codes, transfer) - formula(codes, transfer)).max() < 1.0
