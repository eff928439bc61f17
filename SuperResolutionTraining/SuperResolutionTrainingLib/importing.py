"""Makes a model file of weights that were trained elsewhere, or refuses them by the first name that does not fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from SuperResolutionLib.errors import RequestError
from SuperResolutionLib.model_file import Card, save_model
from SuperResolutionLib.networks import build_network
from SuperResolutionLib.version import __version__
from SuperResolutionLib.whole import check_place

from .published_rrdb import GREY, arguments_of, to_grey, with_our_names
from .weight_files import read_weights

_PUBLISHED = "rrdb"


def import_weights(
    weights: Path,
    network: str,
    out: Path,
    *,
    id: str,
    title: str,
    licence: str,
    arguments: Mapping[str, Any] | None = None,
    modalities: Sequence[str] = ("MR", "CT"),
    profile: str = "mean",
) -> Card:
    """Convert a state dict into a model file.

    Parameters
    ----------
    weights : Path
        See `weight_files.read_weights`.
    network : str
        Name of one of our architectures. For ``rrdb`` ESRGAN's, BasicSR's and Real-ESRGAN's names of layers are known as well, colours
        are summed up to grey, and arguments are read from the shapes.
    out : Path
        The model file, ending in ``.safetensors``.
    id, title : str
        Name of the model and its one-line description.
    licence : str
        Under which the weights may be used.
    arguments : mapping, optional
        Arguments of the architecture; those that are left out are its defaults or, for ``rrdb``, what the shapes tell.
    modalities : sequence of str
        What the model is offered for.
    profile : str
        Slice profile that it undoes, see `Acquisition`.

    Returns
    -------
    Card
        It names the file with its SHA-256, and no quality: nothing was measured.

    Raises
    ------
    RequestError
        If the file is none of weights, or a name or shape does not fit the network.
    WorkError
        If the model file cannot be written.
    """
    for name, text in {"id": id, "title": title, "licence": licence}.items():
        if not text.strip():
            raise RequestError(f"{name} '{text}': accepted is text that says it")
    if out.suffix != ".safetensors":
        raise RequestError(f"{out}: accepted are model files, which end in .safetensors")
    check_place(out)
    found = read_weights(weights)
    told = {"imported_from": weights.name, "imported_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(), "licence": licence}
    arguments = dict(arguments or {})
    try:
        if network == _PUBLISHED:
            found, were_colours = to_grey(with_our_names(found))
            arguments = arguments_of(found) | arguments
            told |= {"conversion": GREY} if were_colours else {}
        built = build_network(network, arguments)
        load_fitting(built, found)
    except RequestError as error:
        raise RequestError(f"{weights}: {error}") from error
    return save_model(
        out,
        built,
        id=id,
        title=title,
        network=network,
        arguments=arguments,
        modalities=tuple(modalities),
        acquisitions=(profile,),
        engine_version=__version__,
        training={**told, "trained_on": [f"imported from {weights.name} ({licence})"], "date": date.today().isoformat()},
        protocol="not measured",
    )


def load_fitting(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a network its weights.

    Raises
    ------
    RequestError
        Naming the first weight that is missing, unknown or of another shape.
    """
    wanted = network.state_dict()
    for name, value in wanted.items():
        if name not in weights:
            raise RequestError(f"'{name}' of shape {tuple(value.shape)} is not there; accepted are all weights of the network")
        if weights[name].shape != value.shape:
            found = f"'{name}' has shape {tuple(weights[name].shape)}"
            raise RequestError(f"{found}; accepted is {tuple(value.shape)}, or other arguments of the network")
    for name in weights:
        if name not in wanted:
            raise RequestError(f"'{name}' is no weight of the network; accepted are {', '.join(list(wanted)[:4])}, …")
    network.load_state_dict(dict(weights))


def parse_arguments(text: str) -> dict[str, Any]:
    """Return constructor arguments from JSON or YAML text, or from a file of either.

    Raises
    ------
    RequestError
        If it is no mapping.
    """
    import yaml

    path = Path(text)
    try:
        content = path.read_text(encoding="utf-8") if path.suffix in (".yaml", ".yml", ".json") else text
        found = json.loads(content) if path.suffix == ".json" else yaml.safe_load(content)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RequestError(f"arguments {text}: {' '.join(str(error).split())}; accepted is a mapping in YAML or JSON") from error
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise RequestError(f"arguments {text}: found {found!r}; accepted is a mapping such as '{{channels: 32}}'")
    return found
