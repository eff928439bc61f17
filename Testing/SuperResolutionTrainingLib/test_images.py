import numpy as np
import pytest
from PIL import Image

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib.images import read_image

RAMP = np.add.outer(3 * np.arange(20), 5 * np.arange(30)).astype(np.uint8)


@pytest.fixture
def save(tmp_path):
    def save(picture, name="a.png", **options):
        picture.save(tmp_path / name, **options)
        return tmp_path / name

    return save


def test_a_grey_picture_is_one_slice_with_the_rows_along_j(save):
    volume = read_image(save(Image.fromarray(RAMP)))
    assert volume.shape == (1, 20, 30) and volume.voxels.dtype == np.float32
    np.testing.assert_array_equal(volume.voxels[0], RAMP)


@pytest.mark.parametrize(("colour", "luma"), [((255, 0, 0), 76.245), ((0, 255, 0), 149.685), ((0, 0, 255), 29.07), ((255, 255, 255), 255)])
def test_a_colour_counts_by_its_luma(save, colour, luma):
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[:2] = colour
    volume = read_image(save(Image.fromarray(pixels)))
    np.testing.assert_allclose(volume.voxels[0, :2], luma, atol=1e-3)
    assert (volume.voxels[0, 2:] == 0).all()


def test_a_jpeg_is_read_as_its_luma(save):
    pixels = np.stack([RAMP, RAMP, RAMP], axis=-1)
    volume = read_image(save(Image.fromarray(pixels), "A.JPEG", quality=98))
    assert np.abs(volume.voxels[0] - RAMP).max() < 6


def test_sixteen_bits_are_kept(save):
    deep = RAMP.astype(np.uint16) * 201 + 7
    np.testing.assert_array_equal(read_image(save(Image.fromarray(deep))).voxels[0], deep)


def test_a_palette_is_looked_up(save):
    picture = Image.fromarray((RAMP // 64).astype(np.uint8))
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255] + [0] * 756)
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    found = read_image(save(picture)).voxels[0]
    np.testing.assert_allclose(found, np.array([0, 76.245, 149.685, 29.07])[RAMP // 64], atol=1e-3)


def test_what_is_transparent_is_black(save):
    pixels = np.full((4, 6, 4), 200, np.uint8)
    pixels[:, :3, 3], pixels[:, 3:, 3] = 0, 255
    pixels[0, 0] = (9, 9, 9, 255)
    found = read_image(save(Image.fromarray(pixels))).voxels[0]
    assert found[0, 0] == pytest.approx(9, abs=1e-3) and (found[1:, :3] == 0).all()
    np.testing.assert_allclose(found[:, 3:], 200, atol=1e-3)


def test_a_broken_picture_is_refused_by_name(save, tmp_path):
    whole = save(Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50), np.uint8)))
    whole.write_bytes(whole.read_bytes()[:900])
    (tmp_path / "text.jpg").write_text("no picture")
    for name in ("a.png", "text.jpg"):
        with pytest.raises(RequestError, match=f"{name}: cannot be read, .*; accepted are whole PNG and JPEG pictures"):
            read_image(tmp_path / name)
    with pytest.raises(RequestError, match="none.png: no such file"):
        read_image(tmp_path / "none.png")


def test_a_label_map_is_refused(save):
    with pytest.raises(RequestError, match="a.png: only 4 distinct whole numbers, a label map"):
        read_image(save(Image.fromarray((np.arange(80 * 80).reshape(80, 80) % 4).astype(np.uint8))))


def test_a_single_row_is_refused(save):
    with pytest.raises(RequestError, match="a.png: 30x1 pixels; accepted are at least two rows"):
        read_image(save(Image.fromarray(RAMP[:1])))
