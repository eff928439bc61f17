import time

import pytest

from SuperResolutionLib.stopwatch import Stopwatch


def test_the_seconds_of_a_stage_add_up_whether_it_ends_well_or_not():
    watch = Stopwatch()
    with watch.stage("one"):
        time.sleep(0.02)
    with pytest.raises(ValueError), watch.stage("one"):
        time.sleep(0.02)
        raise ValueError
    with watch.stage("two"):
        pass
    assert list(watch.seconds) == ["one", "two"]
    assert watch.seconds["one"] >= 0.04 and watch.seconds["two"] < 0.02
