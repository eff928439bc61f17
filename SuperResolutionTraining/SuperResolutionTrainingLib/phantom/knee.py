"""The anatomy of a left knee, as signed distances in the knee's own frame.

The frame is LPS in mm (x to the patient's left, which is lateral here; y backwards; z upwards) with the joint line at z = 0.
Sizes are those of an adult: condyles 75 mm across, cartilage of 2 to 3 mm, a cortex of 1 mm at the joint and 3.5 mm in the shafts.
"""

from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import cached_property

import numpy as np

from .shapes import Points, capsule, difference, ellipsoid, halfspace, intersection, ramp, rope, union


class Tissue(IntEnum):
    """Labels of the phantom."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    FAT_PAD = 4
    VESSEL = 5
    FLUID = 6
    TENDON = 7
    LIGAMENT = 8
    CARTILAGE = 9
    MENISCUS = 10
    CORTEX = 11
    MARROW = 12


SIDES = (-1, 1)  # medial, lateral
GROWTH_PLATE = 0.9  # mm: the scars of the growth plates are dark lines that every reader of knees expects

# Rods that melt into one belly: start, end and the radii there.
BELLIES = {
    "vastus medialis": [((-25, -17, 52), (-30, -14, 130), 11, 27)],
    "vastus lateralis": [((27, -14, 62), (30, -12, 130), 9, 27)],
    "vastus intermedius": [((0, -19, 78), (0, -22, 130), 6, 15)],
    "semimembranosus": [((-22, 42, 130), (-31, 38, 6), 20, 7)],
    "biceps femoris": [((27, 44, 130), (39, 32, -4), 20, 6)],
    "sartorius": [((-46, 28, 130), (-45, 22, -6), 8, 5)],
    "popliteus": [((22, 27, -9), (-10, 27, -48), 4, 9)],
    "soleus": [((6, 31, -36), (2, 33, -130), 5, 22)],
    "tibialis anterior": [((26, -4, -34), (27, -2, -130), 6, 19)],
    "peronei": [((43, 10, -32), (40, 8, -130), 5, 14)],
    "gastrocnemius medialis": [((-18, 40, 36), (-15, 46, -26), 6.5, 14), ((-15, 46, -26), (-13, 45, -130), 14, 22)],
    "gastrocnemius lateralis": [((20, 39, 34), (16, 46, -28), 6.5, 13), ((16, 46, -28), (15, 45, -130), 13, 22)],
}


class Knee:
    """The distance of points to every tissue, each computed when first asked for.

    Parameters
    ----------
    points : tuple of three ndarray
        Coordinates x, y, z in the knee's frame, mm.
    cartilage : float
        Thickness of the femoral cartilage, mm.
    """

    def __init__(self, points: Points, cartilage: float) -> None:
        self.points = points
        self.cartilage = cartilage

    # Bones ------------------------------------------------------------------------------------------------------------------------

    @cached_property
    def femur(self) -> np.ndarray:
        p = self.points
        bone = capsule(p, (0, 3, 42), (0, 1, 92), 23, 13.5)
        for side in SIDES:
            condyle = union(ellipsoid(p, (22 * side, 7, 22), (15, 27, 21)), ellipsoid(p, (22 * side, 17, 22), (13.5, 18, 18)), 4)
            trochlea = ellipsoid(p, (15 * side, -8, 31), (20, 23.5, 21))
            bone = union(bone, union(condyle, trochlea, 6), 7)
        bone = union(bone, ellipsoid(p, (0, -4, 33), (16, 19, 19)), 6)
        return difference(bone, self.notch, 3)

    @cached_property
    def notch(self) -> np.ndarray:
        """The intercondylar notch, wherein the cruciate ligaments run."""
        return capsule(self.points, (0, 34, 15), (0, 0, 1), 10.5, 9.5)

    @cached_property
    def tibia(self) -> np.ndarray:
        p = self.points
        head = intersection(ellipsoid(p, (0, 6, -17), (40, 27, 25)), halfspace(p, (0, 4, -3.4), (0, 0.1, 1)), 6)
        bone = union(head, capsule(p, (0, 7, -33), (2, 4, -105), 22, 12, widen=1.3), 10)
        bone = union(bone, ellipsoid(p, (4, -16, -38), (11, 11, 15)), 8)
        for side in SIDES:
            bone = union(bone, ellipsoid(p, (5 * side, 6, -6), (3.5, 7, 7.5)), 3)
        return bone

    @cached_property
    def fibula(self) -> np.ndarray:
        return union(ellipsoid(self.points, (37, 22, -23), (8.5, 10, 11)), capsule(self.points, (37, 22, -25), (33, 20, -110), 6), 5)

    @cached_property
    def patella(self) -> np.ndarray:
        p = self.points
        bone = ellipsoid(p, (1, -41.5, 32), (22, 10.5, 20.5))
        for side in SIDES:
            bone = intersection(bone, halfspace(p, (1, -32.2, 32), (0.36 * side, 1, 0)), 4)
        return bone

    @cached_property
    def femoral_marrow(self) -> np.ndarray:
        x, y, z = self.points
        scar = np.abs(z - 37 - 3 * np.cos(x / 9) - 0.08 * y)
        return np.maximum(self.femur + 0.9 + 2.6 * ramp(z, 48, 95), GROWTH_PLATE / 2 - scar)

    @cached_property
    def tibial_marrow(self) -> np.ndarray:
        x, y, z = self.points
        scar = np.abs(z + 19 + 2 * np.cos(x / 11) + 0.05 * y)
        return np.maximum(self.tibia + 0.9 + 2.6 * ramp(-z, 52, 100), GROWTH_PLATE / 2 - scar)

    # The joint --------------------------------------------------------------------------------------------------------------------

    @cached_property
    def articular(self) -> np.ndarray:
        """Where the femur carries cartilage: below and behind the condyles, and on the trochlea."""
        p = self.points
        where = union(ellipsoid(p, (0, 10, 12), (60, 44, 25)), ellipsoid(p, (0, -28, 28), (40, 20, 24)), 6)
        where = np.maximum(where, np.abs(p[0]) - 33)
        return difference(where, self.notch - 3)

    @cached_property
    def femoral_cartilage(self) -> np.ndarray:
        return self.femur - self.cartilage * ramp(-self.articular, 0, 6)

    @cached_property
    def tibial_cartilage(self) -> np.ndarray:
        where = union(*(ellipsoid(self.points, (22 * side, 5, -4), (15.5, 21, 9)) for side in SIDES))
        return self.tibia - 2.3 * ramp(-where, 0, 5)

    @cached_property
    def patellar_cartilage(self) -> np.ndarray:
        where = ellipsoid(self.points, (1, -33, 34), (21, 9, 16))
        return self.patella - 3.0 * ramp(-where, 0, 5)

    @cached_property
    def menisci(self) -> np.ndarray:
        """Two C's that fill the wedge between the curved condyles and the flat plateau."""
        x, y, z = self.points
        wedge = np.maximum(0.15 - self.femoral_cartilage, 0.15 - self.tibial_cartilage)
        wedge = np.maximum(wedge, np.maximum(self.femoral_cartilage + self.tibial_cartilage - 8.5, np.abs(z) - 9))
        rings = []
        for side in SIDES:
            around = np.hypot((x - 21 * side) / 18, (y - 5) / 23)
            ring = np.abs(around - 0.84) * 18 - 5.5
            rings.append(difference(ring, ellipsoid(self.points, (3 * side, 5, 0), (12, 12, 14)), 2))
        return np.maximum(wedge, np.minimum(*rings))

    @cached_property
    def cruciates(self) -> np.ndarray:
        anterior = rope(self.points, [(-2, -9, -4), (2, 4, 8), (6.5, 19, 25)], 2.9, widen=1.3)
        posterior = rope(self.points, [(1, 27, -14), (0, 26, -2), (-2, 20, 9), (-6, 4, 17)], 3.3, widen=1.2, blend=4)
        return np.minimum(anterior, posterior)

    @cached_property
    def collaterals(self) -> np.ndarray:
        medial = rope(self.points, [(-39, 6, 27), (-42, 6, 0), (-38, 2, -22), (-30, 0, -52)], 1.5)
        lateral = rope(self.points, [(38.5, 10, 26), (41, 16, 4), (39, 22, -18)], 1.7)
        return np.minimum(medial, lateral)

    @cached_property
    def tendons(self) -> np.ndarray:
        p = self.points
        patellar = rope(p, [(1, -45.5, 20), (1, -43.5, 8), (3, -37, -14), (4, -28, -44)], 2.6, widen=4.8)
        quadriceps = rope(p, [(1, -45.5, 46), (1, -40, 62), (0, -35, 85), (0, -33, 125)], 3.2, widen=4.5, blend=4)
        over_patella = np.maximum(np.abs(self.patella - 0.9) - 0.9, p[1] + 44)
        semitendinosus = rope(p, [(-20, 52, 110), (-32, 47, 10), (-38, 26, -40)], 2.3)
        return np.minimum(np.minimum(patellar, quadriceps), np.minimum(over_patella, semitendinosus))

    @cached_property
    def fluid(self) -> np.ndarray:
        """A film over the cartilage and around the cruciates, the suprapatellar pouch and a bursa behind."""
        film = np.maximum(self.femoral_cartilage - 0.6, self.articular + 3)
        sheath = np.maximum(self.cruciates - 0.5, self.notch + 2)
        pouch = rope(self.points, [(0, -32.5, 50), (0, -29.5, 64), (0, -26, 78)], 1.5, widen=11)
        bursa = capsule(self.points, (-24, 37, 24), (-26, 44, 4), 1.0, 2.2)
        return np.minimum(np.minimum(film, sheath), np.minimum(pouch, bursa))

    # Around the joint -------------------------------------------------------------------------------------------------------------

    @cached_property
    def fat_pad(self) -> np.ndarray:
        """Hoffa's pad below the patella, and the fat of the notch."""
        return union(ellipsoid(self.points, (0, -30, -2), (29, 14, 21)), self.notch - 1, 4)

    @cached_property
    def skin(self) -> np.ndarray:
        p = self.points
        thigh = capsule(p, (0, 10, 140), (0, 8, 12), 68, 57, widen=0.93)
        calf = capsule(p, (0, 8, 12), (0, 15, -140), 57, 53, widen=0.93)
        return union(union(thigh, calf, 12), ellipsoid(p, (1, -40, 26), (30, 18, 34)), 12)

    def muscle(self, name: str) -> np.ndarray:
        rods = [capsule(self.points, *rod) for rod in BELLIES[name]]
        belly = rods[0] if len(rods) == 1 else union(*rods, 5)
        return np.maximum(belly, self.skin + 6)

    @cached_property
    def vessels(self) -> np.ndarray:
        p = self.points
        artery = rope(p, [(-4, 36, 110), (1, 41, 40), (2, 39, -10), (3, 38, -60), (4, 36, -110)], 3.1)
        vein = rope(p, [(2, 42, 110), (6, 48, 40), (7, 46, -10), (8, 42, -60), (8, 40, -110)], 3.8)
        saphenous = rope(p, [(-40, 38, 110), (-46, 34, 20), (-43, 24, -40), (-40, 20, -110)], 1.5)
        genicular = rope(p, [(1, 41, 44), (-10, 36, 44), (-26, 22, 47), (-33, 0, 46), (-28, -28, 40)], 1.0)
        inferior = rope(p, [(2, 39, -8), (20, 30, -14), (34, 4, -1), (24, -30, -6), (0, -36, 2)], 0.9)
        return np.minimum(np.minimum(artery, vein), np.minimum(np.minimum(saphenous, genicular), inferior))


def _layers() -> Iterator[tuple[Tissue, Callable[[Knee], np.ndarray]]]:
    yield Tissue.SKIN, lambda knee: knee.skin
    yield Tissue.FAT, lambda knee: knee.skin + 1.5
    for name in BELLIES:
        # A thin layer of fat around each muscle parts it from those painted before.
        yield Tissue.FAT, lambda knee, name=name: knee.muscle(name) - 0.6
        yield Tissue.MUSCLE, lambda knee, name=name: knee.muscle(name)
    yield Tissue.FAT_PAD, lambda knee: knee.fat_pad
    yield Tissue.VESSEL, lambda knee: knee.vessels
    yield Tissue.FLUID, lambda knee: knee.fluid
    yield Tissue.TENDON, lambda knee: knee.tendons
    yield Tissue.LIGAMENT, lambda knee: np.minimum(knee.cruciates, knee.collaterals)
    # A bone and its cartilage in one; the bone is painted over it.
    yield Tissue.CARTILAGE, lambda knee: knee.femoral_cartilage
    yield Tissue.CARTILAGE, lambda knee: knee.tibial_cartilage
    yield Tissue.CARTILAGE, lambda knee: knee.patellar_cartilage
    yield Tissue.MENISCUS, lambda knee: knee.menisci
    yield Tissue.CORTEX, lambda knee: knee.femur
    yield Tissue.MARROW, lambda knee: knee.femoral_marrow
    yield Tissue.CORTEX, lambda knee: knee.tibia
    yield Tissue.MARROW, lambda knee: knee.tibial_marrow
    yield Tissue.CORTEX, lambda knee: np.minimum(knee.fibula, knee.patella)
    yield Tissue.MARROW, lambda knee: np.minimum(knee.fibula + 1.4, knee.patella + 1.0)


# Each layer replaces what lies under it.
PAINTING = tuple(_layers())
