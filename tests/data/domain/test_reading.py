"""Pictures of every kind are read as people see them, and what is not taken is counted and named."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from data.domain.pictures import left_out, pictures_in, read_picture
from data.domain.reading import HEIF, SUFFIXES, Reading, bits_used
from data.domain.sources import open_source
from data.errors import PictureError

GREY = np.tile(np.linspace(20, 230, 64).astype(np.uint8)[None, :, None], (48, 1, 3))


def write(path: Path, picture: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix.replace(".jfif", ".jpg"), picture)[1].tobytes())
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".jfif", ".png", ".webp", ".avif", ".jp2", ".gif", ".tif", ".bmp", ".pgm"])
def test_every_kind_shows_the_same(tmp_path, suffix):
    stored = GREY[..., 0] if suffix == ".pgm" else GREY
    read = read_picture(write(tmp_path / f"a{suffix}", stored))
    assert read.shape == GREY.shape  # blurred, for a GIF of few colours is dithered
    assert np.abs(cv2.blur(read, (9, 9)).astype(int) - cv2.blur(GREY, (9, 9))).mean() < 6


@pytest.mark.parametrize("background", [(255, 255, 255), (10, 200, 30)])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_what_is_transparent_shows_the_background_and_not_what_hides_there(tmp_path, suffix, background):
    picture = np.dstack([GREY, np.zeros(GREY.shape[:2], np.uint8)])
    picture[..., :3] = (255, 0, 255)
    picture[:24, :, 3] = 255
    picture[24:36, :, 3] = 128
    path = tmp_path / f"a{suffix}"
    path.write_bytes(cv2.imencode(suffix, picture, [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else [])[1])
    read = Reading(background=background).picture(path)
    assert np.abs(read[36:].astype(int) - background).max() <= 1
    assert np.abs(read[:24].astype(int) - (255, 0, 255)).max() <= 1
    half = (np.array((255, 0, 255)) * 128 + np.array(background) * 127) / 255
    assert np.abs(read[24:36] - half).max() <= 2


@pytest.mark.parametrize(("bits", "found"), [(8, 8), (10, 10), (11, 12), (12, 12), (14, 14), (16, 16)])
def test_the_bits_that_a_folder_uses_are_full_scale(tmp_path, bits, found):
    """One range for all of a folder: a dark picture stays darker than a bright one."""
    ramp = np.linspace(0, 2**bits - 1, 64).round().astype(np.uint16)
    paths = [write(tmp_path / f"{n}.png", np.tile(ramp // (1 + n), (48, 1))) for n in range(2)]
    reading = Reading(bits=bits_used(paths, Reading()))
    assert reading.bits == found
    bright, dark = (reading.picture(path).astype(int) for path in paths)
    assert bright.max() >= 255 * (2**bits - 1) // (2**found - 1) and abs(bright.max() / 2 - dark.max()) <= 1
    source = open_source(tmp_path)
    assert np.array_equal(next(source.frames()).rgb, bright)
    assert bool(source.notes()) == (found < 16)


def test_pictures_of_8_bits_beside_deep_ones_change_nothing(tmp_path):
    ramp = np.tile(np.linspace(0, 4095, 64).astype(np.uint16), (48, 1))
    paths = [write(tmp_path / "1.png", (ramp // 16).astype(np.uint8)), write(tmp_path / "2.png", ramp)]
    paths.append(write(tmp_path / "3.jpg", GREY))
    assert bits_used(paths, Reading()) == 12 and bits_used(paths[::2], Reading()) == 16
    small, deep, _ = (frame.rgb.astype(int) for frame in open_source(tmp_path).frames())
    assert np.abs(small - deep).max() <= 1


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header alone promises that size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_giant_is_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "giant.png"
    path.write_bytes(png_of(60_000, 60_000))
    with pytest.raises(PictureError, match=r"giant\.png: more than 256 megapixels; .*--most-megapixels"):
        read_picture(path)
    small = write(tmp_path / "a.png", np.zeros((1100, 1000, 3), np.uint8))
    with pytest.raises(PictureError, match="more than 1 megapixels"):
        Reading(most_megapixels=1).picture(small)
    assert Reading(most_megapixels=2).picture(small).shape == (1100, 1000, 3)


def test_heic(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="needs pip install -e '.[heif]'")
    path, glass = tmp_path / "a.heic", tmp_path / "b.heif"
    heif.from_pillow(Image.fromarray(GREY)).save(path, quality=95)
    assert np.abs(read_picture(path).astype(int) - GREY).mean() < 3
    shade = np.dstack([GREY, np.full(GREY.shape[:2], 128, np.uint8)])
    heif.from_pillow(Image.fromarray(shade)).save(glass, quality=95)
    assert np.abs(read_picture(glass).astype(int) - (GREY.astype(int) + 255) // 2).mean() < 4
    large = tmp_path / "large.heic"
    heif.from_pillow(Image.new("RGB", (1100, 1000))).save(large)
    with pytest.raises(PictureError, match="more than 1 megapixels"):
        Reading(most_megapixels=1).picture(large)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(PictureError, match="not a picture that can be read"):
        read_picture(path)


def test_sub_folders_are_read_and_the_rest_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("data.domain.pictures.SUFFIXES", SUFFIXES - HEIF)  # as without the library
    for name in ("10.png", "2.png", "more/1.png", ".hidden/x.png"):
        write(tmp_path / name, GREY)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "more" / "x.heic").write_bytes(b"")
    assert [str(path.relative_to(tmp_path)) for path in pictures_in(tmp_path, deep=True)] == [
        "2.png",
        "10.png",
        "more/1.png",
    ]
    assert [name.split(" (")[0] for name in left_out(tmp_path)] == ["more/x.heic", "notes.txt"]
    (note,) = open_source(tmp_path).notes()
    assert "2 left out" in note and "notes.txt (no picture)" in note and ".[heif]" in note


def test_reported_folders(shared):
    reported = shared / "clips" / "reported"
    assert len(list(open_source(reported / "photo_kinds" / "trainA", single=True).frames())) >= 7
    bright = next(open_source(reported / "gray_12_in_16").frames()).rgb
    assert bright.max() > 240
    source = open_source(reported / "alpha_cutouts")
    assert source.notes() == [f"{reported / 'alpha_cutouts'}: what is transparent lies on #ffffff"]
    cut_out = next(source.frames()).rgb
    assert np.array_equal(cut_out[0, 0], (255, 255, 255))
