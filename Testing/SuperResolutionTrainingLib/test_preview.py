import numpy as np
from PIL import Image

from SuperResolutionTrainingLib.preview import write_preview


def test_input_and_volumes_stand_side_by_side_with_the_first_slice_at_the_bottom(tmp_path):
    truth = np.linspace(0, 1, 24, dtype=np.float32).reshape(24, 1, 1) * np.ones((24, 5, 32), np.float32)
    thick = truth.reshape(6, 4, 5, 32).mean(axis=1)
    write_preview(tmp_path / "a.png", thick, (np.zeros_like(truth), truth, truth), plane=False)
    pixels = np.asarray(Image.open(tmp_path / "a.png")).astype(int)
    assert pixels.shape == (24 * 8, 4 * 32 * 8 + 3 * 4) and pixels.dtype == int
    panels = [pixels[:, number * (256 + 4) : number * (256 + 4) + 256] for number in range(4)]
    assert np.unique(panels[0]).size == 6 and panels[1].max() == 0 and np.array_equal(panels[2], panels[3])
    assert panels[3][0].min() == 255 and panels[3][-1].max() == 0


def test_of_planes_the_middle_slice_is_shown(tmp_path):
    truth = np.zeros((3, 40, 40), np.float32)
    truth[1, 10:20] = 1
    write_preview(tmp_path / "a.png", truth[:, ::2, ::2], (truth, truth), plane=True)
    pixels = np.asarray(Image.open(tmp_path / "a.png"))
    assert pixels.shape == (200, 3 * 200 + 2 * 4) and pixels[75, 100] == 255 and pixels[25, 100] == 0 and pixels[75, 202] == 0


def test_a_picture_without_contrast_is_drawn_as_well(tmp_path):
    flat = np.ones((8, 8, 8), np.float32)
    write_preview(tmp_path / "a.png", flat[::2], (flat,), plane=False)
    assert (tmp_path / "a.png").is_file()
