import math

import numpy as np
import pytest
from pyrtools.pyramids import SteerablePyramidSpace
from scipy.ndimage import gaussian_filter

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import ifc

RANDOM = np.random.default_rng(9)
REFERENCE = 100 + 300 * gaussian_filter(RANDOM.normal(size=(2, 75, 82)), (0, 1, 1))
CANDIDATE = gaussian_filter(REFERENCE, (0, 0.7, 0.7)) + RANDOM.normal(0, 3, REFERENCE.shape)


def mirrored(index, length):
    return abs(index) if index < length else 2 * (length - 1) - index


def by_blocks(candidate, reference):
    """The criterion as it is defined, block after block, from windows that are cut out one by one."""
    bits = 0.0
    of_c, of_r = (SteerablePyramidSpace(each, height=4, order=5, edge_type="reflect1").pyr_coeffs for each in (candidate, reference))
    for level, half in enumerate((8, 4, 2, 1)):
        for orientation in (0, 3):
            c, r = of_c[level, orientation], of_r[level, orientation]
            rows, columns = (n // 3 * 3 for n in r.shape)
            c, r = c[:rows, :columns], r[:rows, :columns]
            vectors = np.array([r[y : y + 3, x : x + 3].ravel() for y in range(rows - 2) for x in range(columns - 2)])
            covariance = np.cov(vectors.T, bias=True)
            inverse, eigenvalues = np.linalg.inv(covariance), np.linalg.eigvalsh(covariance)
            border = math.ceil(half / 3)
            for y in range(border, rows // 3 - border):
                for x in range(border, columns // 3 - border):
                    block = r[3 * y : 3 * y + 3, 3 * x : 3 * x + 3].ravel()
                    strength = block @ inverse @ block / 9
                    down = [mirrored(3 * y + 1 + step, rows) for step in range(-half, half + 1)]
                    across = [mirrored(3 * x + 1 + step, columns) for step in range(-half, half + 1)]
                    p, q = c[np.ix_(down, across)].ravel(), r[np.ix_(down, across)].ravel()
                    gain = np.cov(p, q, bias=True)[0, 1] / q.var()
                    if gain > 0:
                        noise = p.var() - gain * np.cov(p, q, bias=True)[0, 1]
                        bits += np.log2(1 + gain**2 * strength * eigenvalues / (noise + 1e-10)).sum()
    return bits / reference.size


def grey(array):
    return (array - REFERENCE.min()) * 255 / np.ptp(REFERENCE)


def test_agrees_with_the_definition_block_by_block():
    assert ifc(CANDIDATE[0], REFERENCE[0], data_range=np.ptp(REFERENCE)) == pytest.approx(
        by_blocks(grey(CANDIDATE[0]), grey(REFERENCE[0])), rel=1e-6
    )


def test_in_a_volume_it_is_the_mean_over_slices():
    each = [ifc(c, r, data_range=np.ptp(REFERENCE)) for c, r in zip(CANDIDATE, REFERENCE)]
    assert ifc(CANDIDATE, REFERENCE) == pytest.approx(np.mean(each), rel=1e-6)
    turned = [np.moveaxis(array, 0, 1) for array in (CANDIDATE, REFERENCE)]
    assert ifc(*turned, axis=1) == pytest.approx(np.mean(each), rel=1e-6)


def test_more_noise_and_more_blur_leave_less_information():
    noise = RANDOM.normal(0, 1, REFERENCE.shape)
    by_noise = [ifc(REFERENCE + sigma * noise, REFERENCE) for sigma in (1, 5, 20)]
    by_blur = [ifc(gaussian_filter(REFERENCE, (0, sigma, sigma)), REFERENCE) for sigma in (0.5, 1, 2)]
    assert by_noise == sorted(by_noise, reverse=True) and by_blur == sorted(by_blur, reverse=True)


def test_gain_and_offset_of_the_candidate_or_of_both_do_not_matter():
    expected = ifc(CANDIDATE, REFERENCE)
    assert ifc(3 * CANDIDATE + 20, REFERENCE) == pytest.approx(expected, rel=1e-6)
    assert ifc(3 * CANDIDATE + 20, 3 * REFERENCE + 20) == pytest.approx(expected, rel=1e-6)


def test_equal_volumes_share_information_without_end_and_unrelated_ones_next_to_none():
    assert ifc(REFERENCE, REFERENCE.copy()) == math.inf
    assert ifc(RANDOM.normal(size=REFERENCE.shape), REFERENCE) < 0.2


def test_a_constant_candidate_and_empty_slices_give_nothing():
    assert ifc(np.zeros_like(REFERENCE), REFERENCE) == pytest.approx(0, abs=1e-12)
    air = np.zeros((2, *REFERENCE.shape[1:]))
    with_air = ifc(np.concatenate([CANDIDATE, air]), np.concatenate([REFERENCE, air]), data_range=np.ptp(REFERENCE))
    assert with_air == pytest.approx(ifc(CANDIDATE, REFERENCE) / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("candidate", "reference", "options", "words"),
    [
        (CANDIDATE[:1], REFERENCE, {}, "shape"),
        (CANDIDATE[:, :71], REFERENCE[:, :71], {}, "at least 72 pixels"),
        (CANDIDATE, REFERENCE, {"axis": 2}, "at least 72 pixels"),
        (np.full_like(REFERENCE, np.nan), REFERENCE, {}, "NaN"),
        (CANDIDATE, np.ones_like(REFERENCE), {}, "everywhere"),
        (CANDIDATE, REFERENCE, {"data_range": -5}, "positive"),
    ],
)
def test_what_cannot_be_compared_is_refused(candidate, reference, options, words):
    with pytest.raises(RequestError, match=words):
        ifc(candidate, reference, **options)
