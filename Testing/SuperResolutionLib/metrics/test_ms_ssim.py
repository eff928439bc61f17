import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import ms_ssim, ssim
from SuperResolutionLib.metrics.ms_ssim import scales_that_fit

RANDOM = np.random.default_rng(7)
REFERENCE = 500 * gaussian_filter(RANDOM.normal(size=(46, 48, 45)), 2)
CANDIDATE = gaussian_filter(REFERENCE, 1) + RANDOM.normal(0, 8, REFERENCE.shape)
PICTURE = 900 * gaussian_filter(RANDOM.normal(size=(176, 183)), 2)
BLURRED = gaussian_filter(PICTURE, 2) + RANDOM.normal(0, 5, PICTURE.shape)


def plain(candidate, reference, exponents, mask=None):
    """The definition by scikit-image's SSIM, luminance divided out by a second call in which structure is perfect."""
    width = np.ptp(reference)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": width, "full": True}
    result = 1.0
    for scale, exponent in enumerate(exponents):
        similarity = structural_similarity(reference, candidate, **settings)[1]
        if scale < len(exponents) - 1:
            # Both smoothed by the same window: its means, of which the luminance term is made.
            means = [gaussian_filter(array, 1.5, truncate=3.5) for array in (candidate, reference)]
            c1 = (0.01 * width) ** 2
            similarity = similarity * (means[0] ** 2 + means[1] ** 2 + c1) / (2 * means[0] * means[1] + c1)
        inside = mask if mask is not None else (slice(5, -5),) * reference.ndim
        result *= similarity[inside].mean() ** exponent
        even = tuple(slice(n // 2 * 2) for n in reference.shape)
        blocks = [n // 2 for n in reference.shape]
        shape = [part for n in blocks for part in (n, 2)]
        axes = tuple(range(1, 2 * len(blocks), 2))
        candidate, reference = (array[even].reshape(shape).mean(axis=axes) for array in (candidate, reference))
        mask = None if mask is None else mask[even].reshape(shape).mean(axis=axes) >= 0.5
    return result


def test_agrees_with_the_definition_in_two_dimensions_and_five_scales(monkeypatch):
    exponents = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    # The range is that of the finest scale at all scales.
    monkeypatch.setattr(np, "ptp", lambda array, width=float(PICTURE.max() - PICTURE.min()): width)
    assert ms_ssim(BLURRED, PICTURE) == pytest.approx(plain(BLURRED, PICTURE, exponents), abs=1e-5)


@pytest.mark.parametrize("masked", [False, True])
def test_agrees_with_the_definition_in_three_dimensions(masked, monkeypatch):
    exponents = np.array([0.0448, 0.2856, 0.3001]) / (0.0448 + 0.2856 + 0.3001)
    mask = REFERENCE > 0 if masked else None
    monkeypatch.setattr(np, "ptp", lambda array, width=float(REFERENCE.max() - REFERENCE.min()): width)
    assert ms_ssim(CANDIDATE, REFERENCE, mask, scales=3) == pytest.approx(plain(CANDIDATE, REFERENCE, exponents, mask), abs=1e-5)


def test_one_scale_is_ssim():
    assert ms_ssim(CANDIDATE, REFERENCE, scales=1) == pytest.approx(ssim(CANDIDATE, REFERENCE), abs=1e-6)


def test_equal_volumes_are_wholly_similar_whatever_their_type():
    assert ms_ssim(np.rint(REFERENCE).astype(np.int16), np.rint(REFERENCE).astype(np.int16), scales=3) == pytest.approx(1)


def test_a_shift_costs_the_luminance_of_the_coarsest_scale_alone():
    a, b = np.full((44, 44, 44), 80.0), np.full((44, 44, 44), 100.0)
    c1 = (0.01 * 255) ** 2
    exponent = 0.3001 / (0.0448 + 0.2856 + 0.3001)
    expected = ((2 * 80 * 100 + c1) / (80**2 + 100**2 + c1)) ** exponent
    assert ms_ssim(a, b, data_range=255, scales=3) == pytest.approx(expected, abs=1e-6)


def test_rescaling_both_changes_nothing():
    assert ms_ssim(8 * CANDIDATE, 8 * REFERENCE, scales=3) == pytest.approx(ms_ssim(CANDIDATE, REFERENCE, scales=3), abs=1e-6)


def test_an_inverted_picture_has_nothing_similar():
    assert ms_ssim(-REFERENCE, REFERENCE, scales=2) == 0


def test_how_many_scales_fit():
    assert [scales_that_fit((n, 400, 400)) for n in (10, 11, 43, 44, 160, 175, 176, 999)] == [0, 1, 2, 3, 4, 4, 5, 5]


@pytest.mark.parametrize(
    ("candidate", "reference", "options", "words"),
    [
        (CANDIDATE, REFERENCE, {}, "at least 176 voxels"),
        (CANDIDATE[:1], REFERENCE[:1], {"scales": 1}, "at least 11 voxels"),
        (CANDIDATE, REFERENCE, {"scales": 6}, "accepted are 1 to 5"),
        (CANDIDATE[1:], REFERENCE, {"scales": 1}, "shape"),
        (np.full_like(REFERENCE, np.nan), REFERENCE, {"scales": 1}, "NaN"),
        (REFERENCE, np.ones_like(REFERENCE), {"scales": 1}, "everywhere"),
        (CANDIDATE, REFERENCE, {"scales": 1, "data_range": -1}, "positive"),
        (CANDIDATE, REFERENCE, {"scales": 1, "mask": np.zeros(REFERENCE.shape, bool)}, "without any voxel"),
    ],
)
def test_what_cannot_be_compared_is_refused(candidate, reference, options, words):
    with pytest.raises(RequestError, match=words):
        ms_ssim(candidate, reference, **options)


def test_a_mask_that_vanishes_at_a_coarse_scale_is_refused():
    mask = np.zeros(REFERENCE.shape, bool)
    mask[20, 20, 20] = True
    with pytest.raises(RequestError, match="coarse scale"):
        ms_ssim(CANDIDATE, REFERENCE, mask, scales=2)
