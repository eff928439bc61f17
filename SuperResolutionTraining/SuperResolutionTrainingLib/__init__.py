"""Training and evaluation of super-resolution networks; stands on SuperResolutionLib and imports neither slicer nor qt."""
