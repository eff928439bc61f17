"""The messages of a training run as lines for people."""

from __future__ import annotations

from typing import Any


def in_words(message: dict[str, Any]) -> str:
    """Return a message of `worker` as a line of text; empty for one that says nothing to people."""
    return _LINES.get(message["type"], lambda message: "")(message)


def _plan(message: dict[str, Any]) -> str:
    limit = f" or {message['minutes']:g} minutes" if message["minutes"] else ""
    start = f", from step {message['first_step']}" if message["first_step"] else ""
    where = f"{message['device']} in {message['precision']}" + (f", {message['processes']} processes" if message["processes"] > 1 else "")
    subjects = f"{len(message['train'])} subjects to train on, {len(message['validation'])} for validation"
    return f"{message['network']}, {message['parameters']} weights, {message['steps']} steps{limit}{start} on {where}; {subjects}"


def _progress(message: dict[str, Any]) -> str:
    left = "" if message["seconds_left"] is None else f", {message['seconds_left']:.0f} s left"
    return f"step {message['step']} of {message['steps']}, loss {message['loss']:.5f}, {message['seconds']:.0f} s{left}"


def _validation(message: dict[str, Any]) -> str:
    figures = (f"{name.upper()} {message[name]:{form}} (cubic {message[f'{name}_cubic']:{form}})" for name, form in _FORMS.items())
    return f"validation at step {message['step']}: {', '.join(figures)}{', the best so far' if message['best'] else ''}"


def _result(message: dict[str, Any]) -> str:
    gains = ", ".join(f"x{factor} {gain:+.2f} dB" for factor, gain in message["gain_db"].items()) or "not measured"
    trained = f"{message['model']}: of step {message['step']}, {message['seconds']:.0f} s of training"
    return f"{trained}; gain over cubic, with the measurement check: {gains}"


_FORMS = {"psnr": ".2f", "ncc": ".4f", "ssim": ".4f"}
_LINES = {
    "plan": _plan,
    "progress": _progress,
    "validation": _validation,
    "paused": lambda message: f"paused after step {message['step']}",
    "resumed": lambda message: f"going on after step {message['step']}",
    "warning": lambda message: f"warning: {message['message']}",
    "measuring": lambda message: f"measuring: {message['message']}",
    "result": _result,
}
