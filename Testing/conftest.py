import os

# The tests' tensors are so small that threads would only wait for each other. It must be said before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
