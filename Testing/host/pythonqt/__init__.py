"""Qt as PythonQt shows it: PySide6 is the real Qt below, and Python code of a module sees only wrappers of its objects.

Two worlds, and one border between them:

- *Qt code* (ours: custom widgets, the application object) is plain PySide6: ``button.setText("Go")``, ``button.text()``.
- *Module code* sees wrappers: ``button.text = "Go"``, ``button.text``. A wrapper holds one PySide6 object. Whoever crosses the border calls
  `wrap` (Qt object to wrapper; lists become tuples, enums become ints, other Python and VTK objects pass untouched) or `unwrap`.

    button = qt.QPushButton("Go")            # a wrapper, of the wrapper class that belongs to QPushButton
    pythonqt.unwrap(button)                  # its PySide6.QtWidgets.QPushButton
    pythonqt.wrap(pyside_button) is button   # one object, one wrapper
    pythonqt.wrapper_class(QtWidgets.QPushButton) is qt.QPushButton

A class of ours (ctk..., qMRML..., qSlicer...) is a PySide6 subclass under its C++ name, made known to module code by `custom_class`:

    @pythonqt.custom_class
    class qMRMLWidget(QtWidgets.QWidget):
        mrmlSceneChanged = Signal(object)            # module code connects to "mrmlSceneChanged(vtkMRMLScene*)"
        isEntered = Property(bool, _is_entered)      # a Q_PROPERTY: an attribute for module code
        def setMRMLScene(self, scene: vtkMRMLScene | None) -> None: ...

    slicer.qMRMLWidget = pythonqt.wrapper_class(qMRMLWidget)

- Module code sees of it what its Qt base class shows, its Property and Signal members, its public methods (no leading underscore) and
  its enums (``class Filter(enum.IntFlag)`` inside the class: ``ctk.ctkPathLineEdit.Files``). Everything else raises.
- Methods get PySide6 objects and return them: wrapping is done at the border. Arguments are checked against the number of parameters
  and their annotations (str, int, float, bool, Qt classes, VTK classes): what does not fit raises as in the application.
  ``**kwargs`` are never passed.
- VTK objects travel through ``Signal(object)``; any ``vtk...*`` in a signature is taken for that. Overloads are declared as PySide6 does:
  ``currentNodeChanged = Signal((object,), (bool,))``; emit them with ``self.currentNodeChanged[object].emit(node)``.
- Custom classes are what a .ui file can name, and `custom_class` makes them attributes of `ctk` if their name begins with "ctk".

`start` makes the QApplication, of a subclass of ours if it is told one. `failures` collects what the application only prints:
exceptions in slots and observers and, while `strict()` is True, connections to signals that do not exist; a test clears it before and looks
into it after. `set_strict(False)` is for the conformance suite, which provokes such errors.
"""

from .application import start
from .failures import failures, set_strict, strict
from .registry import custom_class, custom_classes, unwrap, wrap, wrapper_class

__all__ = ["custom_class", "custom_classes", "failures", "set_strict", "start", "strict", "unwrap", "wrap", "wrapper_class"]
