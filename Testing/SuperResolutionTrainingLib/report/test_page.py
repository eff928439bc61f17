"""The report as a whole: its tables hold the record's figures, it needs nothing from elsewhere, and it appears whole or not at all."""

import re

import numpy as np
import pytest
from scipy.stats import wilcoxon

from SuperResolutionLib.errors import WorkError
from SuperResolutionTrainingLib.report import page as report_page
from SuperResolutionTrainingLib.report import write_report
from SuperResolutionTrainingLib.volume_measures import VOLUME_MEASURES


def means(record, model, measure, region="whole", profile="mean"):
    """The mean over all slices, one value for each trial of a model."""
    ours = [entry for entry in record["entries"] if (entry["model"], entry["profile"]) == (model, profile)]
    found = [s["mean"][measure] for e in ours for s in e["summary"] if (s["region"], s["along"]) == (region, "ijk")]
    return np.array(found, float)


def test_the_models_table_holds_the_figures_of_the_entries(make_record, report):
    record = make_record(profiles=("mean", "gaussian"), axes="jk")
    page = report(record)
    for profile in ("mean", "gaussian"):
        for region, caption in (("whole", "Whole volume"), ("foreground", "Foreground")):
            table = page.table("models", heading=f"×4, profile {profile}", caption=caption)
            assert [row[0] for row in table.rows[1:]] == ["fast", "linear", "cubic"]
            for model, *figures in table.rows[1:]:
                psnr, ncc, ssim, rmse = (means(record, model, name, region, profile) for name in ("psnr", "ncc", "ssim", "rmse"))
                gains = psnr - means(record, "cubic", "psnr", region, profile)
                expected = [f"{psnr.mean():.2f} ± {psnr.std():.2f}", *(f"{abs(value):.2f}" for value in (gains.mean(), gains.min()))]
                expected += [f"{each.mean():.4f} ± {each.std():.4f}" for each in (ncc, ssim)]
                expected += [f"{rmse.mean():.2f} ± {rmse.std():.2f}", "6", "3"]
                assert [figure.lstrip("+−") for figure in figures] == expected
            best = means(record, "fast", "psnr", region, profile)
            assert f"{best.mean():.2f} ± {best.std():.2f}" in table.bold and len(table.bold) == 4


def test_every_scan_has_its_row(make_record, report):
    record = make_record(axes="jk")
    table = report(record).table("scans")
    assert table.rows[0] == ["Subject", "File", "Modality", "Thick axis", "cubic", "linear", "fast"]
    expected = {model: [f"{value:.2f}" for value in means(record, model, "psnr")] for model in ("cubic", "linear", "fast")}
    names = [[subject, f"{subject}.nii.gz", "MR", axis] for subject in ("anna", "bert", "carl") for axis in "jk"]
    assert table.rows[1:] == [[*name, *figures] for name, figures in zip(names, zip(*expected.values()))]


def test_the_tests_are_those_of_subjects(make_record, report):
    record = make_record(subjects=[f"s{number}" for number in range(9)])
    page = report(record)
    for measure, caption, digits in (("psnr", "PSNR, dB, whole volume", 2), ("ncc", "NCC, whole volume", 4)):
        table = page.table("tests", caption=caption)
        assert [row[0] for row in table.rows[1:]] == ["cubic − linear", "cubic − fast", "linear − fast"]
        p = []
        for row in table.rows[1:]:
            difference = means(record, row[0].split(" − ")[0], measure) - means(record, row[0].split(" − ")[1], measure)
            assert row[1] == f"−{abs(difference.mean()):.{digits}f}" and row[5] == "9"
            low, high = (float(bound.replace("−", "-")) for bound in row[2].split(" to "))
            assert low <= round(difference.mean(), digits) <= high < 0
            p.append(wilcoxon(difference).pvalue)
            assert row[3] == f"{p[-1]:.3f}"
        assert {row[4] for row in table.rows[1:]} == {f"{3 * min(p):.3f}"} == table.bold


def test_models_are_crossed_with_the_profiles_they_were_tested_on(make_record, report):
    def change(entry):
        return entry | {"trained_for": {"fast": "mean", "soft": "gaussian"}.get(entry["model"])}

    record = make_record(models=("cubic", "soft", "fast"), profiles=("mean", "gaussian"), change=change)
    table = report(record).table("crossed")
    assert table.caption == "×4: mean gain over cubic, dB"
    assert table.rows[0] == ["Model", "trained for", "tested on mean", "tested on gaussian"]
    gain = {
        (model, profile): (means(record, model, "psnr", profile=profile) - means(record, "cubic", "psnr", profile=profile)).mean()
        for model in ("fast", "soft")
        for profile in ("mean", "gaussian")
    }
    expected = [
        [model, taught, *(f"{gain[model, profile]:+.2f}" for profile in ("mean", "gaussian"))]
        for model, taught in (("soft", "gaussian"), ("fast", "mean"))
    ]
    assert table.rows[1:] == expected


def test_one_profile_crosses_with_nothing(make_record, report):
    assert not any(table.section == "crossed" for table in report(make_record()).tables)


def test_other_measures_are_told_with_the_reason_where_one_does_not_exist(make_record, report):
    values = iter(range(100))

    def change(entry):
        note = "at 4 scales" if entry["model"] == "fast" else None
        missing = {"value": None, "reference": None, "reason": "the package <pyiqa> is not installed"}
        return entry | {"measures": {"edge_width_mm": {"value": 2.5 + next(values), "reference": 1.25, "note": note}, "niqe": missing}}

    page = report(make_record(change=change))
    table = page.table("measures")
    wide = {"cubic": [2.5, 5.5, 8.5], "linear": [3.5, 6.5, 9.5], "fast": [4.5, 7.5, 10.5]}
    assert table.rows[1:] == [
        *([model, f"{np.mean(each):.3f} ± {np.std(each):.3f}", "–"] for model, each in wide.items()),
        ["truth", "1.250 ± 0.000", "–"],
    ]
    assert "9 of 9 results: missing, the package <pyiqa> is not installed" in page.texts["measures"]
    assert "3 of 9 results: at 4 scales" in page.texts["measures"]
    assert table.rows[0][2] == VOLUME_MEASURES["niqe"].label


def test_remarks_that_differ_only_in_numbers_are_one_with_their_range(make_record, report):
    edges = iter([75, 616, 80])

    def change(entry):
        if entry["model"] != "fast":
            return entry | {
                "measures": {"edge_width_mm": {"value": None, "reference": None, "reason": "no x4 at level -3.5", "note": None}}
            }
        return entry | {"measures": {"edge_width_mm": {"value": 2.5, "reference": 1.25, "note": f"median of {next(edges)} edges"}}}

    told = report(make_record(change=change)).texts["measures"]
    assert "6 of 9 results: missing, no x4 at level -3.5; " in told and "3 of 9 results: median of 75 to 616 edges" in told


def test_a_table_says_where_its_means_are_over_different_trials_or_lacking(make_record, report):
    record = make_record()
    assert "same trials" not in (sound := report(record).texts["models"]) and "nothing differs from the truth" not in sound
    row = next(row for row in record["models"] if row["model"] == "fast")
    row["trials"] -= 1
    row["mean"]["psnr"] = row["deviation"]["psnr"] = None
    told = report(record).texts["models"]
    assert "The means are not over the same trials" in told and "no PSNR where nothing differs from the truth" in told


def test_measures_that_are_missing_for_one_reason_are_told_together(make_record, report):
    missing = {"value": None, "reference": None, "reason": "knows no mask", "note": None}
    told = report(make_record(change=lambda entry: entry | {"measures": {"ifc": missing, "vif": missing}})).texts["measures"]
    assert "IFC, bit/pixel, VIFp, 9 of 9 results: missing, knows no mask" in told


def test_a_model_that_knows_a_subject_is_marked(make_record, report):
    page = report(make_record(change=lambda entry: entry | {"trained_on": (entry["model"], entry["subject"]) == ("fast", "bert")}))
    assert [row[0] for row in page.table("models").rows[1:]] == ["fast †", "linear", "cubic"]
    assert [row[-1].endswith(" †") for row in page.table("scans").rows[1:]] == [False, True, False]


def test_names_are_escaped_wherever_they_stand(make_record, report):
    nasty = "<script>alert('&')</script>"
    record = make_record(models=("cubic", nasty), subjects=(nasty, 'b"ert'), planes=True)
    record["failures"] = [{"trial": nasty, "model": nasty, "message": nasty}]
    record["command"] = ["superresolution", "evaluate", "--data", nasty]
    page = report(record)
    assert page.tags.count("script") == 1 and nasty not in page.html
    assert (
        page.table("scans").rows[1][0] == nasty
        and nasty in page.texts["result"]
        and nasty.replace("'", "'\"'\"'") in page.texts["conventions"]
    )


def test_the_report_needs_nothing_from_elsewhere(make_record, report):
    page = report(make_record(planes=True))
    outward = [each for each in page.references if not re.match(r"src=data:image/(png|jpeg);base64,|href=#", each)]
    assert not outward and "http" not in page.html.replace("http-equiv", "") and "url(" not in page.html and "@import" not in page.html
    assert not {"link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert "default-src 'none'; img-src data:" in page.html


def test_what_is_made_thick_is_named_in_words(make_record, report):
    assert "profile mean, along i, j and k" in report(make_record(axes="kij")).html
    page = report(make_record(axes=("plane",), planes=True))
    assert "profile mean, in the plane" in page.html and "×4, profile mean, in the plane. " in page.html and "along plane" not in page.html


def without_figures(entry):
    summary = [each | {"mean": dict.fromkeys(each["mean"]), "deviation": dict.fromkeys(each["deviation"])} for each in entry["summary"]]
    curves = {region: {axis: curve | {"psnr": [None] * 22} for axis, curve in by.items()} for region, by in entry["curves"].items()}
    return entry | {"summary": summary, "curves": curves}


def test_what_does_not_exist_is_a_dash(make_record, report):
    def change(entry):
        return without_figures(entry) if entry["model"] == "linear" else entry

    record = make_record(tests=False)
    record["entries"] = [change(entry) for entry in record["entries"]]
    for row in record["models"]:
        if row["model"] == "linear":
            row |= {
                "mean": dict.fromkeys(row["mean"]),
                "deviation": dict.fromkeys(row["deviation"]),
                "gain_db": None,
                "worst_gain_db": None,
            }
    record["entries"][0]["summary"][0]["mean"]["psnr"] = float("nan")
    page = report(record)
    assert page.table("models").rows[-1] == ["linear", *["–"] * 6, "3", "3"]
    assert page.table("scans").rows[1][4:6] == ["–", "–"]


@pytest.mark.parametrize(
    "settings",
    [
        {"subjects": ["anna"]},
        {"models": ["cubic"]},
        {"models": ["cubic"], "subjects": ["anna"], "planes": True},
        {"models": ["cubic", *(f"a_network_of_a_rather_long_name_{number}" for number in range(10))], "tests": False},
        {"factors": [None], "profiles": [None], "axes": [None], "models": ["first", "second"], "baseline": "first"},
        {"factors": [2, 4], "profiles": ["mean", "kspace"], "planes": True},
        {"change": lambda entry: entry | {"curves": {}}},
        {"change": without_figures, "tests": False},
    ],
    ids=["one trial", "one model", "one of each", "many models", "pairs", "many settings", "no curves", "no figures"],
)
def test_every_kind_of_comparison_has_its_report(make_record, report, settings):
    record = make_record(**settings)
    page = report(record)
    assert not re.search(r"\b(nan|NaN|None|inf|Undefined)\b", re.sub(r"base64,[^\"]*", "", page.html))
    models = {entry["model"] for entry in record["entries"]}
    assert {row[0] for row in page.table("models").rows[1:]} == models
    assert len(re.findall(r'<li><span class="ink', page.html)) >= len(models)


def test_conventions_versions_and_the_command_are_told(make_record, report):
    record = make_record() | {"command": ["superresolution", "evaluate", "--data", "my scans"]}
    told = report(record).texts["conventions"]
    for text in ("PSNR in dB: peak = all.", "NCC: in the slice.", "1.2.3", "superresolution evaluate --data 'my scans'"):
        assert text in told


def test_what_failed_is_told(make_record, report):
    record = make_record() | {"failures": [{"trial": "dora", "model": "fast", "message": "out of memory"}]}
    assert "fast on dora: out of memory" in report(record).texts["result"]


def test_the_report_appears_whole_or_not_at_all(make_record, tmp_path, monkeypatch):
    with pytest.raises(WorkError, match="absent/report.html: not written"):
        write_report(make_record(), tmp_path / "absent")
    path = write_report(make_record(), tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr(report_page, "findings", lambda record: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(make_record(), tmp_path)
    assert path.read_bytes() == before and [each.name for each in tmp_path.iterdir()] == ["report.html"]
