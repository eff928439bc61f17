"""The section Reader study: a small blinded study is read in the panel."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import slicer
import slicer.util
from PySide6 import QtCore, QtTest

import host
from host.pythonqt import unwrap
from SuperResolutionLib.files import read_volume, write_volume
from SuperResolutionLib.volume import Volume
from SuperResolutionTrainingLib.reader_study.prepare import prepare
from SuperResolutionTrainingLib.reader_study.reading import RATING_QUESTION, SCALE, Reading, open_study
from SuperResolutionTrainingSlicer import study_layout

STUDY = """
title: Hands
questions: [sharper]
cases:
  - {name: hand of Ada, candidates: {zebra: ada_zebra.nrrd, okapi: ada_okapi.nrrd}, window: [0, 800]}
  - {name: hand of Bob, candidates: {zebra: bob_zebra.nrrd, okapi: bob_okapi.nrrd}, planes: [sagittal, coronal]}
  - {name: hand of Eve, candidates: {zebra: eve_zebra.nrrd, okapi: eve_okapi.nrrd}, reference: eve_quagga.nrrd,
     questions: [sharper, nearer, structures], structures: [Thumb, Palm]}
"""
TELLING = ("zebra", "okapi", "quagga", "hand of", "Ada", "ada_", "savanna")
SHAPE = (8, 10, 12)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A blinded folder."""
    source = tmp_path_factory.mktemp("savanna")
    for number, name in enumerate(re.findall(r"\w+\.nrrd", STUDY)):
        voxels = np.random.default_rng(number).integers(0, 1000, SHAPE).astype(np.int16)
        write_volume(Volume(voxels, np.diag([2.0, 2, 3, 1])), source / name)
    (source / "study.yaml").write_text(STUDY)
    folder = tmp_path_factory.mktemp("handed-out") / "study"
    prepare(source / "study.yaml", folder, source / "key.json", seed=1)
    return folder


@pytest.fixture
def folder(prepared, tmp_path):
    """The blinded folder, without answers of other tests."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.json").write_bytes((prepared / "study.json").read_bytes())
    (folder / "volumes").symlink_to(prepared / "volumes")
    return folder


@pytest.fixture
def ui(panel):
    return panel.ui


@pytest.fixture
def study(panel):
    return panel.study


@pytest.fixture
def begin(ui, folder):
    """Let a reader begin, or go on."""

    def start(reader="anna"):
        ui.studyFolderEdit.currentPath = str(folder)
        ui.readerEdit.text = reader
        assert ui.beginButton.enabled, ui.beginButton.toolTip
        ui.beginButton.click()

    return start


@pytest.fixture
def answer(study, ui):
    """Answer every question of the comparison that is shown, with a value of each kind, and go on."""

    def click(preference="left", rating=4, go_on=True):
        for question in list(study.questions._questions.values()):
            study.questions.button(question.id, preference if question.kind == "preference" else rating).click()
        if go_on:
            ui.nextButton.click()

    return click


def places(study):
    """Return the comparison shown as (its id, the values answered)."""
    return study.comparison.id, study._reading.answered(study.comparison)


def study_volumes():
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return {node.GetName(): node for node in nodes if node.GetHideFromEditors()}


def go_to_the_case_with_a_reference(study, answer):
    while study.comparison.reference is None:
        answer()


# ---- before


def test_begin_waits_for_a_study_and_a_reader_and_says_so(ui, folder, tmp_path):
    assert not ui.beginButton.enabled
    assert "Select the folder of a study." in ui.beginButton.toolTip and "Enter your name." in ui.beginButton.toolTip
    ui.readerEdit.text = "anna"
    ui.studyFolderEdit.currentPath = str(tmp_path)
    assert not ui.beginButton.enabled and "study.json" in ui.beginButton.toolTip
    ui.studyFolderEdit.currentPath = str(folder)
    assert ui.beginButton.enabled and ui.beginButton.text == "Begin"
    ui.readerEdit.text = "anna / bob"
    assert not ui.beginButton.enabled and "accepted are 1 to 40 letters" in ui.beginButton.toolTip
    ui.studyFolderEdit.currentPath = ""
    assert "Select the folder of a study." in ui.beginButton.toolTip


def test_a_folder_that_is_gone_when_begin_is_pressed_is_told(ui, study, folder, begin):
    ui.studyFolderEdit.currentPath = str(folder)
    ui.readerEdit.text = "anna"
    (folder / "study.json").unlink()
    ui.beginButton.click()
    assert not study.reading and ui.studyMessage.text.startswith(str(folder / "study.json"))


# ---- what is shown


def test_each_side_shows_the_volume_that_was_drawn_for_it(views, study, begin, answer):
    begin()
    go_to_the_case_with_a_reference(study, answer)
    comparison = study.comparison
    for name, file in (("Left", comparison.left), ("Reference", comparison.reference), ("Right", comparison.right)):
        node = study_volumes()[name]
        assert np.array_equal(slicer.util.arrayFromVolume(node), read_volume(file.path).voxels)
        composite = views.sliceWidget(study_layout.tag(name)).mrmlSliceCompositeNode()
        assert composite.GetBackgroundVolumeID() == node.GetID()
        assert views.sliceWidget(study_layout.tag(name)).mrmlSliceNode().GetLayoutLabel() == name


def test_views_that_the_case_has_no_volume_for_are_not_there(views, study, begin, answer):
    begin()
    while study.comparison.reference is not None:
        answer()
    shown = {name for name in study_layout.ROLES if views.sliceWidget(study_layout.tag(name)).mrmlSliceNode().IsMappedInLayout()}
    assert shown == {"Left", "Right"} == set(study_volumes())


def test_all_volumes_have_the_window_of_the_study_and_keep_one_window(views, study, begin, answer):
    begin()
    go_to_the_case_with_a_reference(study, answer)
    low, high = study.comparison.case.window
    displays = [node.GetDisplayNode() for node in study_volumes().values()]
    assert len(displays) == 3
    for display in displays:
        assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((low, high))
        assert display.GetInterpolate() and not display.GetAutoWindowLevel()
    displays[1].SetWindowLevel(50, 70)
    assert {(display.GetWindow(), display.GetLevel()) for display in displays} == {(50, 70)}


def test_the_planes_of_the_case_are_offered_and_turn_all_views(views, ui, study, begin, answer):
    begin()
    while study.comparison.case.planes != ("sagittal", "coronal"):
        answer()
    assert ui.axialButton.isHidden() and not ui.coronalButton.isHidden() and ui.sagittalButton.checked
    ui.coronalButton.click()
    assert (ui.sagittalButton.checked, ui.coronalButton.checked) == (False, True)
    for name in ("Left", "Right"):
        assert views.sliceWidget(study_layout.tag(name)).mrmlSliceNode().GetOrientation() == "Coronal"


def matrices(views, names=("Left", "Right")):
    nodes = [views.sliceWidget(study_layout.tag(name)).mrmlSliceNode() for name in names]
    return [slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS()).copy() for node in nodes]


def test_the_wheel_in_one_view_scrolls_both(views, begin):
    begin()
    before, _ = matrices(views)
    view = unwrap(views.sliceWidget(study_layout.tag("Left")))._view
    view.send("MouseWheelForwardEvent", 20, 20)
    left, right = matrices(views)
    assert not np.allclose(left, before) and np.allclose(left, right)


def test_scrolling_by_keys_stays_within_the_volume_and_on_its_slices(views, study, begin):
    begin()
    study.views.turn_to("axial")
    study.views.scroll(100)
    top = matrices(views)[0][2, 3]
    study.views.scroll(-1)
    assert top - matrices(views)[0][2, 3] == pytest.approx(3)
    study.views.scroll(-100)
    bottom = matrices(views)[0][2, 3]
    assert sorted((bottom, top)) == pytest.approx([0, 3 * (SHAPE[0] - 1)])


def test_the_magnifier_enlarges_all_views_at_the_crosshair_without_leaving_the_slice(views, ui, study, begin):
    from SuperResolutionSlicer import crosshair

    begin()
    study.views.turn_to("axial")
    study.views.scroll(2)
    slice_before = matrices(views)[0][2, 3]
    nodes = [views.sliceWidget(study_layout.tag(name)).mrmlSliceNode() for name in ("Left", "Right")]
    wide = [node.GetFieldOfView()[0] for node in nodes]
    crosshair.put_at((-6, -4, 0))
    ui.fourTimesButton.click()
    assert [node.GetFieldOfView()[0] for node in nodes] == pytest.approx([width / 4 for width in wide])
    for matrix in matrices(views):
        assert matrix[:3, 3] == pytest.approx([-6, -4, slice_before])
    assert ui.fourTimesButton.checked and not ui.wholeButton.checked
    ui.wholeButton.click()
    assert [node.GetFieldOfView()[0] for node in nodes] == pytest.approx(wide)
    assert matrices(views)[0][2, 3] == pytest.approx(slice_before)


def test_the_magnifier_takes_the_place_under_the_mouse_when_it_is_in_a_view(views, study, begin):
    from SuperResolutionSlicer import crosshair

    begin()
    study.views.turn_to("axial")
    place = matrices(views)[0][:3, 3] + [4, -6, 0]
    crosshair.crosshair_node().SetCursorPositionRAS(list(place))
    study._magnify_more()
    assert study.views.zoom == 2
    assert matrices(views)[1][:3, 3] == pytest.approx(place)


def test_other_volumes_are_neither_shown_nor_removed_and_the_layout_comes_back(views, ui, heads, begin):
    (head,) = heads(1)
    before = views.layout
    begin()
    assert views.layout == study_layout.LAYOUT
    for name in ("Left", "Right"):
        composite = views.sliceWidget(study_layout.tag(name)).mrmlSliceCompositeNode()
        assert composite.GetBackgroundVolumeID() != head.GetID() and composite.GetForegroundVolumeID() is None
    ui.stopButton.click()
    assert views.layout == before
    assert slicer.mrmlScene.IsNodePresent(head)


def test_volumes_of_the_study_cannot_be_chosen_elsewhere_in_the_panel(ui, study, begin):
    begin()
    assert len(study_volumes()) >= 2
    for selector in (ui.candidateSelector, ui.referenceSelector, ui.thickSelector):
        assert selector.currentNode() is None
    assert ui.volumesList.count == 0


# ---- blinding


def words_on_screen(widget):
    """Return all texts, tool tips and names of a widget and its children."""
    found = []
    for each in [widget, *widget.findChildren(QtCore.QObject)]:
        found += [str(each.property(name)) for name in ("text", "toolTip", "title", "whatsThis", "statusTip", "accessibleName")]
    return "\n".join(found)


def everything_in_the_scene(folder):
    """Return the scene as a file, the values of all nodes and what would be written for them."""
    scene = slicer.mrmlScene
    scene.SetURL(str(folder / "scene.mrml"))
    assert scene.Commit()
    found = [(folder / "scene.mrml").read_text()]
    for index in range(scene.GetNumberOfNodes()):
        node = scene.GetNthNode(index)
        found.append(str(node))
        found += [f"{name}={node.GetAttribute(name)}" for name in node.GetAttributeNames() or ()]
    return "\n".join(found)


def test_nothing_in_the_scene_on_screen_or_in_the_log_tells_which_is_which(views, panel, study, begin, answer, tmp_path, capfd, caplog):
    begin()
    tokens = [path.stem for path in (Path(study._reading.study.folder) / "volumes").iterdir()]
    while study.comparison is not None:
        told = everything_in_the_scene(tmp_path) + words_on_screen(unwrap(panel.parent))
        assert "vtkMRMLScalarVolumeNode" in told and "Which image is sharper?" in told
        for word in (*TELLING, *tokens):
            assert word not in told
        for node in study_volumes().values():
            assert node.GetStorageNode() is None and not node.GetAttributeNames()
        answer()
    output = capfd.readouterr()
    for word in (*TELLING, *tokens):
        assert word not in output.out + output.err + caplog.text


def test_a_scene_that_is_saved_meanwhile_holds_no_volume_and_opens_in_another_layout(views, study, scene, begin, tmp_path):
    begin()
    scene.SetURL(str(tmp_path / "scene.mrml"))
    assert scene.Commit()
    scene.Clear(0)
    scene.SetURL(str(tmp_path / "scene.mrml"))
    assert scene.Connect()
    assert not study.reading and study_volumes() == {}
    assert views.layout != study_layout.LAYOUT


# ---- answering


def test_every_answer_is_on_the_disk_at_once(ui, study, folder, begin):
    begin()
    study.questions.button("sharper", "right").click()
    (line,) = (folder / "answers" / "anna.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert (told["question"], told["value"], told["comparison"]) == ("sharper", "right", study.comparison.id)
    assert told["seconds"] >= 0
    assert study.questions.button("sharper", "right").checked and not study.questions.button("sharper", "left").checked


def test_next_waits_for_all_answers_and_back_lets_them_be_changed(ui, study, begin, answer):
    begin()
    assert not ui.backButton.enabled and not ui.nextButton.enabled and "Open questions: " in ui.nextButton.toolTip
    first = study.comparison.id
    assert ui.studyProgress.text == "Comparison 1 of 3"
    answer("left")
    assert ui.studyProgress.text == "Comparison 2 of 3" and study.comparison.id != first
    ui.backButton.click()
    assert (study.comparison.id, study.questions.button("sharper", "left").checked) == (first, True)
    study.questions.button("sharper", "right").click()
    ui.nextButton.click()
    assert study._reading.answered(study._reading.comparison(first))["sharper"] == "right"


def test_structures_are_rated_for_each_image_from_1_to_5_or_as_not_present(ui, study, begin, answer):
    begin()
    go_to_the_case_with_a_reference(study, answer)
    assert study.questions.button("structure:Palm:right", "not present").text == "–"
    assert f"{RATING_QUESTION} {SCALE}, – not present" in words_on_screen(unwrap(ui.studyQuestions))
    for value in (1, 2, 3, 4, 5, "not present"):
        study.questions.button("structure:Thumb:left", value).click()
        assert study._reading.answered(study.comparison)["structure:Thumb:left"] == value
    assert "structure:Thumb:right" not in study._reading.answered(study.comparison)


def test_an_answer_that_cannot_be_kept_is_told_and_not_shown(ui, study, folder, begin):
    begin()
    (folder / "answers").write_text("a file in the place of the folder")
    study.questions.button("sharper", "left").click()
    assert "answer not written" in ui.studyMessage.text
    assert not study.questions.button("sharper", "left").checked and not ui.nextButton.enabled


def test_a_volume_that_cannot_be_read_ends_the_reading_and_names_no_file(ui, study, folder, begin):
    volumes = folder / "volumes"
    names = [path.name for path in volumes.iterdir()]
    volumes.unlink()
    volumes.mkdir()
    for name in names:
        (volumes / name).write_bytes(b"")
    begin()
    host.failures()  # the reader's own complaint, which Slicer puts into its log
    assert not study.reading and study_volumes() == {}
    assert "image: its file cannot be read; accepted is" in ui.studyMessage.text


def test_at_the_end_there_is_a_word_of_thanks_and_nothing_else(views, ui, study, begin, answer):
    before = views.layout
    begin()
    for _ in range(3):
        answer()
    assert ui.studyMessage.text.startswith("Thank you.")
    assert study_volumes() == {} and views.layout == before
    assert not ui.nextButton.enabled and ui.backButton.enabled and ui.comparisonPage.isHidden()
    ui.backButton.click()
    assert ui.studyProgress.text == "Comparison 3 of 3" and len(study_volumes()) >= 2
    ui.stopButton.click()
    assert ui.studyMessage.text == "Thank you. Everything is answered."


# ---- stopping


@pytest.mark.parametrize("end", ["stop", "scene closed", "module left", "module reloaded"])
def test_however_a_reading_ends_it_goes_on_where_it_was(end, views, panel, scene, begin, answer, folder):
    before = views.layout
    begin()
    go_to_the_case_with_a_reference(panel.study, answer)
    panel.study.questions.button("sharper", "right").click()
    was = places(panel.study)
    if end == "stop":
        panel.ui.stopButton.click()
    elif end == "scene closed":
        scene.Clear(0)
    elif end == "module left":
        panel.parent.exit()
        panel.parent.enter()
    else:
        panel.cleanup()
    assert study_volumes() == {} and views.layout == before
    if end == "module reloaded":
        host.unload_module("SuperResolutionTraining")
        panel = host.load_module(Path(__file__).parents[2] / "SuperResolutionTraining" / "SuperResolutionTraining.py")
        panel.parent.enter()
    assert not panel.study.reading and panel.ui.studyPage.isHidden()
    panel.ui.studyFolderEdit.currentPath = str(folder)
    panel.ui.readerEdit.text = "anna"
    assert panel.ui.beginButton.text == "Continue"
    panel.ui.beginButton.click()
    assert places(panel.study) == was


def test_several_readers_have_answers_of_their_own(ui, study, folder, begin, answer):
    for reader in ("anna", "bob"):
        begin(reader)
        answer("left" if reader == "anna" else "right")
        ui.stopButton.click()
    ui.readerEdit.text = "carol"
    assert ui.beginButton.text == "Begin"
    for reader, value in (("anna", "left"), ("bob", "right")):
        reading = Reading(open_study(folder), reader)
        assert reading.position == 1 and set(map(str, reading.answered(reading.comparisons[0]).values())) <= {value, "4"}


def test_folder_and_reader_are_no_part_of_the_scene_and_stay_when_it_is_closed(ui, scene, begin, folder, tmp_path):
    begin()
    assert str(folder) not in everything_in_the_scene(tmp_path)
    scene.Clear(0)
    assert (ui.studyFolderEdit.currentPath, ui.readerEdit.text) == (str(folder), "anna")


# ---- keys


@pytest.fixture
def press(panel):
    """Press a key while the panel's window is the active one."""
    window = unwrap(panel.parent)
    window.show()
    window.activateWindow()
    assert QtTest.QTest.qWaitForWindowActive(window)

    def key(*names):
        for name in names:
            QtTest.QTest.keyClick(window, getattr(QtCore.Qt.Key, f"Key_{name}"))

    yield key
    window.hide()


def test_a_study_is_read_by_keys_alone(press, ui, study, begin):
    begin()
    while study.comparison is not None:
        ratings = len(study.comparison.questions) > 1
        press("Right", "1", *("5", "0", "2", "3")) if ratings else press("Right")
        if ratings:
            values = study._reading.answered(study.comparison)
            assert list(values.values()) == ["right", "left", 5, "not present", 2, 3]
        assert study._reading.answered(study.comparison)["sharper"] == "right"
        press("Return")
    assert ui.studyMessage.text.startswith("Thank you.")
    press("B")
    assert ui.studyProgress.text == "Comparison 3 of 3"


def test_number_keys_answer_the_framed_question_and_tab_frames_another(press, study, begin, answer):
    begin()
    go_to_the_case_with_a_reference(study, answer)
    assert study.questions.marked == "sharper"
    press("Tab", "Tab")
    assert study.questions.marked == "structure:Thumb:left"
    press("3")
    assert study._reading.answered(study.comparison) == {"structure:Thumb:left": 3}
    press("Tab", "Tab", "9", "Left")  # no key, and the open preference although a structure is framed
    assert study._reading.answered(study.comparison)["sharper"] == "left"


def test_an_answered_comparison_is_not_changed_by_one_key_too_many(press, study, begin, answer):
    begin()
    answer("left", go_on=False)
    press("2")
    assert study._reading.answered(study.comparison)["sharper"] == "left"


def test_keys_do_nothing_once_the_reading_has_ended(press, ui, study, folder, begin):
    begin()
    ui.stopButton.click()
    press("Left", "1", "Return", "B", "Tab", "Z", "Up")
    assert not (folder / "answers").exists() and not study.reading


# ---- without views

WITHOUT_VIEWS = """
import sys, host
host.start()
panel = host.load_module(sys.argv[1])
panel.parent.enter()
panel.ui.studyFolderEdit.currentPath, panel.ui.readerEdit.text = sys.argv[2], "anna"
panel.ui.beginButton.click()
panel.ui.coronalButton.click()
panel.ui.twiceButton.click()
panel.study.questions.button("sharper", "left").click()
print(panel.ui.studyProgress.text, host.failures())
"""


def test_without_a_main_window_questions_can_be_answered_all_the_same(folder):
    script = Path(__file__).parents[2] / "SuperResolutionTraining" / "SuperResolutionTraining.py"
    done = subprocess.run([sys.executable, "-c", WITHOUT_VIEWS, str(script), str(folder)], capture_output=True, text=True)
    assert "Comparison 1 of 3 []" in done.stdout, done.stderr
    assert (folder / "answers" / "anna.jsonl").is_file()
