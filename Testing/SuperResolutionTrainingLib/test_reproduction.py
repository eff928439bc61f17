import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import picture_psnr, psnr
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib import reproduction
from SuperResolutionTrainingLib.plain_data import build
from SuperResolutionTrainingLib.reproduction import ENSEMBLE, reproduce, rows_of
from SuperResolutionTrainingLib.source_benchmark import SourceBenchmark
from SuperResolutionTrainingLib.volume_measures import Context, measure_volume


@pytest.fixture
def recipe(tmp_path, plain_recipe):
    """The recipe of a small network for one axis or planes, trained for three steps."""
    arguments = {"channels": [4, 4], "kernels": [3, 3, 3]}
    plain = plain_recipe | {"network": "srcnn", "arguments": arguments, "scans": [], "validated_factors": []}
    plain |= {"stages": [{"steps": 3, "losses": {"l1": 1}, "learning_rate": 0.001}], "measured_extent": 16}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(plain))
    return str(tmp_path / "tiny.yaml")


@pytest.fixture
def benchmark(recipe):
    def make(**changes):
        plain = {
            "id": "tiny",
            "title": "small networks",
            "source": "A. Nobody, 2020",
            "data": {"what": "blobs", "where": "here", "terms": "free", "layout": "NAME.nii.gz"},
            "modalities": ["MR"],
            "validation": 0.5,
            "profile": "mean",
            "psnr": {"peak": "255", "assumed": False, "why": "It says so."},
            "networks": [
                {"name": "flat", "recipe": recipe, "changes": {"task": "plane", "arguments": {"task": "plane"}}, "comparisons": ["2-D"]},
                {"name": "deep", "recipe": recipe, "comparisons": ["3-D"]},
            ],
            "models": ["fast"],
            "baselines": ["lanczos"],
            "ensemble": True,
            "comparisons": [{"name": "2-D", "axes": "plane", "factors": [2]}, {"name": "3-D", "axes": "all", "factors": [2]}],
            "published": [{"comparison": "2-D", "factor": 2, "method": "CNN", "ours": "flat", "figures": {"psnr": 36.25}}],
            "differences": ["The scans."],
        }
        return build(SourceBenchmark, plain | changes, "benchmark")

    return make


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("trained again")

    return lambda: monkeypatch.setattr(reproduction, "run", refuse)


def test_networks_are_trained_and_measured_on_the_other_subjects(benchmark, scans, tmp_path, no_training):
    out, told = tmp_path / "out", []
    record = reproduce(benchmark(), scans, out, tell=told.append)
    planes, volumes = record["comparisons"]
    models = ["cubic", "lanczos", "fast"]
    assert list(dict.fromkeys(row["model"] for row in planes["rows"])) == [*models, "flat", f"flat{ENSEMBLE}"]
    assert list(dict.fromkeys(row["model"] for row in volumes["rows"])) == [*models, "deep", f"deep{ENSEMBLE}"]
    assert len(record["data"]["train"]) == len(record["data"]["validation"]) == 1 and record["failures"] == []
    assert {(each["name"], each["factor"], each["steps"]) for each in record["networks"]} == {("flat", 2, 3), ("deep", 2, 3)}
    assert all(row["subjects"] == 1 and not row["trained_on"] for row in planes["rows"])
    assert all("psnr_255" in row["mean"] for row in planes["rows"] if row["region"] == "whole")
    assert json.loads((out / "reproduction.json").read_text()) == record and str(tmp_path) not in json.dumps(record["comparisons"])
    assert "36.25 dB" in (out / "reproduction.txt").read_text()
    assert (out / "2-D" / "report.html").is_file() and (out / "3-D" / "comparison.csv").is_file()
    assert any(message.get("stage") == "training of flat at factor 2" for message in told)

    no_training()
    again = []
    assert reproduce(benchmark(), scans, out, tell=again.append)["comparisons"] == record["comparisons"]
    assert not any("lanczos" in message.get("stage", "") for message in again), "measured again"


def test_networks_are_measured_bare(benchmark, scans, tmp_path):
    reproduce(benchmark(networks=[], published=[]), scans, tmp_path / "out")
    entries = json.loads((tmp_path / "out" / "2-D" / "comparison.json").read_text())["entries"]
    assert {entry["consistency"] for entry in entries} == {False} and {entry["axis"] for entry in entries} == {"plane"}


def test_a_training_that_was_interrupted_goes_on(benchmark, scans, tmp_path, monkeypatch):
    resumed = []
    real = reproduction.run

    def interrupted(recipe, data, folder, resume, **how):
        real(recipe, data, folder, resume, **how)
        (folder / "flat.json").unlink()
        raise KeyboardInterrupt

    only = benchmark().with_networks(("flat",))
    monkeypatch.setattr(reproduction, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reproduce(only, scans, tmp_path / "out")
    monkeypatch.setattr(reproduction, "run", lambda *given, **how: resumed.append(given[3]) or real(*given, **how))
    reproduce(only, scans, tmp_path / "out")
    assert resumed == [True]


def test_a_network_that_cannot_be_trained_is_told_and_the_others_are_measured(benchmark, scans, tmp_path, recipe):
    broken = {"name": "flat", "recipe": recipe, "changes": {"patches": {"margin": 40}}}
    with pytest.raises(RequestError, match="margin of 40"):
        reproduce(benchmark(networks=[broken]), scans, tmp_path / "never")
    lacking = {"name": "flat", "recipe": recipe, "changes": {"start": "absent.safetensors"}}
    record = reproduce(benchmark(networks=[lacking]), scans, tmp_path / "out")
    assert record["failures"][0]["what"] == "training of flat at factor 2" and "absent.safetensors" in record["failures"][0]["message"]
    assert {row["model"] for row in record["comparisons"][0]["rows"]} == {"cubic", "lanczos", "fast"}
    assert "failed: training of flat" in (tmp_path / "out" / "reproduction.txt").read_text()


def test_a_folder_with_networks_trained_in_another_way_keeps_them(benchmark, scans, tmp_path):
    only = benchmark(ensemble=False).with_networks(("flat",))
    reproduce(only, scans, tmp_path / "out")
    before = (tmp_path / "out" / "networks" / "flat-x2" / "flat.safetensors").read_bytes()
    record = reproduce(only, scans, tmp_path / "out", minutes=9)
    assert "trained in another way" in record["failures"][0]["message"]
    assert (tmp_path / "out" / "networks" / "flat-x2" / "flat.safetensors").read_bytes() == before


def test_the_scans_of_a_recipe_are_taken_with_their_split(benchmark, scans, tmp_path, plain_recipe):
    listed = [scan | {"axes": "ijk"} for scan in plain_recipe["scans"]] + [
        plain_recipe["scans"][0] | {"file": "no.nii.gz", "modality": "CT"}
    ]
    (tmp_path / "listed.yaml").write_text(yaml.safe_dump(plain_recipe | {"scans": listed}))
    plain = benchmark(networks=[], published=[])
    record = reproduce(plain, scans, tmp_path / "out", scans=str(tmp_path / "listed.yaml"))
    assert record["data"] == {"train": ["anna.nii.gz (MR, CC0-1.0)"], "validation": ["bert.nii.gz (MR, CC-BY-4.0)"]}
    (tmp_path / "listed.yaml").write_text(yaml.safe_dump(plain_recipe | {"scans": listed[:2][::-1]}))
    with pytest.raises(RequestError, match="another choice of scans"):
        reproduce(plain, scans, tmp_path / "out", scans=str(tmp_path / "listed.yaml"))


def test_a_folder_without_the_scans_is_refused(benchmark, scans, tmp_path):
    with pytest.raises(RequestError, match="nowhere: no such folder"):
        reproduce(benchmark(), tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(RequestError, match="CT"):
        reproduce(benchmark(modalities=["CT"]), scans, tmp_path / "out")


def entry(model, subject, psnr, file="a", **more):
    means = {"psnr": psnr, "ncc": 0.9, "ssim": None, "rmse": 1.0}
    summary = [{"region": region, "along": "ijk", "mean": means} for region in ("whole", "foreground")]
    place = {"file": file, "series": "", "subject": subject, "coarsen": [1, 1, 1], "axis": "k", "factor": 2, "profile": "mean"}
    return place | {"model": model, "trained_on": False, "summary": summary, "measures": {"psnr_255": {"value": psnr + 1}}} | more


def test_a_subject_counts_once_however_many_scans_there_are_of_it():
    given = [("anna", "a", 30, 31), ("anna", "b", 34, 37), ("bert", "c", 40, 40)]
    entries = [entry("cubic", subject, base, file) for subject, file, base, _ in given]
    entries += [entry("own", subject, value, file, trained_on=file == "b") for subject, file, _, value in given]
    cubic, _, own, inside = rows_of(entries, ["psnr_255"])
    assert (own["subjects"], own["mean"]["psnr"], own["deviation"]["psnr"]) == (2, 37, 3)
    assert own["gain_db"] == 1 and own["trained_on"] and cubic["gain_db"] == 0
    assert own["mean"]["psnr_255"] == 38 and "psnr_255" not in inside["mean"]
    assert np.isnan(own["mean"]["ssim"])


def test_the_psnr_of_sources_is_taken_across_the_plane_made_finer():
    random = np.random.default_rng(0)
    truth = Volume(random.integers(100, 300, (12, 13, 14)).astype(np.float32), np.eye(4))
    made = truth.with_voxels(truth.voxels + random.normal(0, 5, truth.shape).astype(np.float32))
    names = ("psnr_range", "psnr_maximum", "psnr_255")
    for axis, across in (("ij", 0), ("ik", 1), ("k", 0), ("ijk", 0)):
        told = measure_volume(names, made, truth, Context(axis=axis))
        assert told["psnr_255"]["value"] == picture_psnr(made.voxels, truth.voxels, across)
    assert told["psnr_range"]["value"] == psnr(made.voxels, truth.voxels)
    assert told["psnr_maximum"]["value"] == psnr(made.voxels, truth.voxels, peak=float(truth.voxels.max()))
    mask = np.ones(truth.shape, bool)
    assert measure_volume(names, made, truth, replace(Context(), mask=mask))["psnr_255"]["reason"]
