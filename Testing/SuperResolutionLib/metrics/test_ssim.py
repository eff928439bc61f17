import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import mean_ssim, ssim, ssim_map

RANDOM = np.random.default_rng(5)
REFERENCE = 500 * gaussian_filter(RANDOM.normal(size=(24, 28, 26)), 2)
CANDIDATE = gaussian_filter(REFERENCE, 1) + RANDOM.normal(0, 5, REFERENCE.shape)
RANGE = REFERENCE.max() - REFERENCE.min()


def skimage_ssim(candidate, reference, full=False):
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return structural_similarity(reference, candidate, data_range=np.ptp(reference), full=full, **settings)


def test_agrees_with_scikit_image_in_double_precision():
    assert ssim(CANDIDATE, REFERENCE) == pytest.approx(skimage_ssim(CANDIDATE, REFERENCE), abs=1e-5)


def test_a_large_offset_costs_no_precision():
    assert ssim(CANDIDATE + 30000, REFERENCE + 30000) == pytest.approx(skimage_ssim(CANDIDATE + 30000, REFERENCE + 30000), abs=1e-5)


def test_a_voxel_has_the_value_of_the_formula():
    k, j, i = 12, 14, 13
    x = np.arange(-5, 6)
    g = np.exp(-(x**2) / (2 * 1.5**2))
    w = g[:, None, None] * g[None, :, None] * g[None, None, :]
    w /= w.sum()
    c, r = (a[k - 5 : k + 6, j - 5 : j + 6, i - 5 : i + 6] for a in (CANDIDATE, REFERENCE))
    mc, mr = (w * c).sum(), (w * r).sum()
    vc, vr, cov = (w * (c - mc) ** 2).sum(), (w * (r - mr) ** 2).sum(), (w * (c - mc) * (r - mr)).sum()
    c1, c2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2
    expected = (2 * mc * mr + c1) * (2 * cov + c2) / ((mc**2 + mr**2 + c1) * (vc + vr + c2))
    assert ssim_map(CANDIDATE, REFERENCE)[k, j, i] == pytest.approx(expected, abs=1e-5)


def test_within_a_mask_it_is_the_mean_of_the_map():
    mask = REFERENCE > 20
    _, similarity = skimage_ssim(CANDIDATE, REFERENCE, full=True)
    assert ssim(CANDIDATE, REFERENCE, mask) == pytest.approx(similarity[mask].mean(), abs=1e-5)
    assert mean_ssim(ssim_map(CANDIDATE, REFERENCE), mask) == ssim(CANDIDATE, REFERENCE, mask)


def test_equal_volumes_are_wholly_similar_whatever_their_type():
    whole = np.rint(REFERENCE).astype(np.int16)
    assert ssim(whole, whole) == pytest.approx(1)


def test_uniform_volumes_differ_by_the_luminance_term_alone():
    a, b = np.full((11, 11, 11), 80.0), np.full((11, 11, 11), 100.0)
    c1 = (0.01 * 255) ** 2
    assert ssim(a, b, data_range=255) == pytest.approx((2 * 80 * 100 + c1) / (80**2 + 100**2 + c1), abs=1e-6)


def test_fewer_slices_than_the_window_are_refused():
    with pytest.raises(RequestError, match="at least 11 voxels"):
        ssim(CANDIDATE[:10], REFERENCE[:10])


def test_other_shapes_and_empty_masks_are_refused():
    with pytest.raises(RequestError, match="shape"):
        ssim(CANDIDATE[1:], REFERENCE)
    with pytest.raises(RequestError, match="without any voxel"):
        ssim(CANDIDATE, REFERENCE, np.zeros(REFERENCE.shape, bool))
    with pytest.raises(RequestError, match="positive"):
        ssim(CANDIDATE, REFERENCE, data_range=0)
