import pytest
import torch
import yaml

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_file import offered_factors
from SuperResolutionLib.model_zoo import list_upscalers
from SuperResolutionLib.networks import build_network
from SuperResolutionTrainingLib.source_benchmark import about, read_benchmark, shipped_benchmarks

PLAIN = {
    "id": "tiny",
    "title": "two networks",
    "source": "A. Nobody, 2020",
    "data": {"what": "blobs", "where": "here", "terms": "free", "layout": "NAME.nii.gz"},
    "modalities": ["MR"],
    "validation": 0.5,
    "profile": "gaussian",
    "psnr": {"peak": "maximum", "assumed": True, "why": "It says nothing."},
    "networks": [{"name": "one", "recipe": "srcnn", "changes": {"patches": {"plane": 16}, "arguments": {"channels": [4, 4]}}}],
    "models": ["fast"],
    "baselines": ["lanczos"],
    "comparisons": [{"name": "slices", "axes": "k", "factors": [2, 3]}],
    "published": [{"comparison": "slices", "factor": 2, "method": "SRCNN", "ours": "one", "figures": {"psnr": 30}}],
    "differences": ["all"],
}


@pytest.fixture
def benchmark(tmp_path):
    def read(**changes):
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump(PLAIN | changes))
        return read_benchmark(str(path))

    return read


def test_those_of_all_sources_are_shipped():
    assert shipped_benchmarks() == ["esrgan_thesis", "gao", "georgescu", "knee_thesis"]


@pytest.mark.parametrize("name", shipped_benchmarks())
def test_a_shipped_benchmark_can_be_run(name):
    benchmark = read_benchmark(name)
    assert benchmark.id == name and not benchmark.consistency
    models = {info.id: info for info in list_upscalers()}
    assert set(benchmark.models) <= set(models)
    for network in benchmark.networks:
        for factor in benchmark.factors_of(network):
            recipe = benchmark.recipe_for(network, factor)
            with torch.device("meta"):
                built = build_network(recipe.network, recipe.arguments)
            assert factor in offered_factors(tuple(built.factors), built.progressive)
            assert recipe.id == network.name and not recipe.scans and recipe.acquisitions[0].profile == benchmark.profile
            assert recipe.task == built.task
            wanted = {comparison.axes for comparison in benchmark.comparisons if network in benchmark.networks_of(comparison)}
            assert built.task != "plane" or wanted == {"plane"}, "a network for planes makes nothing else finer"


@pytest.mark.parametrize("name", shipped_benchmarks())
def test_what_a_source_reports_is_complete(name):
    """Every factor that has figures has them of the same methods, the baseline among them."""
    benchmark = read_benchmark(name)
    reported = {}
    for row in benchmark.published:
        assert "psnr" in row.figures
        reported.setdefault((row.comparison, row.factor, row.data), []).append(row.ours)
    assert reported and all(len(set(ours)) == len(ours) for ours in reported.values())
    assert len({tuple(sorted(ours)) for ours in reported.values()}) == 1
    assert all(set(ours) & set(benchmark.baselines) for ours in reported.values())
    assert set().union(*reported.values()) >= {network.name for network in benchmark.networks if not network.name.startswith("small_")}


@pytest.mark.parametrize("name", shipped_benchmarks())
def test_a_benchmark_says_what_to_download_and_how_to_run_it(name):
    text, data = about(read_benchmark(name)), read_benchmark(name).data
    assert all(part and part in text for part in (data.what, data.where, data.terms, data.layout))
    assert text.endswith(f"superresolution reproduce {name} --data DIR --out DIR")


def test_changes_of_a_recipe_leave_the_rest_of_it(benchmark):
    read = benchmark()
    recipe = read.recipe_for(read.networks[0], 3)
    assert recipe.id == "one" and recipe.arguments == {"factors": [3], "channels": [4, 4]}
    assert (recipe.patches.plane, recipe.patches.slices) == (16, 8)
    assert [drawn.profile for drawn in recipe.acquisitions] == ["gaussian"] and recipe.modalities == ("MR",)


def test_some_of_the_networks_can_be_taken(benchmark):
    two = benchmark(networks=[*PLAIN["networks"], {"name": "two", "recipe": "sr_dcnn"}])
    assert [network.name for network in two.with_networks(("two",)).networks] == ["two"]
    assert not two.with_networks(("two",)).published
    with pytest.raises(RequestError, match="benchmark: network 'three'; accepted are one, two"):
        two.with_networks(("three",))


def other(part, **changes):
    return {part: [PLAIN[part][0] | changes]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"profile": "box"}, "profile 'box'; accepted are mean, gaussian"),
        ({"psnr": PLAIN["psnr"] | {"peak": "4095"}}, "psnr: peak '4095'; accepted are range, maximum, 255"),
        ({"modalities": ["US"]}, "modality 'US'; accepted are MR, CT"),
        ({"baselines": ["spline"]}, "baseline 'spline'; accepted are"),
        ({"measures": ["beauty"]}, "measure 'beauty'; accepted are"),
        ({"validation": 1.0}, "validation 1; accepted are numbers between 0 and 1"),
        (other("networks", comparisons=["planes"]), "network 'one': comparison 'planes'; accepted are slices"),
        ({"networks": PLAIN["networks"] * 2}, "named twice 'one'"),
        (other("comparisons", axes="planes"), "comparison 'slices': axes 'planes'; accepted are letters of i, j, k, or plane or all"),
        (other("comparisons", factors=[9]), r"factors \[9\]; accepted are whole numbers from 2 to 8"),
        (other("published", factor=4), "published 'SRCNN': factor '4'; accepted are 2, 3"),
        (other("published", ours="two"), "published 'SRCNN': ours 'two'; accepted are one, lanczos"),
        (other("published", figures={"snr": 1.0}), "published 'SRCNN': figure 'snr'; accepted are psnr"),
    ],
)
def test_what_makes_no_benchmark_is_refused_in_one_line(benchmark, changes, message):
    with pytest.raises(RequestError, match=message) as caught:
        benchmark(**changes)
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_name_is_answered_with_those_that_there_are():
    with pytest.raises(RequestError, match="no such file; accepted are a YAML file or one of esrgan_thesis, gao"):
        read_benchmark("nobody")
