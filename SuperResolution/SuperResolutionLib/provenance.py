"""Where a result comes from, in the words that are written into every file."""

from dataclasses import dataclass, fields

NOTICE = "research use, not for diagnosis"
SPREAD = "spread"


@dataclass(frozen=True)
class Provenance:
    """How a volume was made; every written result carries it.

    Attributes
    ----------
    model : str
        Id of the upscaler, for example ``fast`` or ``cubic``.
    model_sha256 : str
        SHA-256 of the model file; empty for interpolations.
    factor : int
        How many times finer the volume was made.
    axis : str
        ``i``, ``j``, ``k``, ``plane`` (the two across the thick one) or ``all``: the array axes that were made finer.
    acquisition : str
        The acquisition assumed for the thick volume, for example ``mean``.
    residual_before, residual_after : str
        Result of the measurement check, relative to the range of the input; empty where none was made.
    engine_version : str
        Version of the engine.
    notice : str
        The notice that no result goes without.
    notes : tuple of str
        What reading had to change before (see `Volume.notes`).
    quantity : str
        What the voxels hold: ``intensity``, or ``spread``, the standard deviation over an ensemble (see `upscaling.Result`).
    """

    model: str
    model_sha256: str
    factor: int
    axis: str
    acquisition: str
    residual_before: str
    residual_after: str
    engine_version: str
    notice: str = NOTICE
    notes: tuple[str, ...] = ()
    quantity: str = "intensity"

    def as_fields(self) -> dict[str, str]:
        """Return the provenance as flat text fields, ``SuperResolution.<name>`` → value."""
        plain = {f"SuperResolution.{field.name}": str(getattr(self, field.name)) for field in fields(self) if field.name != "notes"}
        return plain | notes_field(self.notes)

    def describe(self) -> str:
        """Return the provenance as one line for people."""
        checked = f", measurement residual {self.residual_before} -> {self.residual_after}" if self.residual_after else ""
        digest = f" (sha256 {self.model_sha256[:16]})" if self.model_sha256 else ""
        what = "Spread (standard deviation over an ensemble) of super-resolution" if self.quantity == SPREAD else "Super-resolution"
        return (
            f"{what} x{self.factor} along {self.axis} by {self.model}{digest}, acquisition {self.acquisition}{checked}, "
            f"SuperResolution {self.engine_version}; {'; '.join((*self.notes, self.notice))}"
        )


def notes_field(notes: tuple[str, ...]) -> dict[str, str]:
    """Return notes as the flat text field of `Provenance.as_fields`; none if there are none."""
    return {"SuperResolution.notes": "; ".join(notes)} if notes else {}
