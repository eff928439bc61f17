import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d, uniform_filter1d

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import edge_width, find_edges

RANDOM = np.random.default_rng(11)
SHAPE = (48, 24, 26)
SPACING = (0.7, 0.8, 0.5)  # i, j, k
SLAB = np.where((np.arange(48) >= 14) & (np.arange(48) < 34), 1000.0, -1000.0)[:, None, None] * np.ones(SHAPE)


def tilted(degrees: float) -> np.ndarray:
    """A half space of tissue whose surface is turned by an angle about the j axis, a voxel wide."""
    k, i = np.arange(48)[:, None, None] * 0.5, np.arange(26)[None, None, :] * 0.7
    depth = (k - 12) - np.tan(np.radians(degrees)) * (i - 9)
    return 1000 * np.clip(depth / 0.5 + 0.5, 0, 1) * np.ones(SHAPE)


def test_a_sharp_step_is_eight_tenths_of_a_voxel():
    edges = find_edges(SLAB, 0, SPACING)
    found = edge_width(SLAB, edges)
    assert found.width == pytest.approx(0.8 * 0.5)
    assert found.edges == len(edges) == 2 * 22 * 24  # both faces, but for the lines at the border


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_a_gaussian_blur_has_the_width_of_its_integral(sigma):
    blurred = gaussian_filter1d(SLAB, sigma, axis=0)
    assert edge_width(blurred, find_edges(SLAB, 0, SPACING)).width == pytest.approx(2.5631 * sigma * 0.5, rel=0.04)


def test_thick_slices_rise_over_eight_tenths_of_their_width():
    blurred = uniform_filter1d(SLAB, 5, axis=0)
    assert edge_width(blurred, find_edges(SLAB, 0, SPACING, reach=10)).width == pytest.approx(0.8 * 5 * 0.5, rel=0.02)


@pytest.mark.parametrize(("axis", "spacing"), [(0, 0.5), (1, 0.8), (2, 0.7)])
def test_the_spacing_is_that_of_the_axis(axis, spacing):
    volume = np.moveaxis(SLAB[:, :1, :1] * np.ones((48, 20, 20)), 0, axis)
    assert edge_width(volume, find_edges(volume, axis, SPACING)).width == pytest.approx(0.8 * spacing)


def test_gain_offset_and_a_shift_by_a_voxel_do_not_matter():
    edges = find_edges(SLAB, 0, SPACING)
    blurred = gaussian_filter1d(SLAB, 1.5, axis=0)
    expected = edge_width(blurred, edges).width
    assert edge_width(0.1 * blurred + 500, edges).width == pytest.approx(expected)
    assert edge_width(np.roll(blurred, 1, axis=0), edges).width == pytest.approx(expected, rel=0.01)


def test_noise_moves_the_median_little():
    blurred = gaussian_filter1d(SLAB, 2, axis=0)
    noisy = blurred + RANDOM.normal(0, 40, SHAPE)
    edges = find_edges(SLAB + RANDOM.normal(0, 40, SHAPE), 0, SPACING)
    assert edge_width(noisy, edges).width == pytest.approx(edge_width(blurred, edges).width, rel=0.1)


def test_a_boundary_that_is_too_steep_is_left_out():
    assert len(find_edges(tilted(20), 0, SPACING)) > 100
    with pytest.raises(RequestError, match="0 edges across array axis 0"):
        find_edges(tilted(40), 0, SPACING)


def test_a_wall_thinner_than_the_reach_is_no_plateau():
    wall = np.where((np.arange(48) >= 20) & (np.arange(48) < 23), 1000.0, 0.0)[:, None, None] * np.ones(SHAPE)
    with pytest.raises(RequestError, match="0 edges"):
        find_edges(wall, 0, SPACING)


def test_the_level_chooses_the_boundary():
    body = np.select([np.arange(48) < 16, np.arange(48) < 32], [-1000.0, 40.0], 1000.0)[:, None, None] * np.ones(SHAPE)
    places = {level: set(find_edges(body, 0, SPACING, level).voxels[:, 0]) for level in (None, -500, 400)}
    assert places == {None: {15}, -500: {15}, 400: {31}}


def test_only_masked_edges_count():
    mask = np.zeros(SHAPE, bool)
    mask[:24] = True
    edges = find_edges(SLAB, 0, SPACING, mask=mask)
    assert set(edges.voxels[:, 0]) == {13} and edges.rising.all()


def test_integers_are_measured_as_numbers():
    whole = gaussian_filter1d(SLAB, 1.5, axis=0)
    edges = find_edges(SLAB.astype(np.int16), 0, SPACING)
    assert edge_width(np.rint(whole).astype(np.int16), edges).width == pytest.approx(edge_width(whole, edges).width, rel=1e-3)


@pytest.mark.parametrize(
    ("reference", "options", "words"),
    [
        (np.ones(SHAPE), {}, "everywhere"),
        (np.where(SLAB > 0, np.nan, SLAB), {}, "NaN"),
        (SLAB > 0, {}, "real numbers"),
        (SLAB[:1] + np.arange(26.0), {}, "0 edges"),
        (SLAB[:, 0], {}, "axis 0 of an array of shape"),
        (gaussian_filter(RANDOM.normal(size=SHAPE), 1), {}, "edges across"),
        (SLAB, {"reach": 3}, "from 4"),
        (SLAB, {"mask": np.zeros(SHAPE, bool)}, "without any voxel"),
    ],
)
def test_what_shows_no_edges_is_refused(reference, options, words):
    with pytest.raises(RequestError, match=words):
        find_edges(reference, 0, SPACING, **options)


def test_a_volume_in_which_the_edges_cannot_be_seen_is_refused():
    edges = find_edges(SLAB, 0, SPACING)
    with pytest.raises(RequestError, match="0 of 1056 edges"):
        edge_width(np.zeros(SHAPE), edges)
    with pytest.raises(RequestError, match="accepted is that of the reference"):
        edge_width(SLAB[1:], edges)
    with pytest.raises(RequestError, match="NaN"):
        edge_width(np.full(SHAPE, np.nan), edges)
