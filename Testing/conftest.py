import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The tests' tensors are so small that threads would only wait for each other. It must be said before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Processes that tests start find what pytest finds.
os.environ["PYTHONPATH"] = os.pathsep.join(str(ROOT / folder) for folder in ("SuperResolution", "SuperResolutionTraining", "Testing"))
