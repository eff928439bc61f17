"""How patches are varied: each function draws what it needs and returns another patch."""

from __future__ import annotations

import numpy as np

from .recipe import Augmentation

_INVERTED = 0.4


def turned(patches: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """Swap rows and columns and flip along each axis, each with probability one half, all patches alike.

    Rows and columns stay where they are if they differ in number, so that the patches of a batch keep one shape.
    """
    if random.random() < 0.5:
        patches = [patch.swapaxes(1, 2) if patch.shape[1] == patch.shape[2] else patch for patch in patches]
    for dimension in range(3):
        if random.random() < 0.5:
            patches = [np.flip(patch, dimension) for patch in patches]
    return patches


def with_changed_contrast(patches: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """Bend and sometimes invert the grey scale, so that the network learns edges and not one sequence's contrast; all patches alike."""
    power = random.uniform(0.7, 1.4)
    bent = [np.sign(patch) * np.abs(patch) ** power for patch in patches]
    if random.random() < _INVERTED:
        bent = [1 - patch for patch in bent]
    return [patch.astype(np.float32) for patch in bent]


def degraded_further(thick: np.ndarray, augmentation: Augmentation, random: np.random.Generator) -> np.ndarray:
    """Blur some thick patches in their plane, and add noise of a random strength to all.

    Source of the blur: Georgescu et al., IEEE Access 8 (2020), doi 10.1109/ACCESS.2020.2980266: a Gaussian of 3x3 pixels, for half of
    the patches, with a standard deviation from 0 to 0.5 pixels.
    """
    blur = augmentation.blur
    if blur.probability and random.random() < blur.probability:
        thick = _blurred(thick, random.uniform(*blur.sigma))
    strength = random.uniform(0, augmentation.noise)
    return thick + random.normal(0, strength, thick.shape).astype(np.float32)


def _blurred(patch: np.ndarray, sigma: float) -> np.ndarray:
    """Convolve rows and columns with three samples of a Gaussian; at the edge the outermost voxels are repeated."""
    if not sigma > 0:
        return patch
    side = np.exp(-0.5 / sigma**2)
    side, middle = np.float32(side / (1 + 2 * side)), np.float32(1 / (1 + 2 * side))
    for dimension in (1, 2):
        last = patch.shape[dimension] - 1
        here = np.arange(last + 1)
        before, after = patch.take(np.maximum(here - 1, 0), dimension), patch.take(np.minimum(here + 1, last), dimension)
        patch = middle * patch + side * (before + after)
    return patch
