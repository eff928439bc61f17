import json

import pytest

from SuperResolutionLib.cli import main


def test_without_folders_it_says_what_to_download(capsys):
    assert main(["reproduce", "knee_thesis"]) == 0
    assert "https://nda.nih.gov/oai" in capsys.readouterr().out
    assert main(["reproduce", "knee_thesis", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["published"][0]["figures"]["psnr"] == 23.33


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "benchmark 'nobody': no such file; accepted are a YAML file or one of"),
        (["gao", "--data", "here"], "needs both --data and --out"),
        (["gao", "--networks", "vgg"], "network 'vgg'; accepted are srcnn, improved_srcnn"),
        (["gao", "--data", "here", "--out", "there", "--minutes", "0"], "argument --minutes: 0; accepted are numbers above 0"),
        (["gao", "--data", "nowhere", "--out", "there"], "nowhere: no such folder"),
    ],
)
def test_a_wrong_request_is_told_in_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told and len(told.splitlines()) == 1 and not list(tmp_path.iterdir())
