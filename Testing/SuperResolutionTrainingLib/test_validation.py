from dataclasses import replace

import numpy as np
import pytest

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.pairs import align
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingLib.samples import load_scan
from SuperResolutionTrainingLib.validation import gains, measure, measured_pair

SCAN = Scan("bert.nii.gz", "bert", "MR", "CC0-1.0", "validation", "jk")


def test_every_axis_factor_and_profile_is_measured_once(scans):
    entries = measure("lanczos", [SCAN], scans, (2, 3), ("mean", "kspace"))
    found = [(entry["axis"], entry["factor"], entry["profile"]) for entry in entries]
    assert found == [(axis, factor, profile) for axis in "jk" for factor in (2, 3) for profile in ("mean", "kspace")]
    names = {f"{figure}{ending}" for figure in ("psnr", "ncc", "ssim", "psnr_foreground") for ending in ("", "_cubic")}
    assert all(set(entry) == {"subject", "modality", "factor", "axis", "profile"} | names for entry in entries)


def test_the_figures_are_those_of_the_upscaled_volume(scans):
    truth = load_scan(SCAN, scans)
    (entry,) = measure("linear", [Scan("bert.nii.gz", "bert", "MR", "", axes="k")], scans, (2,), ("mean",))
    for model, ending in (("linear", ""), ("cubic", "_cubic")):
        fine = upscale(degrade(truth, 2, "k"), model=model, factor=2, axis="k").volume.voxels
        psnr = 10 * np.log10(np.ptp(truth.voxels).astype(float) ** 2 / np.square(fine - truth.voxels, dtype=float).mean())
        assert entry[f"psnr{ending}"] == pytest.approx(psnr, abs=1e-3)
        assert entry[f"ncc{ending}"] == pytest.approx(np.corrcoef(fine.ravel(), truth.voxels.ravel())[0, 1], abs=1e-3)


def test_cubic_has_no_gain_over_itself(scans):
    for entry in measure("cubic", [SCAN], scans, (2,), ("mean",)):
        assert all(entry[figure] == entry[f"{figure}_cubic"] for figure in ("psnr", "ncc", "ssim", "psnr_foreground"))


def test_slices_beyond_the_last_whole_thick_slice_are_left_out(scans, tmp_path):
    """29 slices at factor 2 are 28: an outlier in the last one counts in nothing."""
    truth = load_scan(SCAN, scans)
    longer = np.concatenate([truth.voxels, np.full((1, 30, 32), 9999, np.float32)])
    write_volume(Volume(longer, truth.affine), tmp_path / "longer.nii.gz")
    longer, shorter = (Scan(f"{name}.nii.gz", "bert", "MR", "", axes="k") for name in ("longer", "bert"))
    assert measure("linear", [longer], tmp_path, (2,), ("mean",)) == measure("linear", [shorter], scans, (2,), ("mean",))


def test_no_scan_gives_no_entry(scans):
    assert measure("linear", [], scans, (2,), ("mean",)) == []
    assert gains([]) == ""


def test_the_table_gives_each_gain_their_mean_and_the_worst():
    shared = {"modality": "MR", "factor": 2, "profile": "mean", "psnr_cubic": 30.0}
    shared |= {"ncc": 0.99, "ncc_cubic": 0.98, "ssim": 0.95, "ssim_cubic": 0.9}
    table = gains([shared | {"subject": "a", "axis": "i", "psnr": 33.0}, shared | {"subject": "b", "axis": "k", "psnr": 31.0}]).splitlines()
    assert "PSNR  30.00 ->  33.00 dB (+3.00)" in table[0] and table[1].startswith("b ")
    assert table[2] == "mean of 2: MR x2 mean: +2.00 dB, worst +1.00 dB"


# Real pairs.


@pytest.fixture
def pair(scans):
    """bert once more, four times as thick along k as a scanner measured it: noise tells it from any that is made of the fine scan."""
    fine = read_volume(scans / "bert.nii.gz")
    thick = degrade(fine.with_voxels(fine.voxels.astype(np.float32)), 4, "k", noise=5, seed=3)
    write_volume(thick, scans / "thick.nii.gz")
    return replace(SCAN, thick="thick.nii.gz")


def test_a_real_thick_scan_is_what_is_upscaled(pair, scans):
    (entry,) = measure("linear", [pair], scans, (2, 4), ("mean", "kspace"))
    assert (entry["subject"], entry["factor"], entry["axis"], entry["profile"]) == ("bert", 4, "k", "measured")
    truth = align(read_volume(scans / "thick.nii.gz"), load_scan(SCAN, scans), 4).fine.voxels
    for model, ending in (("linear", ""), ("cubic", "_cubic")):
        fine = upscale(read_volume(scans / "thick.nii.gz"), model=model, factor=4, axis="k").volume.voxels
        assert entry[f"psnr{ending}"] == pytest.approx(10 * np.log10(np.ptp(truth) ** 2 / np.square(fine - truth).mean()), abs=1e-3)
    assert "bert" in gains([entry]) and "measured" in gains([entry])


def test_the_middle_of_a_real_pair_is_cut_where_thick_voxels_end(pair, scans):
    """Seven thick slices and five of them: from the second on."""
    (entry,) = measure("linear", [pair], scans, (4,), ("mean",), extent=20)
    thick = read_volume(scans / "thick.nii.gz")
    truth = align(thick, load_scan(SCAN, scans), 4).fine.voxels[4:24, 5:25, 6:26]
    middle = replace(thick, voxels=thick.voxels[1:6, 5:25, 6:26])
    fine = upscale(middle, model="linear", factor=4, axis="k").volume.voxels
    assert entry["psnr"] == pytest.approx(10 * np.log10(np.ptp(truth) ** 2 / np.square(fine - truth).mean()), abs=1e-3)


@pytest.mark.parametrize(("factors", "task", "extent"), [((2, 3), "axis", 0), ((4,), "plane", 0), ((4,), "axis", 7)])
def test_a_real_pair_that_serves_neither_factor_nor_task_is_left_out(pair, scans, factors, task, extent):
    assert measure("linear", [pair], scans, factors, ("mean",), task=task, extent=extent) == []


def test_the_factor_of_a_pair_does_not_depend_on_the_order_of_its_axes(pair, scans):
    fine = read_volume(scans / "bert.nii.gz")
    write_volume(Volume(np.transpose(fine.voxels, (2, 0, 1)), fine.affine[:, [1, 2, 0, 3]]), scans / "bert.nii.gz")
    found = measured_pair(pair, scans, (4,))
    assert (found.factor, found.axis, found.fine.shape) == (4, "k", fine.shape)


def test_scans_of_different_things_are_no_pair(scans, pair):
    with pytest.raises(RequestError, match="correlates with the thick one"):
        measure("linear", [replace(pair, file="anna.nii.gz")], scans, (4,), ("mean",))
