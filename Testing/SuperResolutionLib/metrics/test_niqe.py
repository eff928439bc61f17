import sys

import numpy as np
import pytest

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.metrics import niqe, perceptual_index
from SuperResolutionLib.metrics.niqe import FILES

PICTURE = np.random.default_rng(12).uniform(0, 200, (104, 110))

PYIQA = '''
"""Says of a picture what it was given, so that the call can be followed."""
from pathlib import Path


def create_metric(name, device, pretrained_model_path):
    assert device == "cpu" and Path(pretrained_model_path).is_file()
    add = {"niqe": 3.0, "nrqm": 7.0}[name]

    def metric(pictures):
        assert pictures.shape[:2] == (1, 3) and 0 <= pictures.min() and pictures.max() <= 1
        return add + pictures.mean() + 1000 * (pictures.shape[2] != 96)

    return metric
'''


@pytest.fixture
def without_pyiqa(monkeypatch, tmp_path):
    """A machine that knows neither the package nor its files."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.fixture
def with_pyiqa(monkeypatch, tmp_path):
    """A package of that name which follows the calls; returns the folder of its weights."""
    (tmp_path / "pyiqa").mkdir()
    (tmp_path / "pyiqa" / "__init__.py").write_text(PYIQA)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pyiqa", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "pyiqa"
    folder.mkdir(parents=True)
    yield folder
    sys.modules.pop("pyiqa", None)


@pytest.mark.parametrize(("measure", "file"), [(niqe, FILES["niqe"]), (perceptual_index, FILES["nrqm"])])
def test_without_the_package_the_error_names_it_and_its_file(measure, file, without_pyiqa):
    with pytest.raises(RequestError, match=f"'pyiqa' is not installed.*{file}"):
        measure(PICTURE, 0, 200)


@pytest.mark.parametrize(("measure", "file"), [(niqe, FILES["niqe"]), (perceptual_index, FILES["nrqm"])])
def test_without_the_weights_the_error_names_file_and_folder_and_nothing_is_imported(measure, file, with_pyiqa):
    with pytest.raises(RequestError, match=f"accepted is pyiqa's {file} in {with_pyiqa}"):
        measure(PICTURE, 0, 200)
    assert "pyiqa" not in sys.modules


def test_the_picture_is_stretched_and_the_index_is_made_of_both(with_pyiqa):
    for file in FILES.values():
        (with_pyiqa / file).touch()
    shown = np.clip(PICTURE / 160, 0, 1)
    assert niqe(PICTURE[:96], 0, 160) == pytest.approx(3 + shown[:96].mean(), abs=1e-5)
    # Four pixels at each side are left out; the two means cancel.
    assert perceptual_index(PICTURE, 0, 160) == pytest.approx(((10 - 7) + 3) / 2, abs=1e-5)


@pytest.mark.parametrize(
    ("picture", "white", "words"),
    [
        (PICTURE[:95], 200, "at least 96 x 96"),
        (PICTURE[None], 200, "at least 96 x 96"),
        (np.where(PICTURE > 100, np.nan, PICTURE), 200, "NaN"),
        (np.ones_like(PICTURE), 200, "everywhere"),
        (PICTURE, 0, "brighter"),
    ],
)
def test_what_is_no_picture_is_refused(picture, white, words):
    with pytest.raises(RequestError, match=words):
        niqe(picture, 0, white)
