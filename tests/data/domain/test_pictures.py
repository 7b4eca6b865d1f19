"""Pictures in files: every kind that people have is read upright as 8-bit RGB; sheets hold what they are given."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from data.domain.pictures import (
    captioned,
    encode_jpeg,
    encode_smaller,
    read_picture,
    resize,
    sharpness,
    sheet,
    write_picture,
    write_sheet,
)
from data.errors import MissingInputError, PictureError
from data.world.characters import Pose, draw


def smooth_picture(height: int = 40, width: int = 60) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([4 * x, 5 * y, 255 - 2 * x - 2 * y], axis=2).astype(np.uint8)


def test_a_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    picture = smooth_picture()
    write_picture(tmp_path / "p.jpg", picture)
    assert np.abs(read_picture(tmp_path / "p.jpg").astype(int) - picture).mean() < 1.5


def test_grey_and_sixteen_bit_pictures_become_rgb(tmp_path: Path) -> None:
    grey = smooth_picture()[..., 0]
    cv2.imwrite(str(tmp_path / "8.png"), grey)
    cv2.imwrite(str(tmp_path / "16.png"), grey.astype(np.uint16) * 257)
    for name in ("8.png", "16.png"):
        assert np.array_equal(read_picture(tmp_path / name), np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xd8\xff\xe0" + b"\0" * 20])
def test_what_is_no_picture_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.jpg"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"p\.jpg") as error:
        read_picture(path)
    assert "\n" not in str(error.value)


def test_a_missing_picture_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        read_picture(tmp_path / "none.jpg")


def test_real_portraits_are_read_upright(shared: Path) -> None:
    photos = shared / "clips" / "photos"
    reference = resize(read_picture(photos / "obama_official.jpg"), (600, 750)).astype(float)
    for name in ("portrait_exif_orientation6.jpg", "portrait_gray8.png", "portrait_gray16.png", "portrait_cmyk.jpg"):
        picture = read_picture(photos / name)
        assert picture.shape == (750, 600, 3), name
        likeness = np.corrcoef(picture.mean(2).ravel(), reference.mean(2).ravel())[0, 1]
        assert likeness > 0.98, name


def test_a_sheet_shows_every_cell_where_it_belongs(tmp_path: Path) -> None:
    cells = [[np.full((10, 20, 3), 10 * (3 * r + c), np.uint8) for c in range(3)] for r in range(2)]
    whole = sheet(cells, gap=2)
    assert whole.shape == (2 + 2 * 12, 2 + 3 * 22, 3)
    for r in range(2):
        for c in range(3):
            assert (whole[2 + 12 * r : 12 + 12 * r, 2 + 22 * c : 22 + 22 * c] == 10 * (3 * r + c)).all()
    write_sheet(tmp_path / "s.png", whole)
    assert np.array_equal(read_picture(tmp_path / "s.png"), whole)
    assert [path.name for path in tmp_path.iterdir()] == ["s.png"]


def test_a_caption_leaves_the_picture_as_it_is() -> None:
    picture = smooth_picture()
    marked = captioned(picture, "ünïcode and a long long long line")
    assert np.array_equal(marked[-40:], picture)
    assert len(np.unique(marked[:-40])) > 2


def test_blur_lowers_sharpness() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    assert sharpness(cv2.GaussianBlur(noise, (0, 0), 2)) < 0.1 * sharpness(noise)


def test_the_same_picture_is_the_same_bytes() -> None:
    assert encode_jpeg(smooth_picture()) == encode_jpeg(smooth_picture())


def test_drawn_pictures_are_kept_as_png_where_that_is_smaller_and_photographs_as_jpeg() -> None:
    drawn, photo = draw(Pose(), "A", 256), astronaut()[:256, 100:356]
    content, is_png = encode_smaller(drawn)
    assert is_png
    assert len(content) < len(encode_jpeg(drawn))
    assert np.array_equal(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], drawn)
    content, is_png = encode_smaller(photo)
    assert not is_png
    assert content == encode_jpeg(photo)
