"""The benchmark of a source: one YAML file that says what a paper measured, on what, with which figures, and how that is done again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from SuperResolutionLib.acquisition import PROFILES
from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.interpolation import INTERPOLATIONS
from SuperResolutionLib.model_file import LARGEST_FACTOR
from SuperResolutionLib.upscaling import SEVERAL_AXES
from SuperResolutionLib.volume import AXES
from SuperResolutionLib.worker import MODALITIES

from .plain_data import build
from .recipe import Recipe, recipe_from
from .training_run import recipe_of
from .volume_measures import VOLUME_MEASURES

SHIPPED = Path(__file__).parent / "benchmarks"
PEAKS = ("range", "maximum", "255")
FIGURES = ("psnr", "psnr_deviation", "ncc", "ssim", "perceptual_index", "rmse")


@dataclass(frozen=True)
class Data:
    """The data of the source, which are not passed on with this.

    Attributes
    ----------
    what, where, terms, layout : str
        What to download, from whom, under which terms, and how it lies in the folder.
    """

    what: str
    where: str
    terms: str
    layout: str


@dataclass(frozen=True)
class Psnr:
    """How the source takes its PSNR, which is measured beside ours.

    Attributes
    ----------
    peak : {"range", "maximum", "255"}
        See the measures ``psnr_range``, ``psnr_maximum`` and ``psnr_255`` of `volume_measures`.
    assumed : bool
        Whether this is our guess.
    why : str
        Where it is from.
    """

    peak: str
    assumed: bool
    why: str

    @property
    def measure(self) -> str:
        """Name of the measure, of `volume_measures.VOLUME_MEASURES`."""
        return f"psnr_{self.peak}"


@dataclass(frozen=True)
class Network:
    """A network that is trained, once for each factor.

    Attributes
    ----------
    name : str
        What it is called, and the id of its models.
    recipe : str
        The shipped recipe that trains it.
    changes : dict
        Entries of the recipe that take other values; those of a mapping one by one.
    comparisons : tuple of str
        Those that it takes part in; empty: all.
    """

    name: str
    recipe: str
    changes: dict[str, Any] = field(default_factory=dict)
    comparisons: tuple[str, ...] = ()

    def trained_for(self, factor: int) -> Recipe:
        """Return the recipe that trains it for a factor.

        Raises
        ------
        RequestError
            If there is no such recipe, or the changes make none.
        """
        plain = recipe_of(self.recipe)[0].as_dict()
        for entry, value in ({"id": self.name} | self.changes).items():
            known = plain.get(entry)
            plain[entry] = known | value if isinstance(known, Mapping) and isinstance(value, Mapping) else value
        plain["arguments"] = plain["arguments"] | {"factors": [factor]}
        return recipe_from(plain, f"network '{self.name}'")


@dataclass(frozen=True)
class Comparison:
    """What is made thick, and by how much.

    Attributes
    ----------
    name : str
        Such as ``3-D``; also the name of a folder.
    axes : str
        See `trials.trials_of`.
    factors : tuple of int
    """

    name: str
    axes: str
    factors: tuple[int, ...]


@dataclass(frozen=True)
class Published:
    """What the source reports of one method.

    Attributes
    ----------
    comparison : str
    factor : int
    method : str
        As the source calls it.
    ours : str
        The network or interpolation of ours that it stands beside.
    figures : dict of str to float
        Of `FIGURES`.
    data : str
        Which of the source's data, where it has several.
    """

    comparison: str
    factor: int
    method: str
    ours: str
    figures: dict[str, float]
    data: str = ""


@dataclass(frozen=True)
class SourceBenchmark:
    """What a source measured, and how that is done again.

    Attributes
    ----------
    id, title : str
    source : str
        Citation.
    data : Data
    modalities : tuple of str
        Of the scans that are taken.
    validation : float
        Part of the subjects that is measured and not trained on, where no recipe lists scans.
    profile : str
        Slice profile that makes scans thick, see `acquisition`; networks are trained for it.
    psnr : Psnr
    networks : tuple of Network
    models : tuple of str
        Shipped models that are measured beside them, where they offer the factor.
    baselines : tuple of str
        Interpolations; cubic is always among them.
    comparisons : tuple of Comparison
    published : tuple of Published
    differences : tuple of str
        What is known to differ from the source, or is not known.
    measures : tuple of str
        Further measures of whole volumes, of `volume_measures.VOLUME_MEASURES`.
    consistency : bool
        Project results onto the measurement; without, networks are measured bare, as sources do.
    ensemble : bool
        Measure each trained network with self-ensemble, too.
    """

    id: str
    title: str
    source: str
    data: Data
    modalities: tuple[str, ...]
    validation: float
    profile: str
    psnr: Psnr
    networks: tuple[Network, ...]
    models: tuple[str, ...]
    baselines: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    published: tuple[Published, ...]
    differences: tuple[str, ...]
    measures: tuple[str, ...] = ()
    consistency: bool = False
    ensemble: bool = False

    def __post_init__(self) -> None:
        comparisons = [comparison.name for comparison in self.comparisons]
        self._accept("network or comparison named twice", self._twice(comparisons), ())
        for network in self.networks:
            self._accept(f"network '{network.name}': comparison", network.comparisons, comparisons)
        self._accept("modality", self.modalities, MODALITIES)
        self._accept("profile", [self.profile], PROFILES)
        self._accept("psnr: peak", [self.psnr.peak], PEAKS)
        self._accept("baseline", self.baselines, INTERPOLATIONS)
        self._accept("measure", self.measures, VOLUME_MEASURES)
        if not 0 < self.validation < 1:
            raise RequestError(f"benchmark: validation {self.validation:g}; accepted are numbers between 0 and 1")
        for comparison in self.comparisons:
            self._check_comparison(comparison)
        methods = [network.name for network in self.networks] + list(self.baselines)
        for row in self.published:
            where = f"published '{row.method}'"
            self._accept(f"{where}: comparison", [row.comparison], comparisons)
            self._accept(f"{where}: factor", [row.factor], self.named(row.comparison).factors)
            self._accept(f"{where}: ours", [row.ours], methods)
            self._accept(f"{where}: figure", row.figures, FIGURES)

    @property
    def measured(self) -> tuple[str, ...]:
        """The measures of whole volumes that are taken, that of the source's PSNR first."""
        return tuple(dict.fromkeys((self.psnr.measure, *self.measures)))

    def named(self, comparison: str) -> Comparison:
        """Return a comparison by its name."""
        return next(each for each in self.comparisons if each.name == comparison)

    def networks_of(self, comparison: Comparison) -> list[Network]:
        """Return the networks that take part in a comparison."""
        return [network for network in self.networks if not network.comparisons or comparison.name in network.comparisons]

    def factors_of(self, network: Network) -> list[int]:
        """Return the factors that a network is trained for."""
        factors = {factor for each in self.comparisons if network in self.networks_of(each) for factor in each.factors}
        return sorted(factors)

    def recipe_for(self, network: Network, factor: int) -> Recipe:
        """Return the recipe that trains a network: that of `Network.trained_for`, for the benchmark's slice profile and modalities."""
        ours = {"modalities": self.modalities, "acquisitions": [{"profile": self.profile}]}
        return recipe_from(network.trained_for(factor).as_dict() | ours, f"network '{network.name}'")

    def with_networks(self, names: tuple[str, ...]) -> SourceBenchmark:
        """Return the benchmark of some of its networks.

        Raises
        ------
        RequestError
            If one has no such name.
        """
        self._accept("network", names, [network.name for network in self.networks])
        kept = tuple(network for network in self.networks if network.name in names)
        published = tuple(row for row in self.published if row.ours in (*names, *self.baselines))
        return replace(self, networks=kept, published=published)

    def as_dict(self) -> dict[str, Any]:
        """Return the benchmark as plain data, as its YAML file holds it."""
        return asdict(self)

    def _twice(self, comparisons: list[str]) -> list[str]:
        names = [network.name for network in self.networks]
        return [name for names in (names, comparisons) for name in names if names.count(name) > 1]

    def _check_comparison(self, comparison: Comparison) -> None:
        if comparison.axes not in SEVERAL_AXES and (not comparison.axes or not set(comparison.axes) <= set(AXES)):
            accepted = f"letters of {', '.join(AXES)}, or {' or '.join(SEVERAL_AXES)}"
            raise RequestError(f"benchmark: comparison '{comparison.name}': axes '{comparison.axes}'; accepted are {accepted}")
        if not comparison.factors or not all(2 <= factor <= LARGEST_FACTOR for factor in comparison.factors):
            found = f"comparison '{comparison.name}': factors {list(comparison.factors)}"
            raise RequestError(f"benchmark: {found}; accepted are whole numbers from 2 to {LARGEST_FACTOR}, at least one")

    @staticmethod
    def _accept(what: str, found: Any, accepted: Any) -> None:
        for each in found:
            if each not in accepted:
                raise RequestError(f"benchmark: {what} '{each}'; accepted are {', '.join(map(str, accepted)) or 'other names'}")


def shipped_benchmarks() -> list[str]:
    """Return the names of the benchmarks that come with this."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def read_benchmark(name: str) -> SourceBenchmark:
    """Read and validate a benchmark: a YAML file, or the name of a shipped one.

    Raises
    ------
    RequestError
        If there is no such file, or it is no YAML mapping or holds an unknown key, a missing key or a value that is not accepted.
    """
    import yaml

    path = Path(name) if Path(name).is_file() else SHIPPED / f"{name}.yaml"
    if not path.is_file():
        raise RequestError(f"benchmark '{name}': no such file; accepted are a YAML file or one of {', '.join(shipped_benchmarks())}")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RequestError(f"benchmark {path}: {' '.join(str(error).split())}") from error
    return build(SourceBenchmark, data, f"benchmark {path.name}")


def about(benchmark: SourceBenchmark) -> str:
    """Return what a person has to know before running a benchmark, as text."""
    data = benchmark.data
    lines = [f"{benchmark.id}: {benchmark.title}", f"source: {benchmark.source}", ""]
    lines += [f"data: {data.what}", f"from: {data.where}", f"terms: {data.terms}", f"folder: {data.layout}", ""]
    lines += [f"trained: {network.name} (recipe {network.recipe})" for network in benchmark.networks]
    lines += [f"compared: {each.name}, factors {', '.join(map(str, each.factors))}" for each in benchmark.comparisons]
    assumed = " (our assumption)" if benchmark.psnr.assumed else ""
    lines += [f"PSNR of the source{assumed}: {VOLUME_MEASURES[benchmark.psnr.measure].label}. {benchmark.psnr.why}"]
    lines += ["differs from the source, or is not known:", *(f"- {each}" for each in benchmark.differences), ""]
    return "\n".join([*lines, f"superresolution reproduce {benchmark.id} --data DIR --out DIR"])
