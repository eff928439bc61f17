"""The HTML pages of a study, made from the templates beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


def render(template: str, **values: Any) -> str:
    """Fill in a template; every value is escaped, and one that the template does not get is an error."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).parent / "templates"
    return Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
