"""The Slicer side of the SuperResolutionTraining module; stands on SuperResolutionSlicer and the engine."""
