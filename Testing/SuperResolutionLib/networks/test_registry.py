import re
import sys
from pathlib import Path

import pytest
import torch

from SuperResolutionLib import networks
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.networks import build_discriminator, build_network, network_names, prepare_input

NAMES = sorted(path.stem for path in Path(networks.__file__).parent.glob("[!_]*.py"))


def test_listing_architectures_imports_no_torch(python):
    code = "import sys; from SuperResolutionLib.networks import network_names; print(*network_names(), 'torch' in sys.modules)"
    done = python("-c", code)
    assert done.stdout.split() == [*NAMES, "False"], done.stderr


@pytest.mark.parametrize("name", network_names())
def test_every_architecture_keeps_the_contract_with_its_default_arguments(name):
    network = build_network(name, {}).eval()
    assert isinstance(network, torch.nn.Module) and network.factors and all(factor >= 2 for factor in network.factors)
    assert len(network.halo) == 3 and all(reach >= 0 for reach in network.halo)
    assert network.working_values > 0 and network.views in (1, 2)
    assert network.task in ("axis", "plane", "both") and network.interpolated in (True, False) and network.progressive is False
    assert network.continues in (True, False)
    for factor in network.factors:
        with torch.inference_mode():
            assert network(prepare_input(network, torch.rand(2, 3, 6, 8), factor), factor).shape == (2, 3 * factor, 6, 8)


def test_an_unknown_architecture_is_refused():
    with pytest.raises(RequestError, match=re.escape(f"network 'unet': accepted are {', '.join(NAMES)}")):
        build_network("unet", {})


@pytest.mark.parametrize("arguments", [{"depth": 3}, {"channels": "many"}, {"channels": -1}])
@pytest.mark.parametrize("name", network_names())
def test_arguments_that_do_not_fit_are_refused_in_one_line(name, arguments):
    with pytest.raises(RequestError, match=f"network '{name}' with arguments") as caught:
        build_network(name, arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("factors", [[], [1], [1, 2], ["2"], 2])
@pytest.mark.parametrize("name", network_names())
def test_factors_that_make_nothing_finer_are_refused(name, factors):
    with pytest.raises(RequestError, match=f"network '{name}' with arguments"):
        build_network(name, {"factors": factors})


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "network 'mine': its file has no NETWORK; accepted is a file that ends with NETWORK = its class"),
        ("halo = (1, 1, 1)", "network 'Mine' has no factors; what a network must have stands in networks/__init__.py"),
        ("factors = (2,)", "network 'Mine' has no halo; "),
        ("factors = (2,); halo = (1, 1, 1)", "network 'Mine' has no working_values; "),
        ("factors = (2,); task = 'plane'", "network 'Mine' has no plane_halo; "),
        ("factors = (2,); halo = (1, 1, 1); working_values = 3; task = 'both'; plane_halo = (0, 1, 1)", "network 'Mine' has no plane_work"),
    ],
)
def test_a_network_of_ones_own_that_lacks_something_is_refused_with_what_it_lacks(tmp_path, monkeypatch, lines, message):
    kind = f"class Mine(torch.nn.Module):\n    {lines}\n\nNETWORK = Mine\n" if lines else ""
    (tmp_path / "mine.py").write_text(f"import torch\n\n{kind}")
    monkeypatch.setattr(networks, "__path__", [*networks.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, f"{networks.__name__}.mine", raising=False)
    with pytest.raises(RequestError, match=re.escape(message)):
        build_network("mine", {})


def test_the_discriminator_is_no_upscaler():
    assert "discriminator" not in network_names() and isinstance(build_discriminator(), torch.nn.Module)
