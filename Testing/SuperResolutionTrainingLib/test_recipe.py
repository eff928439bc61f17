import pytest
import yaml

from SuperResolutionLib.errors import RequestError
from SuperResolutionTrainingLib import training_run
from SuperResolutionTrainingLib.recipe import DrawnAcquisition, Patches, Recipe, read_recipe, recipe_from


def refusal(data, where="recipe"):
    """Return the one line with which a recipe is refused."""
    with pytest.raises(RequestError) as caught:
        recipe_from(data, where)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_read_with_every_value_in_its_type(plain_recipe, tmp_path):
    acquisitions = [{"profile": "mean", "thickness": [0.8, 1]}, {"profile": "kspace", "weight": 2}]
    given = plain_recipe | {"acquisitions": acquisitions, "learning_rate": 1}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(given))
    recipe = read_recipe(tmp_path / "tiny.yaml")
    assert (recipe.id, recipe.modalities, recipe.steps) == ("tiny", ("MR",), 50)
    assert recipe.patches == Patches(4, 12, 1, 2) and type(recipe.learning_rate) is float
    assert recipe.acquisitions == (DrawnAcquisition("mean", 1.0, (0.8, 1.0)), DrawnAcquisition("kspace", 2.0))
    assert [(scan.subject, scan.split, scan.axes) for scan in recipe.scans] == [("anna", "train", "ijk"), ("bert", "validation", "k")]


def test_what_a_recipe_says_of_itself_is_taken_back(make_recipe):
    recipe = make_recipe(acquisitions=[{"profile": "gaussian", "thickness": [0.5, 1.5]}])
    assert recipe_from(recipe.as_dict()) == recipe


@pytest.mark.parametrize("name", sorted(path.stem for path in training_run.SHIPPED.glob("*.yaml")))
def test_shipped_recipes_are_accepted(name):
    recipe = read_recipe(training_run.SHIPPED / f"{name}.yaml")
    assert isinstance(recipe, Recipe) and {scan.split for scan in recipe.scans} >= {"train"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"colour": 1}, "unknown key 'colour'; accepted are id, title, network"),
        ({1: 2}, "unknown key '1'"),
        ({"patches": {"rows": 4}}, "patches: unknown key 'rows'; accepted are slices, plane, margin, batch"),
        ({"steps": "many"}, "steps: found 'many'; accepted is a value of type int"),
        ({"steps": 2.5}, "steps: found 2.5"),
        ({"steps": True}, "steps: found True"),
        ({"learning_rate": "2e-3"}, "learning_rate: found '2e-3'; accepted is a value of type float"),
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


@pytest.mark.parametrize("key", ["id", "title", "network", "arguments", "modalities", "scans"])
def test_a_missing_key_is_refused_by_its_name(plain_recipe, key):
    del plain_recipe[key]
    assert refusal(plain_recipe) == f"recipe: key '{key}' is missing"


def test_a_missing_key_of_a_scan_is_refused_with_the_scans_number(plain_recipe):
    del plain_recipe["scans"][1]["licence"]
    assert refusal(plain_recipe) == "recipe: scans[1]: key 'licence' is missing"


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
        ({"steps": 0}, "steps 0"),
        ({"learning_rate": 0.0}, "learning_rate 0"),
        ({"patches": {"slices": 4, "margin": 2}}, "patches of 4 voxels with a margin of 2"),
    ],
)
def test_numbers_that_make_no_run_are_refused(plain_recipe, change, message):
    assert message in refusal(plain_recipe | change)


@pytest.mark.parametrize("change", [{"coarsen": [0, 1, 1]}, {"weight": -1}])
def test_a_scan_that_could_not_be_drawn_is_refused(plain_recipe, change):
    first, *rest = plain_recipe["scans"]
    assert "accepted are counts from 1 and weights above 0" in refusal(plain_recipe | {"scans": [first | change, *rest]})
