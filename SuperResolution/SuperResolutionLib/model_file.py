"""Model files: one ``.safetensors`` file that holds a network's weights and a card which says all about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .acquisition import PROFILES
from .errors import RequestError
from .networks import TASKS, build_network, network_names
from .whole import whole_file

if TYPE_CHECKING:
    from torch import nn

SCHEMA = 1
LARGEST_FACTOR = 8
"""What any upscaler offers at most."""
_KEY = "superresolution"
CHECKPOINT_KEY = "superresolution_training"
"""What the metadata of a training run's checkpoint hold in place of a card."""
_OLDER_TASK = "upscaling"  # what files said before there were networks for planes
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True)
class Card:
    """What a model file says of itself.

    Attributes
    ----------
    id, title : str
        Name used on the command line, and one line for people.
    task : str
        ``axis``: the network makes one axis finer; ``plane``: the two axes across it; ``both``: either.
    network, arguments
        Architecture and its constructor's arguments.
    factors : tuple of int
        Factors the network upscales by at once; see `offered_factors`.
    axis : str
        ``any``: whichever array axis is asked for.
    interpolated : bool
        The network takes slices that are interpolated onto the fine grid already; the upscaler does so.
    progressive : bool
        The network may be applied to its own result, so that powers of its factors are offered as well.
    modalities : tuple of str
        DICOM modalities the model is offered for.
    acquisitions : tuple of str
        Slice profiles it was trained on; the first is the main one.
    normalisation : dict
        ``low`` and ``high``: percentiles that are mapped to 0 and 1 (offset and scale; nothing is clipped).
    halo : tuple of int
        Reach of the network in thick voxels along (slices, rows, columns).
    precisions : tuple of str
        Number types it may run in.
    training : dict
        Scans with their licences, recipe, steps, seconds, machine; ``git_revision`` of the code; ``split``: subjects of each part.
    protocol : str
        How the quality was measured.
    quality : tuple of dict
        One entry for each scan, factor and axis measured: PSNR, NCC and SSIM of model and cubic.
    engine_version : str
        Engine that wrote the file.
    weights_sha256 : str
        SHA-256 over names, shapes and bytes of the weights.
    schema : int
        Version of this list.
    """

    id: str
    title: str
    network: str
    arguments: dict[str, Any]
    factors: tuple[int, ...]
    modalities: tuple[str, ...]
    acquisitions: tuple[str, ...]
    halo: tuple[int, ...]
    engine_version: str
    weights_sha256: str
    task: str = "axis"
    axis: str = "any"
    interpolated: bool = False
    progressive: bool = False
    normalisation: dict[str, float] = field(default_factory=lambda: {"low": 0.5, "high": 99.8})
    precisions: tuple[str, ...] = ("float32", "bfloat16", "float16")
    training: dict[str, Any] = field(default_factory=dict)
    protocol: str = ""
    quality: tuple[dict[str, Any], ...] = ()
    schema: int = SCHEMA

    @property
    def offered_factors(self) -> tuple[int, ...]:
        """Factors the model upscales by, at once or in passes."""
        return offered_factors(self.factors, self.progressive)

    def passes(self, factor: int) -> tuple[int, ...]:
        """Return the factors that the network is applied by, one after the other, to upscale by one of `offered_factors`."""
        if factor in self.factors:
            return (factor,)
        return next((base,) * number for number in (2, 3) for base in self.factors if base**number == factor)

    def mean_gain(self, factor: int, modality: str | None = None) -> float | None:
        """Return the mean PSNR gain over cubic in dB, whole volume, at `factor` (for one modality), or None where it was not measured."""
        fitting = [entry for entry in self.quality if entry["factor"] == factor and modality in (None, entry["modality"])]
        gains = [entry["psnr"] - entry["psnr_cubic"] for entry in fitting]
        return sum(gains) / len(gains) if gains else None


def offered_factors(factors: tuple[int, ...], progressive: bool) -> tuple[int, ...]:
    """Return the factors of a network, with their powers up to 8 where it may be applied to its own result."""
    powers = {factor**number for factor in factors for number in (2, 3)} if progressive else set()
    further = {factor for factor in powers if factor <= LARGEST_FACTOR} - set(factors)
    return tuple(sorted({*factors, *further})) if further else tuple(factors)


@dataclass(frozen=True)
class LoadedModel:
    """A model file in memory: its card, its network in evaluation mode, and the SHA-256 of the file."""

    card: Card
    network: nn.Module
    sha256: str


def read_card(path: str | Path) -> Card:
    """Read the card of a model file without loading weights or torch.

    Raises
    ------
    RequestError
        If the file is no safetensors file, holds no card, or a card of another schema or with wrong entries.
    """
    path = Path(path)
    _refuse_foreign(path)
    metadata = _metadata_of(path)
    if _KEY not in metadata:
        raise RequestError(f"{path}: weights without a card; accepted are model files written by this engine")
    return _card_from(metadata[_KEY], path)


def is_checkpoint(path: Path) -> bool:
    """Tell whether a file is the checkpoint of a training run, which may lie beside its model; a damaged file is not known for one."""
    try:
        return CHECKPOINT_KEY in _metadata_of(path)
    except RequestError:
        return False


def _metadata_of(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file: eight bytes with the length of a header in JSON, then the weights up to the file's end.

    The package that reads the format is not there when a panel lists models for the first time, and listing needs no weights.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length) if length <= path.stat().st_size else b"")
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        if 8 + length + max(ends, default=0) != path.stat().st_size:
            raise ValueError("cut off")
        metadata = header.get("__metadata__") or {}
        if not all(isinstance(text, str) for text in metadata.values()):
            raise TypeError("metadata that is no text")
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise RequestError(f"{path}: damaged or no safetensors file; accepted are model files written by this engine") from error
    return metadata


def _refuse_foreign(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}; accepted is the path of a .safetensors model file") from error
    # The length of a safetensors header may begin with the same bytes; after it comes the header, in JSON.
    if start.startswith(_PICKLES) and start[8:] != b"{":
        raise RequestError(f"{path}: pickled weights, which can run code and are never loaded; accepted are .safetensors model files")


def _card_from(text: str, path: Path) -> Card:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(f"{path}: the card is not JSON ({error}); accepted are model files written by this engine") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        found = data.get("schema") if isinstance(data, dict) else type(data).__name__
        raise RequestError(f"{path}: card of schema {found}; accepted is schema {SCHEMA}")
    if data.get("task") == _OLDER_TASK:
        data["task"] = "axis"
    known = {item.name for item in fields(Card)}
    if set(data) - known:
        raise RequestError(f"{path}: card with unknown entry '{sorted(set(data) - known)[0]}'; accepted are {', '.join(sorted(known))}")
    try:
        card = Card(**{name: tuple(value) if isinstance(value, list) else value for name, value in data.items()})
    except TypeError as error:
        raise RequestError(f"{path}: incomplete card ({error}); accepted are model files written by this engine") from error
    if card.network not in network_names():
        raise RequestError(f"{path}: network '{card.network}'; accepted are {', '.join(network_names())}")
    for name, (accepted, words) in _USED_ENTRIES.items():
        if not accepted(getattr(card, name)):
            raise RequestError(f"{path}: card with entry '{name}' {getattr(card, name)!r}; accepted is {words}")
    return card


def _all(kind: Any, values: Any) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, kind) for value in values)


def _has_numbers(entry: Any, *names: str) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(name), (int, float)) for name in names)


# What the engine works with; the other entries are for people.
_USED_ENTRIES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "id": (lambda value: isinstance(value, str) and value != "", "a name"),
    "title": (lambda value: isinstance(value, str), "text"),
    "arguments": (lambda value: isinstance(value, dict), "an object"),
    "factors": (lambda value: _all(int, value) and len(value) > 0, "a list of whole numbers"),
    "modalities": (lambda value: _all(str, value), "a list of names"),
    "task": (lambda value: value in TASKS, ", ".join(TASKS)),
    "interpolated": (lambda value: isinstance(value, bool), "true or false"),
    "progressive": (lambda value: isinstance(value, bool), "true or false"),
    "acquisitions": (lambda value: _all(str, value) and len(value) > 0 and set(value) <= set(PROFILES), f"a list of {', '.join(PROFILES)}"),
    "halo": (lambda value: _all(int, value), "a list of whole numbers"),
    "normalisation": (lambda value: _has_numbers(value, "low", "high"), "an object with the numbers low and high"),
    "quality": (
        lambda value: isinstance(value, tuple) and all(_has_numbers(entry, "factor", "psnr", "psnr_cubic") for entry in value),
        "a list of objects with the numbers factor, psnr and psnr_cubic",
    ),
    "weights_sha256": (lambda value: isinstance(value, str), "text"),
}


def load_model(path: str | Path) -> LoadedModel:
    """Load a model file and verify it.

    Raises
    ------
    RequestError
        As `read_card`, and if the weights' hash, names or shapes differ from what the card says.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = Path(path)
    card = read_card(path)
    content = path.read_bytes()
    try:
        weights = load(content)
    except (SafetensorError, KeyError) as error:  # KeyError: a number type that torch does not have
        raise RequestError(f"{path}: damaged or no safetensors file; accepted are model files written by this engine") from error
    digest = _weights_sha256(weights)
    if digest != card.weights_sha256:
        raise RequestError(
            f"{path}: weights with SHA-256 {digest[:16]}…; the card says {card.weights_sha256[:16]}…: the file is damaged or was changed"
        )
    try:
        network = build_network(card.network, card.arguments)
        network.load_state_dict(weights)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error
    except RuntimeError as error:
        raise RequestError(f"{path}: weights do not fit network '{card.network}' ({' '.join(str(error).split())})") from error
    return LoadedModel(card, network.eval(), hashlib.sha256(content).hexdigest())


def save_model(path: str | Path, network: nn.Module, /, **card: Any) -> Card:
    """Write a model file; it appears whole or not at all.

    Parameters
    ----------
    path : path
        File to write, ending in ``.safetensors``.
    network : Module
        The trained network; weights are stored as float32.
    **card
        Entries of `Card` other than ``factors``, ``halo``, ``task``, ``interpolated``, ``weights_sha256`` and ``schema``, which are
        taken from the network. So is ``progressive`` where it is not given: any network can be trained for that.

    Raises
    ------
    WorkError
        If the file cannot be written.
    """
    from safetensors.torch import save

    weights = {name: value.detach().float().cpu().contiguous() for name, value in network.state_dict().items()}
    own = {
        "factors": tuple(network.factors),
        "halo": tuple(network.plane_halo if network.task == "plane" else network.halo),
        "task": network.task,
        "interpolated": network.interpolated,
    }
    written = Card(weights_sha256=_weights_sha256(weights), **own, **{"progressive": network.progressive} | card)
    with whole_file(Path(path)) as partial:
        partial.write_bytes(save(weights, metadata={_KEY: json.dumps(asdict(written), sort_keys=True)}))
    return written


def _weights_sha256(weights: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in sorted(weights):
        array = weights[name].float().numpy()
        digest.update(f"{name}{array.shape}{array.dtype}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
