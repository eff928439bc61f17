"""The module's self-test: clicks through the panel in Slicer, with real nodes, real training and real evaluation."""

from .evaluation import EvaluationTest
from .reader_study import ReaderStudyTest
from .training import TrainingTest

__all__ = ["SuperResolutionTrainingTest"]


class SuperResolutionTrainingTest(TrainingTest, EvaluationTest, ReaderStudyTest):
    """All of it, under the name that Slicer looks for."""
