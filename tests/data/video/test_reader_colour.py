"""Colours as their tags say, ten bits, HDR against its formulas."""

import numpy as np
import pytest

from data.domain.sources import open_source
from data.video.colour import MATRICES, TRANSFERS
from data.video.hdr import BT2020_TO_BT709, HDR_TRANSFERS, hdr_to_sdr
from data.video.reader import probe, read_frames
from tests.data.video.drawn import PATCHES, centres, encoded, number_of, patches, planar, yuv420


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


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p"])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
def test_ycgco_is_read_as_tagged(tmp_path, full, pixels):
    red, green, blue = np.moveaxis(patches().astype(float), -1, 0)
    luma, cg, co = (red + 2 * green + blue) / 4, (2 * green - red - blue) / 4, (red - blue) / 2
    planes = [luma, cg + 128, co + 128] if full else [16 + luma * 219 / 255, 128 + cg * 224 / 255, 128 + co * 224 / 255]
    planes = [np.rint(np.clip(plane, 0, 255)).astype(np.uint8) for plane in planes]
    shared = [planes[0], *(plane[::2, ::2] for plane in planes[1:])]
    frame = planar(shared if pixels == "yuv420p" else planes, pixels)
    clip = encoded(tmp_path / "a.mp4", [frame], colorspace=8, color_range=2 if full else 1)
    assert probe(clip).colour["space"] == "ycgco"
    assert np.abs(centres(next(read_frames(clip)).rgb) - PATCHES).max() <= 4


@pytest.mark.parametrize(
    ("size", "matrix", "told"),
    [
        ((720, 576), "smpte170m", False), ((1024, 576), "smpte170m", False), ((854, 480), "smpte170m", False),
        ((1280, 720), "bt709", False), ((640, 640), "bt709", False),
        ((1280, 534), "bt709", True), ((534, 1280), "bt709", True),
    ],
)  # fmt: skip
def test_untagged_video_has_the_colours_that_players_take_it_to_have(tmp_path, size, matrix, told):
    """libplacebo's pl_color_system_guess_ycbcr: HD from 1280 pixels of width, or from 577 lines on."""
    shown = np.array([200, 60, 90])
    frame = yuv420(np.broadcast_to(shown / 255, (size[1], size[0], 3)), matrix, full=False)
    clip = encoded(tmp_path / "a.mp4", [frame])
    assert np.abs(next(read_frames(clip)).rgb[100, 100].astype(int) - shown).max() <= 3
    assert bool(open_source(clip).notes()) == told
