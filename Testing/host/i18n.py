"""slicer.i18n: translation functions. The host speaks English, so they give back the text they get, by way of the application."""

import slicer


def translate(context: str, text: str) -> str:
    return slicer.app.translate(context, text)


def tr(text: str) -> str:
    return translate("", text)
