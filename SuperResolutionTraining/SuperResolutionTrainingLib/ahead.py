"""Draws batches ahead of time, so that a fast device does not wait for them."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from .samples import PatchSampler

Batch = tuple[np.ndarray, np.ndarray, int]

_MOST_THREADS = 8


class Ahead:
    """A sampler whose next batches are drawn while the device is at work; a batch is the same, whoever draws it and when.

    Parameters
    ----------
    sampler : PatchSampler
    stride : int
        From the number of one batch to that of the next.
    """

    def __init__(self, sampler: PatchSampler, stride: int) -> None:
        self._sampler, self._stride = sampler, stride
        threads = max(1, min(_MOST_THREADS, (os.cpu_count() or 1) - 1))
        self._length = 2 * threads
        self._threads = ThreadPoolExecutor(threads)
        self._drawn: dict[int, Future[Batch]] = {}

    def batch(self, number: int) -> Batch:
        """Return a batch and have the following ones drawn."""
        for wanted in range(number, number + self._length * self._stride, self._stride):
            if wanted not in self._drawn:
                self._drawn[wanted] = self._threads.submit(self._sampler.batch, wanted)
        return self._drawn.pop(number).result()

    def close(self) -> None:
        """Draw no more."""
        self._threads.shutdown(cancel_futures=True)
