"""An uneven or sheared series is resampled where asked: every point of the patient stays at its millimetre, and the user is told."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import Dataset, dcmread

from dicom_phantom import OBLIQUE, Phantom, noise, save
from SuperResolutionLib import worker
from SuperResolutionLib.cli import main
from SuperResolutionLib.dicom import read_dicom
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.upscaling import upscale

TAN15 = np.tan(np.radians(15))


def ramp(points: np.ndarray) -> np.ndarray:
    """Return a value that grows linearly through the patient, positive in the phantoms; points in LPS mm."""
    return 2000 + points @ [7.0, -5.0, 11.0]


def sphere(points: np.ndarray) -> np.ndarray:
    """Return a ball of soft rim on air, 9 mm in radius, around the middle of the phantoms."""
    return -1000 + 1040 / (1 + np.exp(np.linalg.norm(points - [16.0, 18.0, 15.0], axis=-1) - 9))


def positions_of(places: np.ndarray, shape: tuple[int, int], directions: np.ndarray) -> np.ndarray:
    """Return the centres of the pixels of 1 mm of slices whose first pixels lie at `places`, in the system of the slices, mm."""
    columns, rows = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
    plane = np.stack([columns, rows, np.zeros(shape)], axis=-1)
    return (places[:, None, None] + plane) @ directions.T


def series(places, content=ramp, directions=np.eye(3), shape=(10, 12), **changes) -> Phantom:
    """Return a series of 1 mm pixels that samples `content`; `places` of the first pixels are in the system of the slices, mm."""
    places = np.asarray(places, float)

    def edit(image: Dataset, k: int) -> None:
        image.ImagePositionPatient = [float(f"{value:.9g}") for value in directions @ places[k]]

    # Stored in thousandths, so that what is compared is the interpolation and not the rounding.
    stored = np.rint(1000 * content(positions_of(places, shape, directions))).astype(np.int32)
    return Phantom(stored, directions, (1, 1, 3.0), edit=edit, slope=0.001, intercept=0, **changes)


def upright(heights) -> np.ndarray:
    return np.array([[0, 0, height] for height in heights], float)


def tilted(count: int) -> np.ndarray:
    return np.array([[0, 3 * k * TAN15, 3.0 * k] for k in range(count)])


def points_of(volume) -> np.ndarray:
    """Return the LPS mm of every voxel, (k, j, i, 3)."""
    k, j, i = np.meshgrid(*map(np.arange, volume.shape), indexing="ij")
    return volume.points(np.stack([i, j, k], axis=-1))


def inside(volume, margin: float = 1) -> np.ndarray:
    """Tell which voxels of a tilted volume of 1 mm pixels hold what was measured, `margin` pixels inside the shifted slices."""
    rows = np.arange(volume.shape[1])[None, :, None]
    start = (3 * np.arange(volume.shape[0]) * TAN15)[:, None, None]
    height = volume.shape[1] - int(np.ceil(start.max()))
    return np.broadcast_to((rows >= start + margin) & (rows <= start + height - 1 - margin), volume.shape)


def holed(folder, phantom: Phantom, *lost: int) -> Phantom:
    """Write a series and lose some slices."""
    phantom.write(folder)
    for k in lost:
        (folder / phantom.file_name(k)).unlink()
    return phantom


def test_a_missing_slice_is_filled_exactly_and_in_its_place(tmp_path):
    holed(tmp_path, series(upright(100 + 3.0 * np.arange(7)), directions=OBLIQUE), 2)
    volume = read_dicom(tmp_path, resample=True)
    assert volume.notes == ("1 missing slice filled by linear interpolation at 106.000 mm along the normal",)
    assert volume.shape == (7, 10, 12)
    np.testing.assert_allclose(volume.points([0, 0, 2]), OBLIQUE @ [0, 0, 106], atol=1e-5)
    np.testing.assert_allclose(volume.voxels, ramp(points_of(volume)), atol=2e-3)


def test_several_missing_slices_are_filled_and_named(tmp_path):
    holed(tmp_path, series(upright(3.0 * np.arange(12))), 2, 6, 7)
    volume = read_dicom(tmp_path, resample=True)
    assert volume.shape == (12, 10, 12) and "3 missing slices filled by linear interpolation at 6.000, 18.000, 21.000 mm" in volume.notes[0]
    np.testing.assert_allclose(volume.voxels, ramp(points_of(volume)), atol=2e-3)


def test_measured_slices_stay_as_they_are_and_integers_stay_integers(tmp_path):
    stored = noise((7, 10, 12), dtype=np.uint16)
    holed(tmp_path, Phantom(stored), 3)
    volume = read_dicom(tmp_path, resample=True)
    assert volume.voxels.dtype == np.uint16
    np.testing.assert_array_equal(np.delete(volume.voxels, 3, 0), np.delete(stored, 3, 0))
    np.testing.assert_array_equal(volume.voxels[3], np.rint((stored[2].astype(float) + stored[4]) / 2))


def test_rounding_of_positions_neither_moves_nor_enlarges_the_plane_of_a_filled_series(tmp_path):
    stored = noise((7, 10, 12))
    holed(tmp_path, Phantom(stored).moved(2, 0.004, -0.004, 0), 4)
    volume = read_dicom(tmp_path, resample=True)
    assert volume.shape == stored.shape
    np.testing.assert_array_equal(np.delete(volume.voxels, 4, 0), np.delete(stored, 4, 0))


def test_a_slightly_wrong_median_of_the_steps_adds_no_slices(tmp_path):
    heights = np.cumsum([0, *[3.0] * 51, *[3.029] * 49])
    holed(tmp_path, series(upright(heights), shape=(4, 4)), 80)
    volume = read_dicom(tmp_path, resample=True)
    assert len(volume.voxels) == 101 and "1 missing slice" in volume.notes[0]
    np.testing.assert_allclose(volume.voxels, ramp(points_of(volume)), atol=0.1)


def test_a_filled_slice_has_the_header_of_the_slice_nearest_to_it(tmp_path):
    holed(tmp_path, series(upright(3.0 * np.arange(8))), 3, 4)
    heights = [float(header.ImagePositionPatient[2]) for header in read_dicom(tmp_path, resample=True).headers]
    assert heights == [0, 3, 6, 6, 15, 15, 18, 21]


@pytest.mark.parametrize("heights", [[0, 3, 6, 9, 12, 16], [0, 3, 6.05, 9, 12], [0, 2, 5, 8, 12, 15, 19.5], [0, 1, 3, 6, 8]])
def test_uneven_steps_become_even_ones_from_the_first_to_the_last_slice(tmp_path, heights):
    series(upright(heights), directions=OBLIQUE).write(tmp_path)
    volume = read_dicom(tmp_path, resample=True)
    steps = round(heights[-1] / np.median(np.diff(heights)))
    assert len(volume.voxels) == steps + 1 and volume.spacing[2] == pytest.approx(heights[-1] / steps)
    assert len(volume.notes) == 1 and f"to even steps of {heights[-1] / steps:.4g} mm" in volume.notes[0]
    np.testing.assert_allclose(volume.points([0, 0, steps]), OBLIQUE @ [0, 0, heights[-1]], atol=1e-5)
    np.testing.assert_allclose(volume.voxels, ramp(points_of(volume)), atol=2e-3)


def test_a_slow_drift_of_the_steps_is_evened_out(tmp_path):
    heights = [3.0 * k if k < 20 else 60 + 3.025 * (k - 20) for k in range(40)]
    series(upright(heights)).write(tmp_path)
    volume = read_dicom(tmp_path, resample=True)
    assert volume.shape == (40, 10, 12) and "off the even line" in volume.notes[0]
    np.testing.assert_allclose(volume.voxels, ramp(points_of(volume)), atol=5e-3)


@pytest.mark.parametrize("directions", [np.eye(3), OBLIQUE, OBLIQUE[:, ::-1]], ids=["axial", "oblique", "other hand"])
def test_a_tilted_gantry_comes_back_perpendicular_and_at_the_right_millimetre(tmp_path, directions):
    series(tilted(8), directions=directions).write(tmp_path)
    volume = read_dicom(tmp_path, resample=True)
    assert volume.is_orthogonal(1e-9) and volume.shape == (8, 16, 12) and volume.spacing == pytest.approx((1, 1, 3))
    assert volume.notes[0].startswith("sheared by 15.00 degrees: slices shifted in their planes onto a perpendicular grid")
    # Along the normal, whichever hand the slices' own system has, all slices are in the order of their heights.
    expected = ramp(points_of(volume))
    measured = inside(volume) if np.linalg.det(directions) > 0 else inside(volume)[::-1]
    np.testing.assert_allclose(volume.voxels[measured], expected[measured], atol=5e-3)
    assert measured.mean() > 0.4


def test_a_ball_under_a_tilted_gantry_stays_round_and_in_its_place(tmp_path):
    series(tilted(11), sphere, shape=(36, 32), modality="CT").write(tmp_path)
    volume = read_dicom(tmp_path, resample=True)
    points, measured = points_of(volume), inside(volume)
    # Between two pixels the mean lies beside a bent curve by at most an eighth of its second difference.
    np.testing.assert_allclose(volume.voxels[measured], sphere(points)[measured], atol=1040 * 0.1 / 8)
    weights = volume.voxels + 1000.0
    np.testing.assert_allclose((points * weights[..., None]).sum((0, 1, 2)) / weights.sum(), [16, 18, 15], atol=0.05)


def test_what_no_shifted_slice_covers_has_the_lowest_value(tmp_path):
    series(tilted(8), modality="CT").write(tmp_path)
    volume = read_dicom(tmp_path, resample=True)
    assert (volume.voxels[~inside(volume, -1)] == volume.voxels.min()).all()


def test_a_tilt_and_a_missing_slice_are_amended_together(tmp_path):
    holed(tmp_path, series(tilted(8), directions=OBLIQUE), 3)
    volume = read_dicom(tmp_path, resample=True)
    assert volume.shape == (8, 16, 12) and len(volume.notes) == 2 and "9.000 mm" in volume.notes[0] and "15.00 degrees" in volume.notes[1]
    measured = inside(volume).copy()
    measured[3] &= inside(volume)[2] & inside(volume)[4]
    np.testing.assert_allclose(volume.voxels[measured], ramp(points_of(volume))[measured], atol=5e-3)


def test_a_slice_shifted_sideways_is_put_back(tmp_path):
    places = upright(3.0 * np.arange(7))
    places[2, :2] = [0.75, -1.5]
    series(places, directions=OBLIQUE).write(tmp_path)
    volume = read_dicom(tmp_path, resample=True)
    assert volume.shape == (7, 12, 13) and "off the even line" in volume.notes[0]
    np.testing.assert_allclose(volume.points([0, 2, 0]), [0, 0, 0], atol=1e-9)
    measured = np.s_[:, 2:10, 1:12]
    np.testing.assert_allclose(volume.voxels[measured], ramp(points_of(volume))[measured], atol=5e-3)


@pytest.mark.parametrize("kind", ["classic", "enhanced"])
def test_a_regular_series_is_read_as_without(tmp_path, kind):
    if kind == "classic":
        Phantom(noise(), OBLIQUE).moved(2, 0.004, -0.004, 0.005).write(tmp_path)
    else:
        save(Phantom(noise(), OBLIQUE).enhanced(), tmp_path / "multi.dcm")
    plain, asked = read_dicom(tmp_path), read_dicom(tmp_path, resample=True)
    assert asked.voxels.tobytes() == plain.voxels.tobytes() and asked.affine.tobytes() == plain.affine.tobytes()
    assert asked.voxels.dtype == plain.voxels.dtype and asked.headers == plain.headers and asked.notes == ()


@pytest.mark.parametrize(
    ("places", "offered"),
    [(upright([0, 3, 9, 12]), "complete series"), (upright([0, 3, 6, 10]), "even steps"), (tilted(4), "stacked along their normal")],
)
def test_the_refusal_offers_resampling_on_one_line(tmp_path, places, offered):
    series(places).write(tmp_path)
    with pytest.raises(RequestError, match=rf"accepted are .*{offered}, or resampling by linear interpolation \(--resample\)$"):
        read_dicom(tmp_path)


def test_several_images_at_one_place_stay_refused(tmp_path):
    series(upright([0, 3, 3, 6, 9])).write(tmp_path)
    with pytest.raises(RequestError, match="at the same place") as caught:
        read_dicom(tmp_path, resample=True)
    assert "--resample" not in str(caught.value)


@pytest.mark.parametrize("places", [upright([0, 3, 6, 90]), [[0, 40 * k, 3 * k] for k in range(4)]], ids=["gap", "shear"])
def test_a_volume_of_which_most_would_be_invented_is_refused(tmp_path, places):
    series(places).write(tmp_path)
    with pytest.raises(RequestError, match="at least 1/4 was measured"):
        read_dicom(tmp_path, resample=True)


def test_every_file_made_of_a_resampled_volume_says_so(tmp_path):
    holed(tmp_path / "series", Phantom(noise((7, 12, 14))), 3)
    volume = read_volume(tmp_path / "series", resample=True)
    result = upscale(volume, model="linear", factor=2)
    note = volume.notes[0]
    assert note in result.warnings and note in result.volume.provenance.describe()
    for name, made in (("degraded", volume), ("fine", result.volume)):
        for suffix in (".nrrd", ".nii", ""):
            write_volume(made, tmp_path / f"{name}{suffix}")
        assert sitk.ReadImage(str(tmp_path / f"{name}.nrrd")).GetMetaData("SuperResolution.notes") == note
        assert "resampled" in sitk.ReadImage(str(tmp_path / f"{name}.nii")).GetMetaData("descrip")
        image = dcmread(tmp_path / name / "IM0001.dcm")
        assert note in image.DerivationDescription
        sources = [item.ReferencedSOPInstanceUID for item in image.SourceImageSequence]
        assert len(sources) == len(set(sources)) == 6


def test_a_straightened_series_says_nothing_of_a_tilt(tmp_path):
    phantom = series(tilted(5), modality="CT")

    def edit(image: Dataset, k: int) -> None:
        phantom.edit(image, k)
        image.GantryDetectorTilt = 15

    replace(phantom, edit=edit).write(tmp_path / "tilted")
    write_volume(read_volume(tmp_path / "tilted", resample=True), tmp_path / "straight")
    assert "GantryDetectorTilt" not in dcmread(tmp_path / "straight" / "IM0001.dcm")


@pytest.fixture
def with_a_hole(tmp_path):
    """A series that lacks the slice at 9 mm."""
    phantom = Phantom(noise((7, 12, 14)), origin=(0, 0, 0))
    holed(tmp_path / "series", phantom, 3)
    return tmp_path / "series"


@pytest.mark.parametrize("command", ["info", "upscale", "degrade"])
def test_the_command_line_refuses_a_hole_and_fills_it_where_asked(tmp_path, capsys, with_a_hole, command):
    output = [] if command == "info" else [str(tmp_path / "out.nrrd"), "--factor", "2"]
    arguments = [command, str(with_a_hole), *output, *(["--model", "linear"] if command == "upscale" else [])]
    assert main(arguments) == 2
    assert "missing slice at 9.000 mm" in capsys.readouterr().err and not (tmp_path / "out.nrrd").exists()
    assert main([*arguments, "--resample"]) == 0
    told = capsys.readouterr()
    assert "warning: 1 missing slice filled by linear interpolation at 9.000 mm" in told.out + told.err
    if output:
        assert "9.000 mm" in sitk.ReadImage(output[0]).GetMetaData("SuperResolution.notes")


def test_the_description_of_a_filled_volume_says_so(capsys, with_a_hole):
    assert main(["info", str(with_a_hole), "--resample", "--json"]) == 0
    description = json.loads(capsys.readouterr().out)
    assert description["shape"] == [14, 12, 7] and "9.000 mm" in description["notes"][0]


@pytest.mark.parametrize(("resample", "status"), [(True, 0), (False, 2), ("yes", 2)])
def test_a_request_may_ask_for_resampling(tmp_path, capsys, with_a_hole, resample, status):
    settings = {"model": "linear", "factor": 2}
    request = {"input": str(with_a_hole), "output": str(tmp_path / "out.nrrd"), "settings": settings, "resample": resample}
    (tmp_path / "request.json").write_text(json.dumps(request))
    assert worker.main([str(tmp_path / "request.json")]) == status
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    warned = [message["message"] for message in messages if message["type"] == "warning"]
    assert bool(warned) == (status == 0) and all("9.000 mm" in message for message in warned)
