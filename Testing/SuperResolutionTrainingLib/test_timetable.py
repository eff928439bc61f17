import pytest

from SuperResolutionTrainingLib.timetable import Stopwatch, Timetable


@pytest.fixture
def timetable(make_recipe):
    """Two stages of 300 and 100 steps."""

    def make(**changes):
        stages = [{"steps": 300, "losses": {"l1": 1}, "learning_rate": 1.0}, {"steps": 100, "losses": {"l2": 1}, "learning_rate": 0.1}]
        return Timetable(make_recipe(stages=stages, **changes))

    return make


def test_a_stage_follows_the_other(timetable):
    table = timetable()
    assert [table.stage(point) for point in (0, 299, 299.9, 300, 399, 400)] == [0, 0, 0, 1, 1, 1]
    assert not table.is_over(399) and table.is_over(400)


@pytest.mark.parametrize(
    ("schedule", "rates"), [("constant", [1, 1, 0.1]), ("linear", [0.505, 0.26, 0.001]), ("cosine", [0.505, 0.155, 0.001])]
)
def test_the_rate_falls_over_all_stages_to_a_hundredth(timetable, schedule, rates):
    table = timetable(schedule=schedule)
    found = [table.learning_rate(step, step) for step in (200, 299, 400)]
    assert found == pytest.approx(rates, rel=0.02)


def test_the_first_hundred_steps_warm_up(timetable):
    table = timetable(schedule="constant")
    assert [table.learning_rate(step, step) for step in (0, 49, 99, 150)] == pytest.approx([0.01, 0.5, 1, 1])


def test_where_time_is_short_stages_schedule_and_warm_up_shrink_to_it(timetable):
    """One minute, in which ten steps are done: three quarters of it are the first stage."""
    table = timetable(minutes=1.0)
    points = [table.point(step, 6.0 * step) for step in range(11)]
    assert points == pytest.approx([40 * step for step in range(11)])
    assert [table.stage(point) for point in points] == [0] * 8 + [1] * 3 and table.is_over(points[10])
    assert table.learning_rate(1, points[1]) > 0.9 and table.learning_rate(0, points[0]) == pytest.approx(0.01)


def test_where_time_is_plenty_the_steps_decide(timetable):
    table = timetable(minutes=1000.0)
    assert table.point(7, 3.0) == 7 and table.is_over(table.point(400, 60.0))


def test_the_time_left_is_that_of_the_steps_or_of_the_budget(timetable):
    assert timetable().seconds_left(0, 0.0) is None
    assert timetable().seconds_left(100, 50.0) == pytest.approx(150)
    assert timetable(minutes=1.0).seconds_left(100, 50.0) == pytest.approx(10)


def test_a_stopwatch_counts_earlier_sittings_and_leaves_out_pauses():
    watch = Stopwatch(100.0)
    assert watch.seconds == 100
    watch.start()
    watch.leave_out(40.0)
    assert watch.seconds == pytest.approx(60, abs=0.5)
