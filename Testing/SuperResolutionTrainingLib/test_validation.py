import numpy as np
import pytest

from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.upscaling import upscale
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingLib.samples import load_scan
from SuperResolutionTrainingLib.validation import gains, measure

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
