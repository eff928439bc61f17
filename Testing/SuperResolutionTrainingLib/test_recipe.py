import json

import pytest
import yaml

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.networks import build_network, network_names
from SuperResolutionTrainingLib import training_run
from SuperResolutionTrainingLib.recipe import Augmentation, Blur, DrawnAcquisition, Patches, Recipe, Stage, read_recipe, recipe_from


def refusal(data, where="recipe"):
    """Return the one line with which a recipe is refused."""
    with pytest.raises(RequestError) as caught:
        recipe_from(data, where)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_read_with_every_value_in_its_type(plain_recipe, tmp_path):
    acquisitions = [{"profile": "mean", "thickness": [0.8, 1]}, {"profile": "kspace", "weight": 2}]
    stages = [{"steps": 20, "losses": {"l1": 1, "ssim": 0.5}, "learning_rate": 1}, {"steps": 30, "losses": {"l2": 10}}]
    augmentation = {"flips": False, "blur": {"probability": 0.5, "sigma": [0, 0.5]}}
    given = plain_recipe | {"acquisitions": acquisitions, "stages": stages, "augmentation": augmentation, "minutes": 3}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(given))
    recipe = read_recipe(tmp_path / "tiny.yaml")
    assert (recipe.id, recipe.modalities, recipe.steps, recipe.minutes) == ("tiny", ("MR",), 50, 3.0)
    assert recipe.patches == Patches(4, 12, 1, 2)
    assert recipe.stages == (Stage(20, {"l1": 1.0, "ssim": 0.5}, 1.0), Stage(30, {"l2": 10.0}))
    assert all(type(number) is float for stage in recipe.stages for number in (stage.learning_rate, *stage.losses.values()))
    assert recipe.augmentation == Augmentation(flips=False, blur=Blur(0.5, (0.0, 0.5)))
    assert recipe.acquisitions == (DrawnAcquisition("mean", 1.0, (0.8, 1.0)), DrawnAcquisition("kspace", 2.0))
    assert [(scan.subject, scan.split, scan.axes) for scan in recipe.scans] == [("anna", "train", "ijk"), ("bert", "validation", "k")]


def test_what_a_recipe_says_of_itself_is_taken_back(make_recipe):
    recipe = make_recipe(acquisitions=[{"profile": "gaussian", "thickness": [0.5, 1.5]}], minutes=2.5)
    assert recipe_from(recipe.as_dict()) == recipe == recipe_from(json.loads(json.dumps(recipe.as_dict())))


SHIPPED = sorted(path.stem for path in training_run.SHIPPED.glob("*.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_are_accepted_and_their_networks_can_be_built(name):
    recipe = read_recipe(training_run.SHIPPED / f"{name}.yaml")
    assert isinstance(recipe, Recipe) and recipe.id == name
    assert recipe_from(recipe.as_dict()) == recipe
    assert build_network(recipe.network, recipe.arguments).task in (recipe.task, "both")


def test_every_network_has_a_shipped_recipe():
    recipes = [read_recipe(training_run.SHIPPED / f"{name}.yaml") for name in SHIPPED]
    assert {recipe.network for recipe in recipes} == set(network_names())


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"colour": 1}, "unknown key 'colour'; accepted are id, title, network"),
        ({1: 2}, "unknown key '1'"),
        ({"patches": {"rows": 4}}, "patches: unknown key 'rows'; accepted are slices, plane, margin, batch, content"),
        ({"seed": "many"}, "seed: found 'many'; accepted is a value of type int"),
        ({"stages": [{"steps": 2.5, "losses": {"l1": 1}}]}, "stages[0]: steps: found 2.5"),
        ({"validate_every": True}, "validate_every: found True"),
        ({"average": "0.999"}, "average: found '0.999'; accepted is a value of type float"),
        ({"stages": [{"steps": 5, "losses": {"l1": "much"}}]}, "stages[0]: losses: l1: found 'much'; accepted is a value of type float"),
        ({"stages": [{"steps": 5, "losses": ["l1"]}]}, "stages[0]: losses: found ['l1']; accepted is a value of type dict"),
        ({"augmentation": {"blur": {"sigma": 1}}}, "augmentation: blur: sigma: found 1; accepted is a list"),
        ({"modalities": "MR"}, "modalities: found 'MR'; accepted is a list"),
        ({"modalities": [5]}, "modalities[0]: found 5; accepted is a value of type str"),
        ({"arguments": [1]}, "arguments: found [1]; accepted is a value of type dict"),
        ({"patches": 5}, "patches: found 5; accepted is a mapping with the keys of a Patches"),
        ({"acquisitions": [{"profile": "mean", "thickness": [1]}]}, "acquisitions[0]: thickness: found 1 values; accepted are 2"),
    ],
)
def test_a_wrong_entry_is_refused_by_its_name(plain_recipe, change, found):
    message = refusal(plain_recipe | change, "recipe tiny.yaml")
    assert message.startswith("recipe tiny.yaml: ") and found in message


@pytest.mark.parametrize("key", ["id", "title", "network", "modalities", "stages"])
def test_a_missing_key_is_refused_by_its_name(plain_recipe, key):
    del plain_recipe[key]
    assert refusal(plain_recipe) == f"recipe: key '{key}' is missing"


def test_a_missing_key_of_a_scan_is_refused_with_the_scans_number(plain_recipe):
    del plain_recipe["scans"][1]["modality"]
    assert refusal(plain_recipe) == "recipe: scans[1]: key 'modality' is missing"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"subject": "anna"}, "subject 'anna' is in both splits; each subject may be in one"),
        ({"split": "test"}, "split 'test' of bert.nii.gz: accepted are train, validation"),
        ({"axes": "xyz"}, "axes 'xyz' of bert.nii.gz: accepted are letters of i, j, k"),
        ({"axes": ""}, "axes '' of bert.nii.gz"),
    ],
)
def test_a_scan_that_does_not_fit_the_others_is_refused(plain_recipe, change, found):
    plain_recipe["scans"][1] |= change
    assert found in refusal(plain_recipe)


def test_two_scans_of_a_subject_may_be_in_one_split(plain_recipe):
    plain_recipe["scans"].append(plain_recipe["scans"][0] | {"file": "anna-again.nii.gz"})
    assert len(recipe_from(plain_recipe).scans) == 3


def test_without_a_scan_to_train_on_a_recipe_is_refused(plain_recipe):
    assert "no scan has split 'train'" in refusal(plain_recipe | {"scans": plain_recipe["scans"][1:]})


@pytest.mark.parametrize(
    ("acquisition", "found"),
    [
        ({"profile": "box"}, "profile 'box': accepted are mean, gaussian, cubic, kspace"),
        ({"profile": "mean", "thickness": [0, 1]}, "slice thickness 0"),
        ({"profile": "cubic", "thickness": [0.5, 0.5]}, "only mean and gaussian have one"),
        ({"profile": "cubic", "thickness": [1, 1.5]}, "only mean and gaussian have one"),
    ],
)
def test_an_acquisition_that_cannot_be_is_refused(plain_recipe, acquisition, found):
    assert found in refusal(plain_recipe | {"acquisitions": [acquisition]})


@pytest.mark.parametrize("data", [None, [1], "tiny", 5])
def test_what_is_no_mapping_is_refused(data):
    assert "accepted is a mapping with the keys of a Recipe" in refusal(data)


@pytest.mark.parametrize("content", [b"id: [", b"\xff\xfe\xff", b"!!python/object/apply:os.getcwd []", b""])
def test_a_file_that_is_no_plain_yaml_is_refused_with_its_path(tmp_path, content):
    (tmp_path / "tiny.yaml").write_bytes(content)
    with pytest.raises(RequestError, match="tiny.yaml: ") as caught:
        read_recipe(tmp_path / "tiny.yaml")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RequestError, match="recipe .*absent.yaml.*No such file"):
        read_recipe(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"acquisitions": []}, "at least one is needed"),
        ({"acquisitions": [{"profile": "mean", "weight": 0}]}, "a weight above 0"),
        ({"stages": []}, "stages: at least one is needed"),
        ({"stages": [{"steps": 0, "losses": {"l1": 1}}]}, "stages[0]: steps 0"),
        ({"stages": [{"steps": 1, "losses": {"l1": 1}, "learning_rate": 0}]}, "stages[0]: steps 1 and learning_rate 0"),
        ({"stages": [{"steps": 1, "losses": {"l3": 1}}]}, "loss 'l3': accepted are adversarial, charbonnier, intermediate, l1, l2"),
        ({"stages": [{"steps": 1, "losses": {}}]}, "losses {}: accepted are losses with weights above 0, at least one"),
        ({"stages": [{"steps": 1, "losses": {"l1": -1}}]}, "losses {'l1': -1.0}"),
        ({"validation": 1}, "validation 1: accepted are numbers from 0 to below 1"),
        ({"average": 1}, "average 1: accepted are numbers from 0 to below 1"),
        ({"augmentation": {"noise": -0.1}}, "augmentation: noise -0.1: accepted are numbers from 0"),
        ({"augmentation": {"contrast_changes": 1.5}}, "augmentation: contrast_changes 1.5: accepted are numbers from 0 to 1"),
        ({"augmentation": {"blur": {"probability": 2}}}, "augmentation: blur: probability 2: accepted are numbers from 0 to 1"),
        ({"augmentation": {"blur": {"sigma": [1, 0.5]}}}, "augmentation: blur: sigma [1.0, 0.5]"),
        ({"minutes": -1}, "minutes -1: accepted are numbers from 0"),
        ({"minutes": float("nan")}, "minutes nan"),
        ({"clip": -1}, "clip -1"),
        ({"patches": {"slices": 4, "margin": 2}}, "patches of 4 voxels with a margin of 2"),
    ],
)
def test_numbers_that_make_no_run_are_refused(plain_recipe, change, message):
    assert message in refusal(plain_recipe | change)


@pytest.mark.parametrize("change", [{"coarsen": [0, 1, 1]}, {"weight": -1}])
def test_a_scan_that_could_not_be_drawn_is_refused(plain_recipe, change):
    first, *rest = plain_recipe["scans"]
    assert "accepted are counts from 1 and weights above 0" in refusal(plain_recipe | {"scans": [first | change, *rest]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimiser": "sgd"}, "optimiser 'sgd': accepted are adam, adamw, muon"),
        ({"schedule": "steps"}, "schedule 'steps': accepted are cosine, linear, constant"),
        ({"precision": "float16"}, "precision 'float16': accepted are auto, float32, bfloat16"),
        ({"task": "all"}, "task 'all': accepted are axis, plane, both"),
        ({"patches": {"content": "none"}}, "patches: content 'none': accepted are map, trial"),
        ({"optimiser": "adam", "weight_decay": 0.1}, "weight_decay 0.1 with optimiser adam: accepted is 0, or optimiser adamw"),
        ({"patience": 3, "validate_every": 0}, "patience 3 with validate_every 0: accepted is patience 0"),
    ],
)
def test_what_is_no_choice_or_does_not_go_together_is_refused(plain_recipe, change, message):
    assert message in refusal(plain_recipe | change)


def test_a_recipe_without_scans_takes_those_of_the_data_folder(plain_recipe):
    del plain_recipe["scans"]
    assert recipe_from(plain_recipe).scans == ()
