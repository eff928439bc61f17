import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.phantom import KneePhantom, Tissue, add_rician_noise
from SuperResolutionTrainingLib.phantom.contrast import CT

C, S = np.cos(0.3), np.sin(0.3)
OBLIQUE = np.array([[C, -S, 0], [S, C, 0], [0, 0, 1]]) @ np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0.0]])


def every_point(volume: Volume) -> np.ndarray:
    k, j, i = np.indices(volume.shape)
    return volume.points(np.stack([i, j, k], axis=-1))


@pytest.fixture(scope="module")
def knee() -> KneePhantom:
    return KneePhantom("MR", seed=0)


def test_tissues_are_where_anatomy_has_them(knee):
    places = {
        (0, 0, 55): Tissue.MARROW,  # femoral shaft
        (22, 8, 22): Tissue.MARROW,  # lateral condyle
        (0, 5, -40): Tissue.MARROW,  # tibia
        (1, -42, 32): Tissue.MARROW,  # patella
        (37, 22, -23): Tissue.MARROW,  # head of the fibula, lateral
        (-37, 22, -23): Tissue.FAT,
        (-16, 45, -45): Tissue.MUSCLE,  # gastrocnemius
        (3, -37, -14): Tissue.TENDON,  # patellar tendon
        (0, 26, -2): Tissue.LIGAMENT,  # posterior cruciate
        (0, 100, 0): Tissue.AIR,
    }
    found = knee.labels(np.array(list(places)) * knee.scale)
    assert [Tissue(label).name for label in found] == [tissue.name for tissue in places.values()]


def test_from_femur_to_tibia_come_bone_cartilage_and_bone(knee):
    z = np.linspace(20, -15, 2000)
    column = knee.labels(np.stack([np.full_like(z, -22), np.full_like(z, 8), z], axis=-1) * knee.scale)
    order = [Tissue(label).name for label in column[np.r_[True, np.diff(column) != 0]]]
    assert order[:3] == ["MARROW", "CORTEX", "CARTILAGE"] and order[-3:] == ["CARTILAGE", "CORTEX", "MARROW"]


def test_cartilage_is_one_to_three_millimetres_thick(knee):
    step = 0.01
    y = np.arange(20, 45, step)
    backwards = knee.labels(np.stack([np.full_like(y, 22), y, np.full_like(y, 22)], axis=-1) * knee.scale)
    first = np.flatnonzero(backwards == Tissue.CARTILAGE)[0]
    thickness = step * knee.scale * np.argmax(backwards[first:] != Tissue.CARTILAGE)
    assert thickness == pytest.approx(knee.cartilage * knee.scale, abs=0.1) and 1 < thickness < 3


def test_every_tissue_is_present_in_a_scan(knee):
    volume = knee.sample((30, 40, 40), (3.2, 3.2, 3.2), supersampling=1)
    assert set(np.unique(knee.labels(every_point(volume)))) == {int(tissue) for tissue in Tissue}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_sample_is_the_function_at_the_voxel_centres(seed):
    # The sampling leaves out tissues that are far from a block; it must never leave out one that is there.
    phantom = KneePhantom("MR", seed)
    volume = phantom.sample((34, 45, 45), (2.7, 2.7, 2.7), directions=OBLIQUE, supersampling=1)
    np.testing.assert_allclose(volume.voxels, phantom.intensity(every_point(volume)), atol=0.5)


def test_blocks_of_fine_voxels_miss_nothing(knee):
    volume = knee.sample((26, 40, 40), (0.6, 0.6, 0.6), origin=(-14, -14, 16), supersampling=1)
    wrong = np.abs(volume.voxels - knee.intensity(every_point(volume))) > 1
    assert wrong.mean() < 1e-4  # rounding at a surface


def test_a_coarse_voxel_is_the_mean_of_the_fine_ones_in_it(knee):
    fine = knee.sample((24, 32, 32), (1, 1.2, 1.4), origin=(10, -20, 20), supersampling=1)
    coarse = knee.sample((12, 16, 16), (2, 2.4, 2.8), origin=fine.points(np.array([0.5, 0.5, 0.5])), supersampling=2)
    means = fine.voxels.reshape(12, 2, 16, 2, 16, 2).mean(axis=(1, 3, 5))
    assert np.mean(np.abs(coarse.voxels - means) > 1) < 1e-3
    assert coarse.points(np.array([-0.5, -0.5, -0.5])) == pytest.approx(fine.points(np.array([-0.5, -0.5, -0.5])))


def test_supersampling_may_differ_between_axes(knee):
    thick = knee.sample((4, 16, 16), (2, 2, 8), supersampling=(1, 1, 4))
    thin = knee.sample((16, 16, 16), (2, 2, 2), supersampling=1)
    assert np.mean(np.abs(thick.voxels - thin.voxels.reshape(4, 4, 16, 16).mean(axis=1)) > 1) < 1e-3


def test_slices_are_sagittal_and_centred_on_the_knee(knee):
    volume = knee.sample((10, 12, 14), (1, 1, 1), supersampling=1)
    assert volume.directions.T.tolist() == [[0, 1, 0], [0, 0, -1], [-1, 0, 0]]
    assert volume.points(np.array([6.5, 5.5, 4.5])) == pytest.approx([0, 5, 0])
    assert (volume.modality, volume.slice_thickness, volume.voxels.dtype) == ("MR", 1.0, np.float32)


def test_ct_is_in_hounsfield_units():
    phantom = KneePhantom("CT", seed=1)
    places = np.array([(0, 100, 0), (-16, 45, -45), (0, 0, 55), (1, -51.5, 32)]) * phantom.scale
    air, muscle, marrow, _ = phantom.intensity(places)
    assert air == -1000 and 0 < muscle < 100 and marrow > 0
    assert phantom.sample((30, 30, 30), (4, 4, 4), supersampling=1).voxels.max() == CT[Tissue.CORTEX]


def test_a_seed_names_one_knee():
    grid = (8, 8, 8), (6, 6, 6)
    first, again, other = (KneePhantom("MR", seed).sample(*grid, supersampling=1).voxels for seed in (4, 4, 5))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_other_modalities_are_refused():
    with pytest.raises(RequestError, match="accepted are MR, CT"):
        KneePhantom("PT")


def flat(value: float, modality: str) -> Volume:
    return Volume(np.full((40, 50, 50), value, np.float32), np.eye(4), modality=modality)


def test_noise_in_air_has_the_rayleigh_moments():
    noisy = add_rician_noise(flat(0, "MR"), sigma=10, seed=1).voxels
    assert noisy.min() >= 0
    assert noisy.mean() == pytest.approx(10 * np.sqrt(np.pi / 2), rel=0.01)
    assert noisy.var() == pytest.approx((2 - np.pi / 2) * 100, rel=0.02)


def test_noise_on_a_strong_signal_is_nearly_gaussian():
    noisy = add_rician_noise(flat(500, "MR"), sigma=10, seed=1).voxels
    assert noisy.mean() == pytest.approx(np.hypot(500, 10), abs=0.2) and noisy.std() == pytest.approx(10, rel=0.02)


def test_noise_of_ct_is_gaussian_and_repeats_with_its_seed():
    noisy = add_rician_noise(flat(-1000, "CT"), sigma=10, seed=1).voxels
    assert noisy.mean() == pytest.approx(-1000, abs=0.2) and noisy.std() == pytest.approx(10, rel=0.02)
    assert np.array_equal(noisy, add_rician_noise(flat(-1000, "CT"), sigma=10, seed=1).voxels)
