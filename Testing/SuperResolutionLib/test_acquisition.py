import numpy as np
import pytest
import torch

from SuperResolutionLib.acquisition import PROFILES, Acquisition, degrade, resolve_axis
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.volume import AXES, Volume, array_axis

BORDER = 3
ACQUISITIONS = [Acquisition(profile, factor) for profile in PROFILES for factor in (2, 3, 4)] + [
    Acquisition("mean", 4, 0.6),
    Acquisition("gaussian", 3, 0.5),
    Acquisition("gaussian", 2, 1.5),
]


def by_name(acquisition):
    return f"{acquisition.name} x{acquisition.factor}"


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.mark.parametrize("acquisition", ACQUISITIONS, ids=by_name)
@pytest.mark.parametrize("slices", [1, 6, 7])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_adjoint_is_adjoint(random, acquisition, slices, axis):
    operator = acquisition.operator(slices)
    shape = [3, 4, 5]
    shape[axis] = slices
    y = random.normal(size=shape)
    shape[axis] = slices * acquisition.factor
    x = random.normal(size=shape)
    assert np.vdot(operator(x, axis), y) == pytest.approx(np.vdot(x, operator.adjoint(y, axis)), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("acquisition", ACQUISITIONS, ids=by_name)
@pytest.mark.parametrize("slices", [1, 2, 7, 40])
def test_a_constant_stays_constant(acquisition, slices):
    operator = acquisition.operator(slices)
    np.testing.assert_allclose(operator.matrix.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(operator(np.full((slices * acquisition.factor, 2, 2), -1000.0), 0), -1000)


@pytest.mark.parametrize("acquisition", ACQUISITIONS, ids=by_name)
@pytest.mark.parametrize("slices", [1, 8, 9])
def test_a_mirrored_object_gives_mirrored_slices(acquisition, slices):
    matrix = acquisition.operator(slices).matrix
    np.testing.assert_allclose(matrix[::-1, ::-1], matrix, atol=1e-12)


@pytest.mark.parametrize("acquisition", [a for a in ACQUISITIONS if a.profile != "kspace"], ids=by_name)
@pytest.mark.parametrize("axis", AXES)
def test_a_ramp_in_millimetres_has_its_values_at_the_new_centres(oblique_affine, acquisition, axis):
    """Half a voxel too far would be 1/6 of the slope's step or more."""
    indices = np.stack(np.meshgrid(*(np.arange(48 if a == axis else 4) for a in AXES), indexing="ij"), axis=-1).transpose(2, 1, 0, 3)
    direction = oblique_affine[:3, AXES.index(axis)]
    fine = Volume((indices @ oblique_affine[:3, :3].T + oblique_affine[:3, 3]) @ direction, oblique_affine)
    thick = degrade(fine, acquisition.factor, axis, acquisition.profile, acquisition.thickness)
    places = np.stack(np.meshgrid(*map(np.arange, thick.shape[::-1]), indexing="ij"), axis=-1).transpose(2, 1, 0, 3)
    apart = np.abs(thick.voxels - thick.points(places) @ direction)
    inside = np.take(apart, np.arange(BORDER, thick.shape[array_axis(axis)] - BORDER), axis=array_axis(axis))
    assert inside.max() < 1e-6 * fine.spacing[AXES.index(axis)] ** 2


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_the_thick_volume_covers_the_same_part_of_the_patient(make_volume, axis, factor):
    fine = make_volume((12, 12, 12))
    thick = degrade(fine, factor, axis)
    for corner in np.ndindex(2, 2, 2):
        edges = [np.array(corner) * v.shape[::-1] - 0.5 for v in (fine, thick)]
        np.testing.assert_allclose(thick.points(edges[1]), fine.points(edges[0]), atol=1e-9)


def test_slices_that_fill_no_whole_thick_slice_are_left_out_at_the_end(make_volume):
    fine = make_volume((11, 5, 5))
    thick = degrade(fine, 4, "k")
    assert thick.shape == (2, 5, 5)
    np.testing.assert_allclose(thick.points([0, 0, -0.5]), fine.points([0, 0, -0.5]), atol=1e-9)
    np.testing.assert_allclose(thick.voxels[1], fine.voxels[4:8].mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_mean_is_the_mean_of_the_fine_slices_inside_the_thick_one(random, factor):
    x = random.normal(size=(6 * factor, 3, 2))
    np.testing.assert_allclose(Acquisition("mean", factor).operator(6)(x, 0), x.reshape(6, factor, 3, 2).mean(axis=1))


def test_mean_with_a_gap_leaves_out_what_lies_in_the_gap():
    """Half of four fine slices: the two in the middle; 3/4: a half of the outer two as well."""
    row = Acquisition("mean", 4, 0.5).operator(3).matrix[1]
    np.testing.assert_allclose(row, [0, 0, 0, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 0])
    row = Acquisition("mean", 4, 0.75).operator(3).matrix[1]
    np.testing.assert_allclose(row[4:8] * 3, [0.5, 1, 1, 0.5])


def test_mean_of_overlapping_slices_takes_in_the_neighbours():
    row = Acquisition("mean", 2, 1.5).operator(3).matrix[1]
    np.testing.assert_allclose(row * 3, [0, 0.5, 1, 1, 0.5, 0])


@pytest.mark.parametrize(("factor", "thickness"), [(4, 1.0), (8, 1.0), (8, 0.7), (6, 1.4)])
def test_the_width_of_gaussian_at_half_height_is_the_slice_thickness(factor, thickness):
    slices = 9
    impulses = np.eye(slices * factor)[:, :, None]
    response = Acquisition("gaussian", factor, thickness).operator(slices)(impulses, 0)[slices // 2, :, 0]
    finely = np.linspace(0, len(response) - 1, 20001)
    # The logarithm of a Gaussian is a parabola, which three samples fix; linear interpolation of the samples would be too wide.
    near = np.flatnonzero(response > 0.05 * response.max())
    curve = np.exp(np.polyval(np.polyfit(near, np.log(response[near]), 2), finely))
    above = finely[curve >= curve.max() / 2]
    assert above[-1] - above[0] == pytest.approx(factor * thickness, abs=0.01)


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("slices", [6, 7])
def test_kspace_keeps_the_low_frequencies_of_the_fourier_transform(random, factor, slices):
    fine = random.normal(size=slices * factor)
    spectrum = np.fft.fft(fine)
    centres = np.arange(slices) * factor + (factor - 1) / 2
    expected = np.full(slices, spectrum[0])
    for frequency in range(1, (slices + 1) // 2):
        wave = np.exp(2j * np.pi * frequency * centres / len(fine))
        expected += spectrum[frequency] * wave + spectrum[-frequency] / wave
    if slices % 2 == 0:
        wave = np.exp(1j * np.pi * slices * centres / len(fine))
        expected += (spectrum[slices // 2] * wave + spectrum[-(slices // 2)] / wave) / 2
    thick = Acquisition("kspace", factor).operator(slices)(fine[:, None, None], 0).ravel()
    np.testing.assert_allclose(thick, (expected / len(fine)).real, atol=1e-12)


def test_kspace_passes_what_the_thick_grid_can_hold_unchanged():
    fine, thick = (np.sin(2 * np.pi * 3 * (np.arange(n) + 0.5) / n) for n in (40, 10))
    np.testing.assert_allclose(Acquisition("kspace", 4).operator(10)(fine[:, None, None], 0).ravel(), thick, atol=1e-12)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_cubic_equals_the_antialiased_cubic_of_torch(random, factor):
    fine = random.normal(size=(12 * factor, 5))
    thick = Acquisition("cubic", factor).operator(12)(fine[:, :, None], 0)[..., 0]
    expected = torch.nn.functional.interpolate(torch.from_numpy(fine)[None, None], (12, 5), mode="bicubic", antialias=True)[0, 0].numpy()
    np.testing.assert_allclose(thick, expected, atol=1e-6)


@pytest.mark.parametrize("acquisition", ACQUISITIONS, ids=by_name)
@pytest.mark.parametrize("slices", [1, 6, 7])
def test_the_projector_turns_a_residual_into_fine_slices_that_degrade_to_it(random, acquisition, slices):
    residual = random.normal(size=(slices, 2, 3))
    change = acquisition.projector(slices)(residual, 0)
    np.testing.assert_allclose(acquisition.operator(slices)(change, 0), residual, atol=1e-5)


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_numbers_keep_their_type(make_volume, dtype):
    fine = make_volume((8, 9, 9), dtype=np.float64)
    fine = fine.with_voxels((fine.voxels / 8).astype(dtype))
    thick = degrade(fine, 2)
    assert thick.voxels.dtype == np.dtype(dtype)
    expected = fine.voxels.astype(float).reshape(4, 2, 9, 9).mean(axis=1)
    assert np.abs(thick.voxels - expected).max() <= (0.5 if dtype != "f4" else 1e-4)


def test_auto_is_the_axis_with_the_largest_spacing(make_volume):
    volume = make_volume((8, 9, 10))
    assert degrade(volume, 2).shape == (4, 9, 10)
    assert resolve_axis(volume, "auto") == "k" and resolve_axis(volume, "j") == "j"


def test_the_slice_thickness_follows_the_spacing_and_the_gap(make_volume):
    fine = make_volume((8, 8, 8), slice_thickness=2.8)
    assert degrade(fine, 2, "k").slice_thickness == pytest.approx(5.6)
    assert degrade(fine, 2, "k", "mean", thickness=0.5).slice_thickness == pytest.approx(2.8)
    assert degrade(fine, 2, "i").slice_thickness == pytest.approx(2.8)


def test_noise_has_the_deviation_asked_for_and_comes_from_the_seed(make_volume):
    fine = make_volume((40, 40, 40))
    clean = degrade(fine, 2).voxels
    noisy = degrade(fine, 2, noise=5.0, seed=3).voxels
    assert np.std(noisy - clean) == pytest.approx(5, rel=0.02) and abs(np.mean(noisy - clean)) < 0.2
    np.testing.assert_array_equal(noisy, degrade(fine, 2, noise=5.0, seed=3).voxels)
    assert not np.array_equal(noisy, degrade(fine, 2, noise=5.0, seed=4).voxels)


def test_the_name_tells_the_thickness_only_where_it_is_not_the_spacing():
    assert [Acquisition("gaussian", 4).name, Acquisition("mean", 4, 0.8).name] == ["gaussian", "mean:0.8"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("box", 2), "profile 'box': accepted are mean, gaussian, cubic, kspace"),
        (("mean", 1), "factor 1: accepted are whole numbers from 2"),
        (("mean", 2, 0.0), "thickness 0.0 .* positive"),
        (("mean", 2, float("nan")), "thickness nan .* positive"),
        (("kspace", 2, 0.8), "thickness 0.8 with profile 'kspace': only mean and gaussian"),
    ],
)
def test_an_acquisition_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(RequestError, match=message):
        Acquisition(*arguments)


def test_fewer_than_two_thick_slices_are_refused(make_volume):
    with pytest.raises(RequestError, match="factor 4 along k: knee.nrrd has 7 slices there; at least 8 are needed"):
        degrade(make_volume((7, 9, 9), source="knee.nrrd"), 4, "k")


def test_an_unknown_axis_is_refused(make_volume):
    with pytest.raises(RequestError, match="axis 'x': accepted are auto, i, j, k"):
        degrade(make_volume(), 2, "x")
