"""Whether a surface can be printed, told before it is written."""

from __future__ import annotations

from dataclasses import dataclass

from SuperResolutionLib.errors import RequestError

from .shells import Edges, Shell, find_edges, find_shells
from .triangle_surface import TriangleSurface

SMALL_PART = 0.01  # of the whole volume: below it a part is called a loose island
VOLUME_CHANGE = 0.05  # of the drawn voxels: what smoothing and decimation may change before it is worth a word


@dataclass(frozen=True, eq=False)
class SurfaceReport:
    """What was found out about a surface. Intersections of a surface with itself are not checked: VTK has no filter for them.

    Attributes
    ----------
    surface : TriangleSurface
        What was checked.
    edges : Edges
        Open, branching and misoriented edges.
    shells : tuple of Shell
        The largest first.
    """

    surface: TriangleSurface
    edges: Edges
    shells: tuple[Shell, ...]

    @property
    def closed(self) -> bool:
        """Whether every edge belongs to exactly two triangles."""
        return not (self.edges.boundary or self.edges.non_manifold)

    @property
    def volume_mm3(self) -> float | None:
        """Enclosed volume, mm³, without the cavities; None for a surface that is not closed."""
        return sum(shell.volume_mm3 for shell in self.shells) if self.closed else None

    @property
    def volume_ml(self) -> float | None:
        """Enclosed volume, ml."""
        return None if self.volume_mm3 is None else self.volume_mm3 / 1000

    @property
    def extents_mm(self) -> tuple[float, float, float]:
        """Size along the axes right-left, anterior-posterior and superior-inferior, mm."""
        return tuple(float(size) for size in self.surface.points.max(axis=0) - self.surface.points.min(axis=0))

    @property
    def flaws(self) -> tuple[str, ...]:
        """What makes the surface no boundary of a solid, in words; empty for a sound one."""
        flaws = []
        if self.edges.boundary:
            flaws.append(f"open: {_count(self.edges.boundary, 'boundary edge')}")
        if self.edges.non_manifold:
            flaws.append(f"{_count(self.edges.non_manifold, 'edge')} of more than two triangles")
        if self.edges.misoriented:
            flaws.append(f"{_count(self.edges.misoriented, 'edge')} between triangles that face opposite ways")
        if self.closed:
            if not self.volume_mm3 > 0:
                flaws.append("encloses no volume")
            elif wrong := sum(not (shell.is_part or shell.is_cavity) for shell in self.shells):
                flaws.append(f"{_count(wrong, 'shell')} turned inside out or inside a solid")
        return tuple(flaws)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may surprise the one who prints, in words."""
        warnings = []
        if self.edges.touching_points:
            warnings.append(f"touches itself in {_count(self.edges.touching_points, 'point')}")
        if self.surface.collapsed:
            warnings.append(f"{_count(self.surface.collapsed, 'triangle')} that enclosed nothing left out")
        if self.surface.dropped_shells:
            warnings.append(f"{_count(self.surface.dropped_shells, 'shell')} of {_volume(self.surface.dropped_mm3)} left out as asked")
        if self.closed and self.volume_mm3 > 0:
            warnings += self._about_parts()
            drawn = self.surface.drawn_mm3
            if drawn and abs(self.volume_mm3 / drawn - 1) > VOLUME_CHANGE:
                warnings.append(f"volume {100 * (self.volume_mm3 / drawn - 1):+.1f} % against the voxels drawn")
        return tuple(warnings)

    def _about_parts(self) -> list[str]:
        """Tell of loose islands, further parts and cavities."""
        words = []
        further = [shell for shell in self.shells[1:] if shell.is_part]
        islands = [shell for shell in further if shell.volume_mm3 < SMALL_PART * self.volume_mm3]
        if islands:
            words.append(f"{_count(len(islands), 'loose island')} below {100 * SMALL_PART:g} % of the volume")
        if len(further) > len(islands):
            words.append(f"{1 + len(further) - len(islands)} separate parts")
        cavities = [shell.volume_mm3 for shell in self.shells if shell.is_cavity]
        if cavities:
            words.append(f"{len(cavities)} closed {'cavity' if len(cavities) == 1 else 'cavities'} of {_volume(-sum(cavities))} inside")
        return words

    def describe(self) -> str:
        """Return the report as a few lines for a person."""
        size = " x ".join(f"{extent:.1f}" for extent in self.extents_mm)
        volume = "volume unknown" if self.volume_mm3 is None else _volume(self.volume_mm3)
        state = "closed" if self.closed else "not closed"
        lines = [
            f"{self.surface.name}: {state}, {volume}, {size} mm (R-L x A-P x S-I)",
            f"  {_count(len(self.surface.triangles), 'triangle')} in {_count(len(self.shells), 'shell')}; self-intersections not checked",
        ]
        lines += [f"  Flaw: {flaw}" for flaw in self.flaws]
        lines += [f"  Note: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def check_surface(surface: TriangleSurface) -> SurfaceReport:
    """Find out whether a surface is closed, oriented, in one piece, and how large it is.

    Raises
    ------
    RequestError
        If the surface has no triangles.
    """
    if not len(surface.triangles):
        raise RequestError(f"'{surface.name}': its surface has no triangles; accepted are segments that are not empty")
    edges = find_edges(surface)
    return SurfaceReport(surface, edges, tuple(find_shells(surface, edges)))


def _count(number: int, thing: str) -> str:
    """Say a number of things."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _volume(mm3: float) -> str:
    """Say a volume in both units."""
    return f"{mm3 / 1000:.3f} ml ({mm3:.0f} mm³)"
