import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import yaml

from SuperResolutionLib import cli
from SuperResolutionLib.acquisition import degrade
from SuperResolutionLib.errors import WorkError
from SuperResolutionLib.files import write_volume
from SuperResolutionLib.upscaling import upscale
from SuperResolutionTrainingLib import contestants
from SuperResolutionTrainingLib.comparison_record import FILE
from SuperResolutionTrainingLib.comparison_totals import format_comparison
from SuperResolutionTrainingLib.kept_planes import read_trial
from SuperResolutionTrainingLib.model_comparison import RECORD, compare, compare_folders, failure_in_words
from SuperResolutionTrainingLib.plain_data import read_json_lines
from SuperResolutionTrainingLib.recipe import Scan
from SuperResolutionTrainingLib.revision import versions
from SuperResolutionTrainingLib.samples import load_scan
from SuperResolutionTrainingLib.slice_scores import Reference, summarise
from SuperResolutionTrainingLib.trials import ScanTrial, trials_of

SCAN = Scan("bert.nii.gz", "bert", "MR", split="validation")
TRIAL = ScanTrial(SCAN, "k", 2, "mean")


def test_every_model_is_measured_in_every_trial_and_cubic_always_among_them(scans, model):
    record = compare(["linear", model()], trials_of([SCAN], "jk", [2], ["mean"]), scans)
    assert [(entry["axis"], entry["model"]) for entry in record["entries"]] == [
        (axis, name) for axis in "jk" for name in ("cubic", "linear", "own")
    ]
    assert {(row["model"], row["region"], row["trials"]) for row in record["models"]} == {
        (name, region, 2) for name in ("cubic", "linear", "own") for region in ("whole", "foreground")
    }


def test_the_figures_are_those_of_the_upscaled_volume_slice_by_slice(scans):
    truth = load_scan(SCAN, scans)
    fine = upscale(degrade(truth, 2, "k"), model="linear", factor=2, axis="k").volume
    expected = {(each.region, each.along): each for each in summarise(Reference(truth).score(fine))}
    entry = compare(["linear"], [TRIAL], scans)["entries"][1]
    for found in entry["summary"]:
        assert found["mean"] == pytest.approx(expected[found["region"], found["along"]].mean)
    row = next(row for row in compare(["linear"], [TRIAL], scans)["models"] if row["model"] == "linear" and row["region"] == "whole")
    assert row["mean"]["psnr"] == pytest.approx(expected["whole", "ijk"].mean["psnr"]) and row["gain_db"] == row["worst_gain_db"] < 0


def test_slices_that_no_whole_thick_slice_covers_are_left_out(scans):
    """28 slices at factor 3 are nine thick ones: 27."""
    entry = compare([], [ScanTrial(SCAN, "k", 3, "mean")], scans)["entries"][0]
    assert next(each["slices"] for each in entry["summary"] if each["along"] == "k") == 25


def test_a_model_says_where_it_was_trained_on_the_subject(scans, model):
    record = compare([model(trained_on=["bert"])], [TRIAL], scans)
    assert [entry["trained_on"] for entry in record["entries"]] == [False, True]
    assert "trained on some of these subjects" in format_comparison(record)


def test_what_was_measured_is_not_measured_again(scans, tmp_path, monkeypatch):
    first = compare(["linear"], [TRIAL], scans, tmp_path / "out")
    told = []
    again = compare(
        ["linear", "nearest"],
        [TRIAL, ScanTrial(SCAN, "j", 2, "mean")],
        scans,
        tmp_path / "out",
        tell=lambda fraction, line: told.append(line),
    )
    assert [line.split(": ")[1] for line in told] == ["nearest", "cubic", "linear", "nearest"]
    assert again["entries"][:2] == first["entries"]
    monkeypatch.setattr(contestants, "make_fine", None)
    assert compare(["linear"], [TRIAL], scans, tmp_path / "out") == first
    assert json.loads((tmp_path / "out" / RECORD).read_text()) == first


def test_measures_of_whole_volumes_are_added_to_what_was_measured(scans, tmp_path):
    told = []
    for measures, times in (([], 1), (["mse", "residual"], 2), (["residual"], 2), (["ms_ssim"], 3), ([], 3)):
        record = compare([], [TRIAL], scans, tmp_path, measures=measures, tell=lambda fraction, line: told.append(line))
        assert len(told) == times
    measured = record["entries"][0]["measures"]
    truth = TRIAL.load(scans)[1].voxels
    fine = upscale(TRIAL.load(scans)[0], model="cubic", factor=2, axis="k").volume.voxels
    assert measured["mse"]["value"] == pytest.approx(np.mean((fine - truth) ** 2), rel=1e-5)
    assert 0 < measured["residual"]["value"] < 0.1 and measured["ms_ssim"]["value"] > 0
    assert "MS-SSIM: Multi-scale SSIM in 3-D" in record["conventions"]


def test_a_line_that_a_killed_process_left_half_is_measured_again(scans, tmp_path):
    first = compare(["linear"], [TRIAL], scans, tmp_path)
    lines = (tmp_path / FILE).read_text().splitlines()
    (tmp_path / FILE).write_text(lines[0] + "\n" + lines[1][:100])
    told = []
    again = compare(["linear"], [TRIAL], scans, tmp_path, tell=lambda fraction, line: told.append(line))
    assert [line.split(": ")[1] for line in told] == ["linear"] and again["models"] == first["models"]
    assert len((tmp_path / FILE).read_text().splitlines()) == 2


def test_a_model_whose_weights_changed_is_measured_again(scans, tmp_path, model):
    compare([model()], [TRIAL], scans, tmp_path / "out")
    told = []
    compare([model(channels=4)], [TRIAL], scans, tmp_path / "out", tell=lambda fraction, line: told.append(line))
    assert [line.split(": ")[1] for line in told] == ["own"]


def test_a_scan_that_was_written_anew_is_measured_again(scans, tmp_path):
    """Or else a new model would be held against the baseline of an older scan."""
    data = shutil.copytree(scans, tmp_path / "data")
    compare([], [TRIAL], data, tmp_path / "out")
    shutil.copy(data / "anna.nii.gz", data / TRIAL.scan.file)
    told = []
    again = compare(["linear"], [TRIAL], data, tmp_path / "out", tell=lambda fraction, line: told.append(line))
    assert [line.split(": ")[1] for line in told] == ["cubic", "linear"]
    assert again["models"] == compare(["linear"], [TRIAL], data)["models"]


def test_what_was_measured_before_there_were_curves_is_measured_again(scans, tmp_path):
    first = compare(["linear"], [TRIAL], scans, tmp_path)
    cubic, linear = map(json.loads, (tmp_path / FILE).read_text().splitlines())
    (tmp_path / FILE).write_text(json.dumps({name: value for name, value in cubic.items() if name != "curves"}) + "\n" + json.dumps(linear))
    told = []
    again = compare(["linear"], [TRIAL], scans, tmp_path, tell=lambda fraction, line: told.append(line))
    assert [line.split(": ")[1] for line in told] == ["cubic"] and again["models"] == first["models"]


def test_networks_can_be_measured_without_the_projection_onto_the_measurement(scans, model, tmp_path):
    thick = degrade(load_scan(SCAN, scans), 2, "k")
    own = model(network="sr_dcnn", channels=[4])
    for consistency in (True, False):
        fine = upscale(thick, model=own, factor=2, axis="k", consistency=consistency, precision="float32").volume
        expected = next(summarise(Reference(load_scan(SCAN, scans)).score(fine))).mean["psnr"]
        entry = compare([own], [TRIAL], scans, tmp_path / "out", consistency=consistency, precision="float32")["entries"][1]
        assert entry["consistency"] is consistency and entry["summary"][0]["mean"]["psnr"] == pytest.approx(expected)


def test_the_record_says_what_it_comes_from(scans, model):
    record = compare([model(trained_on=["bert"], acquisitions=("gaussian",))], [TRIAL], scans)
    assert record["baseline"] == "cubic" and record["versions"] == versions() and record["versions"]["torch"].startswith("2.")
    assert "PSNR in dB: peak" in record["conventions"] and "Wilcoxon" in record["conventions"]
    assert [entry["trained_for"] for entry in record["entries"]] == [None, "gaussian"]
    assert {(test["first"], test["second"], test["subjects"]) for test in record["tests"]} == {("cubic", "own", 1)}
    assert {entry["precision"] for entry in record["entries"]} == {"", "float32"}, "which other one is faster depends on the machine"


def test_the_folder_holds_record_table_report_and_planes(scans, tmp_path):
    record = compare(["linear"], [TRIAL], scans, tmp_path)
    assert json.loads((tmp_path / RECORD).read_text()) == record
    with (tmp_path / "comparison.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if (row["region"], row["along"]) == ("whole", "ijk")]
    assert [float(row["psnr_mean"]) for row in rows] == [entry["summary"][0]["mean"]["psnr"] for entry in record["entries"]]
    assert "linear" in (tmp_path / "report.html").read_text()
    shown, truth = read_trial(tmp_path, record["entries"]), TRIAL.load(scans)[1]
    assert list(shown.models) == ["cubic", "linear"] and shown.thick["axial"].pixels.shape == (30, 32)
    assert any(np.array_equal(plane[::-1], shown.truth["coronal"].pixels[:, ::1]) for plane in truth.voxels.transpose(1, 0, 2))


def test_a_model_that_fails_costs_no_other_its_figures(scans, tmp_path, monkeypatch):
    make = contestants.Contestant.make

    def fails(self, trial, thick, follow):
        if self.id == "linear" and trial.axis == "j":
            raise MemoryError("no room")
        return make(self, trial, thick, follow)

    told, trials = [], [ScanTrial(SCAN, axis, 2, "mean") for axis in "jk"]
    monkeypatch.setattr(contestants.Contestant, "make", fails)
    record = compare(["linear", "nearest"], trials, scans, tmp_path, failed=told.append)
    message = "unforeseen MemoryError: no room"
    assert told == [f"bert, factor 2 along j, mean: linear: {message}"]
    assert record["failures"] == [{"trial": "bert, factor 2 along j, mean", "model": "linear", "message": message}]
    assert failure_in_words(record["failures"]) == f"1 measurement failed: linear on bert, factor 2 along j, mean ({message})"
    assert [(entry["model"], entry["axis"]) for entry in record["entries"]] == [
        ("cubic", "j"), ("nearest", "j"), ("cubic", "k"), ("linear", "k"), ("nearest", "k"),
    ]  # fmt: skip
    monkeypatch.setattr(contestants.Contestant, "make", make)
    measured = []
    again = compare(["linear", "nearest"], trials, scans, tmp_path, tell=lambda fraction, line: measured.append(line))
    assert measured == ["bert, factor 2 along j, mean: linear"] and len(again["entries"]) == 6 and again["failures"] == []


def test_where_the_baseline_failed_the_others_keep_their_figures(scans, monkeypatch):
    make = contestants.Contestant.make

    def fails(self, *rest):
        if self.id == "cubic":
            raise WorkError("no room")
        return make(self, *rest)

    monkeypatch.setattr(contestants.Contestant, "make", fails)
    record = compare(["linear"], [TRIAL], scans)
    assert [(row["model"], row["gain_db"]) for row in record["models"]] == [("linear", None)] * 2
    assert "linear" in format_comparison(record)


def test_where_everything_failed_there_is_no_record(scans, tmp_path):
    (scans / "bert.nii.gz").write_text("no volume")
    with pytest.raises(WorkError, match="2 measurements failed: cubic on bert, .*; linear on bert, .*; nothing was measured"):
        compare(["linear"], [TRIAL], scans, tmp_path)
    assert not (tmp_path / RECORD).exists()


def test_the_command_ends_with_status_1_and_names_what_failed(scans, tmp_path, capsys, monkeypatch):
    make = contestants.Contestant.make

    def fails(self, trial, *rest):
        if (self.id, trial.scan.subject) == ("linear", "anna"):
            raise WorkError("no room")
        return make(self, trial, *rest)

    monkeypatch.setattr(contestants.Contestant, "make", fails)
    status = cli.main(["evaluate", "--data", str(scans), "--models", "linear", "--factors", "2", "--axes", "k"])
    out, err = capsys.readouterr()
    assert status == 1 and out.splitlines()[3].split()[0] == "cubic" and out.splitlines()[4].split()[-1] == "1"
    assert "failed: anna, factor 2 along k, mean: linear: no room" in err.splitlines()
    assert err.splitlines()[-1] == "superresolution: 1 measurement failed: linear on anna, factor 2 along k, mean (no room)"


# ---- several at once


def without_seconds(record):
    return [{name: value for name, value in entry.items() if name not in ("seconds", "planes")} for entry in record["entries"]]


def assert_the_same(found, expected):
    assert without_seconds(found) == without_seconds(expected)
    assert {name: found[name] for name in ("models", "tests")} == {name: expected[name] for name in ("models", "tests")}


def test_two_processes_measure_the_same_as_one_and_only_what_is_missing(scans, tmp_path, model):
    trials = trials_of([Scan("anna.nii.gz", "anna", "MR"), SCAN], "jk", [2], ["mean"])
    models = ["linear", model(), model("stack", "sr_dcnn", channels=[4])]
    expected = compare(models, trials, scans)
    compare(["linear"], trials[:2], scans, tmp_path / "out")
    told = []
    found = compare(models, trials, scans, tmp_path / "out", jobs=2, tell=lambda *each: told.append(each))
    assert_the_same(found, expected)
    assert len(told) == 16 - 4 and len({line for _, line in told}) == 12 and told[-1][0] == 1
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert len((tmp_path / "out" / FILE).read_text().splitlines()) == 16
    one_by_one = compare(models, trials, scans, tmp_path / "one")
    for here, there in zip(found["entries"], one_by_one["entries"]):
        assert here["planes"] == there["planes"]
    for path in (tmp_path / "one" / "planes").iterdir():
        with np.load(path) as here, np.load(tmp_path / "out" / "planes" / path.name) as there:
            assert here.files == there.files and all(np.array_equal(here[name], there[name]) for name in here.files)


def test_a_dask_cluster_measures_the_same(scans, tmp_path, model):
    distributed = pytest.importorskip("distributed", reason="Dask's package distributed is not installed")
    models, trials = ["linear", model()], trials_of([SCAN], "jk", [2], ["mean"])
    options = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        (scans / "anna.nii.gz").write_text("no volume")
        found = compare(models, trials, scans, tmp_path / "out", scheduler=cluster.scheduler_address)
        told = []
        lost = [ScanTrial(Scan("anna.nii.gz", "anna", "MR"), "k", 2, "mean"), *trials]
        with_lost = compare(models, lost, scans, tmp_path / "out", scheduler=cluster.scheduler_address, failed=told.append)
    assert_the_same(found, compare(models, trials, scans))
    assert_the_same(with_lost | {"models": found["models"], "tests": found["tests"]}, found)
    assert len(told) == 3 and all("anna.nii.gz" in line for line in told)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX's")
def test_a_command_that_is_killed_leaves_no_process_and_is_taken_up_where_it_was(scans, tmp_path, capsys):
    options = ["--data", scans, "--models", "linear", "nearest", "lanczos", "--factors", *range(2, 9), "--out", tmp_path / "out"]
    command = [sys.executable, "-m", "SuperResolutionLib.cli", "evaluate", *map(str, options)]
    measured, total = tmp_path / "out" / FILE, 2 * 3 * 7 * 4
    # Killed by the system, and by Ctrl-C at a terminal, which reaches the whole group.
    for blow, send, status in ((signal.SIGKILL, os.kill, -signal.SIGKILL), (signal.SIGINT, os.killpg, 130)):
        before = lines_of(measured)
        process = subprocess.Popen([*command, "--jobs", "2"], start_new_session=True, stderr=subprocess.PIPE, text=True)
        wait_for(partial(has_more_lines, measured, before + 3))
        send(process.pid, blow)
        said = process.communicate(timeout=20)[1]
        assert process.returncode == status and "Traceback" not in said
        wait_for(partial(is_gone, process.pid))
        assert total > lines_of(measured) > before
    assert said.splitlines()[-1] == "superresolution: interrupted"
    done = len(read_json_lines(measured))
    assert cli.main([*command[3:], "--json"]) == 0
    *told, result = map(json.loads, capsys.readouterr().out.splitlines())
    assert len(told) == total - done and len(result["entries"]) == len(read_json_lines(measured)) == total


def lines_of(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


def has_more_lines(path, count):
    return lines_of(path) > count


def is_gone(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


# ---- folders of pairs


@pytest.fixture
def folders(scans, tmp_path):
    """Two folders of what interpolations make of the scans of anna and bert, each at factor 2 along k."""
    for name in ("linear", "cubic"):
        (tmp_path / name).mkdir()
        for subject in ("anna", "bert"):
            thick = degrade(load_scan(Scan(f"{subject}.nii.gz", subject, "MR"), scans), 2, "k")
            write_volume(upscale(thick, model=name, factor=2, axis="k").volume, tmp_path / name / f"{subject}.nrrd")
    return tmp_path / "linear", tmp_path / "cubic"


def test_folders_of_pairs_are_measured_as_the_models_that_made_them(scans, folders, tmp_path):
    trials = [ScanTrial(Scan(f"{name}.nii.gz", name, "MR"), "k", 2, "mean") for name in ("anna", "bert")]
    expected = compare(["linear"], trials, scans)
    found = compare_folders(scans, folders, tmp_path / "out")
    assert found["baseline"] == "cubic"
    assert [(entry["model"], entry["subject"], entry["factor"]) for entry in found["entries"]] == [
        (model, subject, None) for subject in ("anna", "bert") for model in ("linear", "cubic")
    ]
    rows = {(row["model"], row["region"]): row for row in expected["models"]}
    for row in found["models"]:
        assert row["mean"] == pytest.approx(rows[row["model"], row["region"]]["mean"], rel=1e-5)
        assert row["gain_db"] == pytest.approx(rows[row["model"], row["region"]]["gain_db"], abs=1e-4)
    assert (tmp_path / "out" / "report.html").exists()


def test_without_a_folder_named_cubic_gains_are_over_the_first(scans, folders):
    linear, cubic = folders
    record = compare_folders(scans, [linear, cubic.rename(cubic.with_name("ours"))])
    assert record["baseline"] == "linear"
    assert [row["gain_db"] > 0 for row in record["models"] if row["region"] == "whole"] == [False, True]


def test_a_volume_that_was_made_anew_is_measured_again_and_no_other(scans, folders, tmp_path):
    told = []
    how = {"tell": lambda fraction, line: told.append(line)}
    compare_folders(scans, folders, tmp_path / "out", **how)
    (folders[0] / "bert.nrrd").write_bytes((folders[1] / "bert.nrrd").read_bytes())
    record = compare_folders(scans, folders, tmp_path / "out", **how)
    assert told == ["anna: linear", "anna: cubic", "bert: linear", "bert: cubic", "bert: linear"]
    ours = [entry["summary"] for entry in record["entries"] if entry["subject"] == "bert"]
    assert ours[0] == ours[1]


def test_the_command_compares_folders(scans, folders, tmp_path, capsys):
    (folders[0] / "bert.nrrd").unlink()
    options = ["--references", scans, "--candidates", *folders, "--out", tmp_path / "out"]
    assert cli.main(["evaluate", *map(str, options)]) == 0
    out, err = capsys.readouterr()
    assert err.splitlines() == [f"{folders[0]}: no candidate for 'bert'", "anna: linear", "anna: cubic", "bert: cubic"]
    assert out.splitlines()[3].split()[:3] == ["cubic", "-", "-"]
    assert cli.main(["evaluate", *map(str, options), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"type": "result"} | json.loads((tmp_path / "out" / RECORD).read_text())


def test_a_candidate_without_reference_is_refused_before_the_work_starts(scans, folders, capsys):
    (scans / "bert.nii.gz").unlink()
    assert cli.main(["evaluate", "--references", str(scans), "--candidates", str(folders[0])]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"superresolution: {folders[0]}: 'bert' without a reference in {scans}; accepted are volumes named as references"
    ]


def test_mean_and_deviation_are_over_the_trials(scans):
    trials = trials_of([Scan("anna.nii.gz", "anna", "MR"), SCAN], "k", [2], ["mean"])
    record = compare([], trials, scans)
    values = [next(each["mean"]["psnr"] for each in entry["summary"]) for entry in record["entries"]]
    row = next(row for row in record["models"] if row["region"] == "whole")
    assert (row["trials"], row["subjects"]) == (2, 2)
    assert (row["mean"]["psnr"], row["deviation"]["psnr"]) == pytest.approx((np.mean(values), np.std(values)))


def test_a_folder_that_cannot_be_written_is_named(scans, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="file/out"):
        compare([], [TRIAL], scans, tmp_path / "file" / "out")


def test_the_command_compares_on_the_validation_scans_of_a_recipe(scans, plain_recipe, tmp_path, capsys):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(plain_recipe))
    options = ["--data", scans, "--scans", recipe, "--models", "linear", "--factors", 2, "--out", tmp_path / "out"]
    assert cli.main(["evaluate", *map(str, options), "--json"]) == 0
    *told, result = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["stage"] for line in told] == [f"bert, factor 2 along k, mean: {name}" for name in ("cubic", "linear")]
    assert [line["fraction"] for line in told] == [0, 0.5]
    assert result == {"type": "result"} | json.loads((tmp_path / "out" / RECORD).read_text())
    assert cli.main(["evaluate", *map(str, options)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[3].split()[0] == "cubic" and table[4].split()[0] == "linear" and "PSNR in dB: peak" in table[-1]


def test_the_command_takes_every_scan_of_a_folder(scans, capsys):
    assert cli.main(["evaluate", "--data", str(scans), "--models", "nearest", "--factors", "2", "--axes", "j"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told == [f"{name}, factor 2 along j, mean: {model}" for name in ("anna", "bert") for model in ("cubic", "nearest")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "evaluate needs CANDIDATE and REFERENCE, --data"),
        (["a.nii"], "evaluate needs CANDIDATE and REFERENCE, --data"),
        (["a.nii", "b.nii", "--data", "SCANS"], "evaluate: CANDIDATE does not go with --data"),
        (["--data", "SCANS", "--report", "out"], "evaluate: --report does not go with --data"),
        (["a.nii", "b.nii", "--out", "out"], "evaluate: --out does not go with CANDIDATE"),
        (["--references", "SCANS", "--candidates", "SCANS", "--models", "fast"], "evaluate: --models does not go with --references"),
        (["--references", "SCANS"], "evaluate needs CANDIDATE and REFERENCE, --data, or --references and --candidates"),
        (["--data", "SCANS", "--jobs", "0"], "--jobs 0; accepted are whole numbers from 1"),
        (["--data", "SCANS", "--jobs", "2", "--scheduler", "tcp://x:1"], "from 1, and none with --scheduler"),
        (["--data", "SCANS", "--metrics", "beauty"], "measure 'beauty': accepted are all, mse"),
        (["--data", "SCANS", "--scans", "srcnn"], "recipe 'srcnn': lists no scans"),
        (["--data", "SCANS", "--models", "absent.safetensors"], "absent.safetensors"),
        (["--data", "absent"], "absent: no such folder"),
    ],
)
def test_what_cannot_be_compared_is_refused(scans, capsys, options, message):
    assert cli.main(["evaluate", *[str(scans) if option == "SCANS" else option for option in options]]) == 2
    assert message in capsys.readouterr().err
