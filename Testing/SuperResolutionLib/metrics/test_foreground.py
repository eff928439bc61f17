import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import foreground

K, J, I = np.indices((30, 44, 40))
LEG = np.hypot(J - 20, I - 20) < 14  # a limb that leaves the volume at both ends
MARROW = np.hypot(J - 20, I - 20) < 5


def limb(air: float, tissue: float, marrow: float, noise: float) -> np.ndarray:
    values = np.where(MARROW, marrow, np.where(LEG, tissue, air))
    return values + np.random.default_rng(2).normal(0, noise, values.shape)


def test_dark_marrow_belongs_to_the_patient():
    assert np.array_equal(foreground(limb(air=0, tissue=300, marrow=10, noise=15)), LEG)


def test_in_ct_the_body_begins_between_air_and_fat():
    found = foreground(np.rint(limb(air=-1000, tissue=40, marrow=-90, noise=20)).astype(np.int16))
    assert (found != LEG).mean() < 1e-3


def test_integers_have_the_same_foreground_as_the_same_numbers_with_a_point():
    values = np.rint(limb(air=-1000, tissue=40, marrow=-90, noise=60)).astype(np.int16)
    assert np.array_equal(foreground(values), foreground(values.astype(np.float32)))


def test_a_table_beside_the_patient_is_left_out():
    with_table = limb(air=0, tissue=300, marrow=200, noise=10)
    with_table[:, 41:43, 5:35] = 300
    found = foreground(with_table)
    assert found[LEG].all() and not found[:, 36:].any()


def test_the_patient_reaches_the_border_of_the_volume():
    found = foreground(limb(air=0, tissue=300, marrow=300, noise=5))
    assert found[0].sum() == found[-1].sum() == LEG[0].sum()


def test_a_constant_volume_and_nan_are_refused():
    with pytest.raises(RequestError, match="everywhere"):
        foreground(np.zeros((4, 4, 4)))
    with pytest.raises(RequestError, match="NaN"):
        foreground(np.full((4, 4, 4), np.nan))
