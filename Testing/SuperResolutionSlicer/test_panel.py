"""The panel while scenes come and go, modules are reloaded, and a run is in progress."""

import gc
import sys

import numpy as np
import pytest
import slicer
import slicer.util

import host
from SuperResolutionSlicer import device_menu, engine_run, package_installation, upscaling_section
from SuperResolutionSlicer.engine_process import EngineProcess
from SuperResolutionSlicer.parameters import Axis
from SuperResolutionSlicer.self_test import thick_node


@pytest.fixture
def ui(panel):
    return panel.ui


@pytest.fixture
def modules_as_before():
    """A reloaded module brings its packages anew; the tests that follow go on with those that they have imported."""
    before = dict(sys.modules)
    yield
    for name in [name for name in sys.modules if name.startswith("SuperResolution")]:
        del sys.modules[name]
    sys.modules.update({name: module for name, module in before.items() if name.startswith("SuperResolution")})


@pytest.fixture
def long_run(panel, wait_until):
    """Start a run that takes seconds with Apply, and return the number of the engine's process."""

    def start():
        voxels = np.random.default_rng(0).integers(0, 1000, (48, 256, 256), np.int16)
        panel.ui.inputSelector.setCurrentNode(slicer.util.addVolumeFromArray(voxels, np.diag([0.5, 0.5, 2.0, 1]), "long"))
        choose_model(panel.ui, "lanczos")
        panel.ui.applyButton.click()
        wait_until(lambda: panel.logic.run.process.pid is not None)
        return panel.logic.run.process.pid

    return start


def choose_model(ui, model):
    ui.modelBox.setCurrentIndex(ui.modelBox.findData(model))


def choose_factor(ui, factor):
    ui.factorBox.setCurrentIndex(ui.factorBox.findData(factor))


def devices(ui):
    return [(ui.deviceBox.itemData(index), ui.deviceBox.itemText(index)) for index in range(ui.deviceBox.count)]


def models(ui):
    return {ui.modelBox.itemData(index): index for index in range(ui.modelBox.count)}


def save_scene(folder):
    """Save the scene with its volumes, and return the path."""
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        assert slicer.util.saveNode(node, str(folder / f"{node.GetName()}.nrrd"))
    path = folder / "scene.mrml"
    slicer.mrmlScene.SetURL(str(path))
    assert slicer.mrmlScene.Commit()
    return path


def read_scene(path):
    """Read a scene in the place of the one that is there."""
    slicer.mrmlScene.SetURL(str(path))
    assert slicer.mrmlScene.Connect()


# ---- a run in progress


def test_apply_returns_while_the_run_goes_on(panel, ui, long_run):
    long_run()
    assert panel.logic.running
    assert ui.applyButton.text == "Cancel" and not ui.progressBar.isHidden()
    assert not any(widget.enabled for widget in (ui.inputSelector, ui.modelBox, ui.factorBox, ui.outputSelector, ui.advancedSection))


def test_what_the_engine_said_stands_under_details(ui, panel, engine, monkeypatch, wait_until):
    module = engine("import sys; print('no kernel image', file=sys.stderr); sys.exit(1)")
    monkeypatch.setattr(engine_run, "EngineProcess", lambda _, *rest: EngineProcess(module, *rest))
    ui.inputSelector.setCurrentNode(thick_node())
    choose_model(ui, "cubic")
    ui.applyButton.click()
    wait_until(lambda: not panel.logic.running)
    assert ui.messageLabel.text.endswith("its last words: no kernel image")
    assert ui.logText.plainText == "no kernel image\n"
    assert ui.progressBar.isHidden() and ui.applyButton.text == "Apply"


def test_reloading_the_module_ends_the_run_and_keeps_the_state(panel, long_run, gone, wait_until, modules_as_before):
    pid = long_run()
    folder = panel.logic.run.temporary
    panel.onReload()
    assert gone(pid) and not folder.exists()
    again = slicer.modules.SuperResolutionWidget
    assert type(again) is not type(panel) and type(again.upscaling) is not type(panel.upscaling)
    assert type(again).__base__ is not type(panel).__base__  # it lies in a package
    assert again.ui.inputSelector.currentNode().GetName() == "long"
    assert again.ui.modelBox.itemData(again.ui.modelBox.currentIndex) == "lanczos"
    assert not again.logic.running
    again.ui.inputSelector.setCurrentNode(thick_node())
    again.ui.applyButton.click()
    wait_until(lambda: not again.logic.running)
    assert "Done in" in again.ui.messageLabel.text


def test_unloading_the_module_ends_the_run(panel, long_run, gone):
    pid = long_run()
    folder = panel.logic.run.temporary
    host.unload_module("SuperResolution")
    assert gone(pid) and not folder.exists()


def test_the_scene_can_be_closed_after_the_module_is_gone(panel):
    host.unload_module("SuperResolution")
    gc.collect()
    slicer.mrmlScene.Clear(0)


def test_reading_another_scene_ends_the_run(panel, ui, long_run, gone, tmp_path):
    slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.int16), name="other")
    path = save_scene(tmp_path)
    pid = long_run()
    read_scene(path)
    assert gone(pid) and not panel.logic.running
    assert ui.applyButton.text == "Apply"
    assert [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")] == ["other"]


def test_a_scene_that_is_added_does_not_disturb_the_run(panel, ui, scene, tmp_path, wait_until):
    slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.int16), name="other")
    path = save_scene(tmp_path)
    scene.Clear(0)
    ui.inputSelector.setCurrentNode(thick_node())
    choose_model(ui, "cubic")
    ui.applyButton.click()
    scene.SetURL(str(path))
    assert scene.Import()
    assert panel.logic.running
    wait_until(lambda: not panel.logic.running)
    assert ui.resultSelector.currentNode().GetName() == "knee ×4 cubic"


# ---- the state in the scene


def test_a_scene_that_is_read_with_the_panel_open_restores_its_state(panel, ui, scene, tmp_path):
    first, second = thick_node(), thick_node()
    second.SetName("second")
    ui.inputSelector.setCurrentNode(second)
    choose_model(ui, "lanczos")
    choose_factor(ui, 3)
    ui.axisBox.currentIndex = list(Axis).index(Axis.K)
    choose_factor(ui, 3)
    ui.memoryBox.value = 512
    ui.ensembleBox.checked = True
    ui.outputSelector.setCurrentNode(first)
    path = save_scene(tmp_path)
    scene.Clear(0)
    choose_model(ui, "nearest")
    read_scene(path)
    assert ui.inputSelector.currentNode().GetName() == "second"
    assert ui.outputSelector.currentNode().GetName() == "knee"
    assert (ui.modelBox.currentText, ui.factorBox.currentText) == ("lanczos interpolation", "×3")
    assert (ui.axisBox.currentText, ui.memoryBox.value, ui.ensembleBox.checked) == ("K", 512, True)
    parameters = panel.logic.getParameterNode()
    assert (parameters.inputVolume.GetName(), parameters.model, parameters.factor) == ("second", "lanczos", 3)
    assert ui.applyButton.enabled, ui.applyButton.toolTip


def test_a_scene_that_is_read_in_another_module_is_there_when_the_user_comes_back(panel, ui, tmp_path):
    ui.inputSelector.setCurrentNode(thick_node())
    choose_model(ui, "linear")
    path = save_scene(tmp_path)
    panel.parent.exit()
    read_scene(path)
    panel.parent.enter()
    assert ui.inputSelector.currentNode().GetName() == "knee"
    assert ui.modelBox.currentText == "linear interpolation"
    assert ui.applyButton.enabled, ui.applyButton.toolTip


def test_a_model_or_device_of_another_machine_is_replaced_or_named(panel, ui):
    ui.inputSelector.setCurrentNode(thick_node())
    parameters = panel.logic.getParameterNode()
    parameters.model, parameters.device = "elsewhere", "cuda:7"
    assert parameters.model == "fast" and ui.applyButton.enabled
    assert ui.deviceBox.currentText == "cuda:7 (not found here)"


def test_a_model_for_planes_needs_no_axis_and_is_refused_along_one_before_apply(panel, ui, make_model):
    make_model("planes", network="srcnn", arguments={"channels": [4, 4], "kernels": [5, 3, 3], "factors": [2], "task": "plane"})
    ui.inputSelector.setCurrentNode(thick_node())
    parameters = panel.logic.getParameterNode()
    columns, rows, slices = parameters.inputVolume.GetImageData().GetDimensions()
    choose_model(ui, "planes")
    assert (parameters.axis, ui.applyButton.enabled) == (Axis.AUTOMATIC, True)
    assert f"Result: {2 * columns} × {2 * rows} × {slices} voxels" in ui.expectationLabel.text
    parameters.axis = Axis.K
    assert not ui.applyButton.enabled
    assert "Axis 'K': model 'planes' makes planes finer; accepted are auto and plane." in ui.applyButton.toolTip
    parameters.axis = Axis.PLANE
    assert ui.applyButton.enabled


def test_a_closed_scene_leaves_no_message_behind(panel, ui, scene):
    ui.inputSelector.setCurrentNode(thick_node())
    ui.outputSelector.setCurrentNode(ui.inputSelector.currentNode())
    panel.upscaling._apply_or_cancel()
    assert "The output volume is the input" in ui.messageLabel.text
    scene.Clear(0)
    assert (ui.messageLabel.text, ui.inputDescription.text, ui.expectationLabel.text) == ("", "", "")
    assert not ui.applyButton.enabled


# ---- volumes


def test_an_output_that_is_removed_does_not_make_another_volume_the_output(panel, ui, scene):
    ui.inputSelector.setCurrentNode(thick_node())
    output = slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.int16), name="output")
    slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.int16), name="precious")
    ui.outputSelector.setCurrentNode(output)
    scene.RemoveNode(output)
    assert ui.outputSelector.currentNode() is None
    assert panel.logic.getParameterNode().outputVolume is None


def test_a_script_cannot_replace_the_input_either(panel):
    node = thick_node()
    with pytest.raises(RuntimeError, match="knee: the output is the input"):
        panel.logic.upscale(node, node, model="cubic", factor=2)
    assert node.GetImageData().GetDimensions() == (24, 20, 8)


def test_a_volume_that_changes_is_described_anew(ui):
    node = thick_node()
    ui.inputSelector.setCurrentNode(node)
    node.SetSpacing(1, 1, 5)
    assert "slices 5.0 mm" in ui.inputDescription.text
    slicer.util.updateVolumeFromArray(node, np.full((8, 20, 24), np.nan, np.float32))
    assert "NaN" in ui.inputDescription.text
    assert not ui.applyButton.enabled


# ---- adapting to the volume


def test_adapting_is_offered_for_networks_that_make_one_axis_finer(ui):
    ui.inputSelector.setCurrentNode(thick_node())
    choose_model(ui, "fast")
    assert ui.adaptBox.enabled and not ui.adaptMinutesBox.enabled and not ui.adaptBox.checked
    ui.adaptBox.checked = True
    assert ui.adaptMinutesBox.enabled and ui.adaptMinutesBox.value == 3
    ui.axisBox.currentIndex = list(Axis).index(Axis.ALL)
    assert not ui.adaptBox.enabled and "one axis" in ui.adaptBox.toolTip
    ui.axisBox.currentIndex = list(Axis).index(Axis.AUTOMATIC)
    choose_model(ui, "cubic")
    assert not ui.adaptBox.enabled and not ui.adaptMinutesBox.enabled and "Only networks can be adapted." in ui.adaptBox.toolTip


def test_adapting_needs_the_training_library(ui, monkeypatch):
    monkeypatch.setattr(upscaling_section, "find_spec", lambda name: None)
    ui.inputSelector.setCurrentNode(thick_node())
    choose_model(ui, "fast")
    assert not ui.adaptBox.enabled and "SuperResolutionTraining" in ui.adaptBox.toolTip


def test_the_engine_is_asked_to_adapt_only_where_that_is_offered(panel, ui, monkeypatch):
    asked = []
    monkeypatch.setattr(panel.logic, "startUpscaling", lambda *_, adaptMinutes, **__: asked.append(adaptMinutes))
    monkeypatch.setattr(package_installation, "missing_packages", lambda names: [])
    ui.inputSelector.setCurrentNode(thick_node())
    for model, checked in (("fast", False), ("fast", True), ("cubic", True)):
        choose_model(ui, model)
        if ui.adaptBox.enabled:
            ui.adaptBox.checked, ui.adaptMinutesBox.value = checked, 1.5
        ui.applyButton.click()
    assert asked == [None, 1.5, None]


# ---- review and printing


@pytest.fixture
def result(panel, wait_until):
    """A result of nearest-neighbour interpolation."""
    panel.logic.startUpscaling(thick_node(), {"model": "nearest", "factor": 2})
    wait_until(lambda: not panel.logic.running)
    node = slicer.mrmlScene.GetFirstNodeByName("knee ×2 nearest")
    panel.ui.resultSelector.setCurrentNode(node)
    return node


def test_segments_that_were_made_in_another_module_are_listed_on_return(panel, ui, result):
    panel.logic.getParameterNode().segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "bones")
    assert ui.segmentsList.count == 0
    panel.parent.exit()
    panel.logic.getParameterNode().segmentation.GetSegmentation().AddEmptySegment("", "Femur")
    panel.parent.enter()
    assert [ui.segmentsList.item(row).text() for row in range(ui.segmentsList.count)] == ["Femur"]
    assert ui.checkButton.enabled


@pytest.mark.parametrize("removed", ["the input", "the result"])
def test_what_is_removed_before_the_comparison_is_ready_is_not_compared(removed, views, panel, ui, result, wait_until):
    before = views.layout
    ui.compareButton.click()
    assert panel.logic.running
    slicer.mrmlScene.RemoveNode(result if removed == "the result" else slicer.mrmlScene.GetFirstNodeByName("knee"))
    wait_until(lambda: not panel.logic.running)
    assert ui.reviewMessage.text == "Not compared: the result or its input was removed meanwhile"
    assert views.layout == before


# ---- models


def test_a_ct_volume_greys_a_model_for_mr_and_chooses_another(ui, make_model):
    make_model("knees")
    ui.inputSelector.setCurrentNode(thick_node())
    choose_model(ui, "knees")
    assert (ui.modelBox.currentText, ui.factorBox.count) == ("knees: untrained", 1)
    ct = thick_node()
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    hierarchy.SetItemAttribute(hierarchy.GetItemByDataNode(ct), "DICOM.Modality", "CT")
    ui.inputSelector.setCurrentNode(ct)
    assert ui.modelBox.itemData(ui.modelBox.currentIndex) == "fast"
    row = models(ui)["knees"]
    assert not ui.modelBox.model().item(row).isEnabled()
    assert ui.modelBox.itemText(row) == "knees: untrained (trained on MR; this volume is CT)"


def test_a_damaged_file_in_the_users_folder_is_grey(ui, models_of_the_user):
    (models_of_the_user / "mine.safetensors").write_bytes(b"no model")
    ui.inputSelector.setCurrentNode(thick_node())
    row = models(ui)["mine"]
    assert not ui.modelBox.model().item(row).isEnabled()
    assert ui.modelBox.itemText(row).startswith("mine (damaged or no safetensors file")


def test_an_added_model_is_copied_and_chosen(panel, ui, make_model, models_of_the_user, tmp_path):
    ui.inputSelector.setCurrentNode(thick_node())
    panel.upscaling.addModel(make_model("knees", tmp_path))
    assert (models_of_the_user / "knees.safetensors").is_file()
    assert ui.modelBox.itemData(ui.modelBox.currentIndex) == "knees"
    assert (ui.factorBox.currentText, ui.messageLabel.text) == ("×2 (nearest to isotropic)", "Model 'knees' was added to your models.")
    assert panel.upscaling.settings()["model"] == str(models_of_the_user / "knees.safetensors")


def test_an_added_model_whose_id_is_taken_is_refused(panel, ui, make_model, tmp_path):
    ui.inputSelector.setCurrentNode(thick_node())
    panel.upscaling.addModel(make_model("cubic", tmp_path))
    assert "the id 'cubic' belongs to" in ui.messageLabel.text
    assert ui.modelBox.itemData(ui.modelBox.currentIndex) == "fast"


# ---- devices


def test_the_devices_are_asked_for_in_the_background_when_advanced_is_opened(panel, ui, wait_until):
    assert devices(ui) == [("auto", "Automatic"), ("cpu", "CPU")]
    ui.advancedSection.collapsed = False
    assert devices(ui)[0] == ("auto", "Automatic")
    wait_until(lambda: devices(ui)[0][1] != "Automatic")
    assert devices(ui)[0][1].startswith("Automatic (") and devices(ui)[-1] == ("cpu", "CPU")


def test_gpus_are_shown_by_name_and_can_be_chosen(panel, ui, engine, monkeypatch, wait_until):
    gpu = """{"id": "cuda:0", "name": "Big GPU"}, {"id": "cpu", "name": "CPU"}"""
    module = engine(f"""print('{{"type": "result", "devices": [{gpu}]}}')""")
    monkeypatch.setattr(device_menu, "EngineProcess", lambda _, *rest: EngineProcess(module, *rest))
    ui.advancedSection.collapsed = False
    wait_until(lambda: len(devices(ui)) == 3)
    assert devices(ui) == [("auto", "Automatic (Big GPU)"), ("cuda:0", "Big GPU"), ("cpu", "CPU")]
    ui.deviceBox.setCurrentIndex(1)
    assert panel.logic.getParameterNode().device == "cuda:0"


def test_devices_that_cannot_be_told_leave_the_panel_as_it_is(panel, ui, engine, monkeypatch, wait_until):
    module = engine("import sys; sys.exit('libcuda is broken')")
    monkeypatch.setattr(device_menu, "EngineProcess", lambda _, *rest: EngineProcess(module, *rest))
    ui.advancedSection.collapsed = False
    wait_until(lambda: ui.logText.plainText)
    assert "libcuda is broken" in ui.logText.plainText
    assert devices(ui) == [("auto", "Automatic"), ("cpu", "CPU")]
