import threading

from SuperResolutionTrainingLib.ahead import Ahead


class Sampler:
    """Draws a number, remembers by which thread, and tells when the last one is drawn."""

    def __init__(self):
        self.drawn = {}
        self.reached_seven = threading.Event()

    def batch(self, number):
        self.drawn[number] = threading.current_thread().name
        if number == 7:
            self.reached_seven.set()
        return number * 10


def test_batches_are_those_of_the_sampler_drawn_by_other_threads_before_they_are_asked_for():
    sampler = Sampler()
    ahead = Ahead(sampler, 2)
    assert [ahead.batch(number) for number in (1, 3, 5)] == [10, 30, 50]
    assert sampler.reached_seven.wait(10)
    ahead.close()
    assert all(number % 2 for number in sampler.drawn)
    assert threading.current_thread().name not in sampler.drawn.values()
