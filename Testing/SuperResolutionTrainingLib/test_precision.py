import time

import pytest
import torch

from SuperResolutionTrainingLib.precision import choose_training_precision

CPU = torch.device("cpu")


def taking(**seconds):
    def attempt(dtype):
        time.sleep(seconds[str(dtype).removeprefix("torch.")])

    return attempt


@pytest.mark.parametrize(("seconds", "chosen"), [(0.01, torch.bfloat16), (0.048, torch.float32), (0.1, torch.float32)])
def test_the_reduced_type_is_taken_where_it_is_clearly_faster(seconds, chosen):
    assert choose_training_precision("auto", CPU, taking(float32=0.05, bfloat16=seconds)) == chosen


def test_a_device_without_the_reduced_type_keeps_the_exact_one():
    def attempt(dtype):
        if dtype == torch.bfloat16:
            raise RuntimeError("no kernel")

    assert choose_training_precision("auto", CPU, attempt) == torch.float32


def test_a_named_type_is_taken_without_a_trial():
    assert choose_training_precision("bfloat16", CPU, None) == torch.bfloat16
