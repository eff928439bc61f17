from SuperResolutionTrainingLib.reproduction_table import as_text
from SuperResolutionTrainingLib.source_benchmark import read_benchmark


def row(model, psnr, subjects=2):
    mean = {"psnr": psnr, "ncc": 0.95, "ssim": None, "rmse": 2.0, "psnr_255": psnr + 1}
    told = {"model": model, "factor": 2, "region": "whole", "subjects": subjects, "trained_on": model == "fast"}
    return told | {"mean": mean, "deviation": dict.fromkeys(mean, 0.5), "gain_db": psnr - 30}


def record(rows, **more):
    told = {"data": {"train": ["anna"], "validation": ["bert", "carl"]}, "cores": 2, "versions": {"platform": "Linux"}, "failures": []}
    networks = [{"name": "two_stage", "factor": 2, "step": 70, "seconds": 120}]
    told |= {"networks": networks, "comparisons": [{"name": "3-D", "conventions": "", "rows": rows}]}
    return {"benchmark": read_benchmark("georgescu").as_dict()} | told | more


def line(text, start):
    return next(each for each in text.splitlines() if each.startswith(start))


def test_published_figures_stand_beside_ours_on_another_side_of_the_line():
    text = as_text(record([row("cubic", 30), row("lanczos", 30.5), row("two_stage", 29), row("fast", 31)]))
    published, ours = line(text, "two_stage").split(" | ")
    assert "37.85 dB (NAMIC T1)" in published and "29.00 ± 0.50" in ours and "-1.00" in ours and "30.00 ± 0.50" in ours
    assert "40.57 dB (NAMIC T2) |" in " ".join(text.split())
    assert line(text, "fast").split("|")[0].split() == ["fast", "-"] and "trained on some" in line(text, "fast")
    assert "factor 4" not in text, "nothing was measured there"


def test_it_says_on_which_data_ours_are_and_how_long_was_trained():
    text = as_text(record([row("cubic", 30)]))
    assert "ours: measured on bert; carl" in text and "ours: trained on anna" in text
    assert "two_stage ×2 70 steps in 2.0 min (2 cores, Linux)" in text and "published and ours are of different data" in text
    assert "NAMIC Brain" in text.splitlines()[1]


def test_what_is_published_and_was_not_measured_is_told():
    published, ours = line(as_text(record([row("cubic", 30)])), "two_stage").split(" | ")
    assert "37.85" in published and ours.strip() == "-"


def test_one_subject_has_no_deviation():
    assert "±" not in line(as_text(record([row("cubic", 30, subjects=1)])), "cubic")


def test_failures_are_told():
    assert "failed: training of x: no memory" in as_text(
        record([row("cubic", 30)], failures=[{"what": "training of x", "message": "no memory"}])
    )
