"""What each tissue looks like in an MR (double-echo steady state, water excitation) or CT image, with its fine texture."""

from dataclasses import dataclass

import numpy as np

from .knee import Tissue
from .shapes import Points

# Arbitrary units for MR; Hounsfield units for CT.
MR = {
    Tissue.AIR: 0,
    Tissue.SKIN: 330,
    Tissue.FAT: 210,
    Tissue.MUSCLE: 350,
    Tissue.FAT_PAD: 215,
    Tissue.VESSEL: 520,
    Tissue.FLUID: 820,
    Tissue.TENDON: 60,
    Tissue.LIGAMENT: 95,
    Tissue.CARTILAGE: 560,
    Tissue.MENISCUS: 70,
    Tissue.CORTEX: 35,
    Tissue.MARROW: 150,
}
CT = {
    Tissue.AIR: -1000,
    Tissue.SKIN: 20,
    Tissue.FAT: -100,
    Tissue.MUSCLE: 55,
    Tissue.FAT_PAD: -85,
    Tissue.VESSEL: 45,
    Tissue.FLUID: 15,
    Tissue.TENDON: 95,
    Tissue.LIGAMENT: 85,
    Tissue.CARTILAGE: 75,
    Tissue.MENISCUS: 90,
    Tissue.CORTEX: 1350,
    Tissue.MARROW: 180,
}
CONTRASTS = {"MR": MR, "CT": CT}

# How strongly the texture of a tissue shows, in the units of the image.
AMPLITUDES = {
    "MR": {Tissue.MARROW: 28, Tissue.MUSCLE: 28, Tissue.FAT: 30, Tissue.FAT_PAD: 60, Tissue.CARTILAGE: 35, Tissue.LIGAMENT: 25},
    "CT": {Tissue.MARROW: 130, Tissue.MUSCLE: 8, Tissue.FAT: 50, Tissue.FAT_PAD: 60},
}


@dataclass(frozen=True)
class Waves:
    """A smooth random field of zero mean and unit variance: a sum of plane waves of random direction, length and phase."""

    numbers: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, random: np.random.Generator, shortest: float, longest: float, along_z: float = 1, count: int = 12) -> "Waves":
        """Draw `count` waves of `shortest` to `longest` mm; `along_z` stretches the pattern along z."""
        directions = random.normal(size=(3, count))
        directions /= np.linalg.norm(directions, axis=0)
        directions[2] /= along_z
        lengths = np.exp(random.uniform(np.log(shortest), np.log(longest), count))
        return cls((directions * 2 * np.pi / lengths).astype(np.float32), random.uniform(0, 2 * np.pi, count).astype(np.float32))

    def __call__(self, points: Points) -> np.ndarray:
        arguments = np.stack(points, axis=-1) @ self.numbers + self.phases
        return np.cos(arguments) @ np.full_like(self.phases, np.sqrt(2 / len(self.phases)))


class Appearance:
    """The intensity of every tissue at every point, bias field apart.

    Parameters
    ----------
    modality : {"MR", "CT"}
        The contrast.
    random : numpy.random.Generator
        Where the textures come from.
    """

    def __init__(self, modality: str, random: np.random.Generator) -> None:
        self.table = np.array([CONTRASTS[modality][tissue] for tissue in Tissue], dtype=np.float32)
        self.amplitudes = AMPLITUDES[modality]
        self.trabeculae = Waves.draw(random, 1.6, 3.6, along_z=1.6, count=18)
        self.patches = Waves.draw(random, 12, 30)
        self.fibres = Waves.draw(random, 2.0, 5.5, along_z=8, count=18)
        self.septa = Waves.draw(random, 12, 30, along_z=1.8)

    def __call__(self, labels: np.ndarray, points: Points) -> np.ndarray:
        """Return the intensities, float32 in the shape of `labels`."""
        values = self.table[labels]
        for tissue, amplitude in self.amplitudes.items():
            here = labels == tissue
            if here.any():
                values[here] += amplitude * self.texture(tissue, tuple(p[here] for p in points))
        return values

    def texture(self, tissue: Tissue, points: Points) -> np.ndarray:
        """Return the texture of one tissue, about −1 to 2, at points of any shape."""
        if tissue is Tissue.MARROW:
            return 0.7 * self.trabeculae(points) + 0.5 * self.patches(points)
        if tissue in (Tissue.MUSCLE, Tissue.LIGAMENT):
            return 0.6 * self.fibres(points) - 1.6 * np.exp(-((self.septa(points) / 0.09) ** 2))
        if tissue in (Tissue.FAT, Tissue.FAT_PAD):
            # A level set of a smooth field is a thin curved sheet: the connective septa of fat.
            return np.exp(-((self.septa(points) / 0.10) ** 2)) + 0.1 * self.trabeculae(points)
        return 0.7 * self.patches(points)
