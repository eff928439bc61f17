"""A benchmark that was done again, as text: what the source reports beside what is measured here, never mixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from .slice_scores import REGIONS
from .volume_measures import VOLUME_MEASURES

_NOTHING = "-"
_PUBLISHED = 44


def as_text(record: Mapping[str, Any]) -> str:
    """Return the record of `reproduction.reproduce` as a plain-text table."""
    benchmark, measured = record["benchmark"], record["data"]["validation"]
    own = f"psnr_{benchmark['psnr']['peak']}"
    lines = [f"{benchmark['id']}: {benchmark['title']}", f"published: {benchmark['source']}; data: {benchmark['data']['what']}"]
    lines += [f"ours: measured on {'; '.join(measured)}", f"ours: trained on {'; '.join(record['data']['train'])}"]
    lines += [f"      {_trained(record)}"]
    for comparison in record["comparisons"]:
        lines += [*_table(comparison, benchmark["published"], own, tuple(benchmark["measures"]))]
    assumed = ", by assumption" if benchmark["psnr"]["assumed"] else ""
    lines += ["", "published and ours are of different data: compare the order of the methods and the gains, not the decibels"]
    lines += [f"{VOLUME_MEASURES[own].label}: the source's PSNR{assumed}. {benchmark['psnr']['why']}"]
    lines += ["ours: mean ± standard deviation over subjects, whole volume; gain: PSNR over that of cubic"]
    lines += [f"differs: {each}" for each in benchmark["differences"]]
    lines += [f"failed: {each['what']}: {each['message']}" for each in record["failures"]]
    return "\n".join(lines)


def _trained(record: Mapping[str, Any]) -> str:
    where = f"{record['cores']} cores, {record['versions']['platform']}"
    each = "; ".join(f"{one['name']} ×{one['factor']} {one['step']} steps in {one['seconds'] / 60:.1f} min" for one in record["networks"])
    return f"{each or 'no network'} ({where})"


def _table(comparison: Mapping[str, Any], published: Sequence[Mapping[str, Any]], own: str, more: tuple[str, ...]) -> Iterator[str]:
    rows = [row for row in comparison["rows"] if row["region"] == REGIONS[0]]
    published = [row for row in published if row["comparison"] == comparison["name"]]
    wide = max(len("model"), *(len(row["model"]) for row in rows), *(len(row["ours"]) for row in published or [{"ours": ""}]))
    extra = "".join(f" {VOLUME_MEASURES[name].label:>21}" for name in (own, *more))
    head = f"{'ours: PSNR dB':>14} {'gain':>6} {'NCC':>15} {'SSIM':>13}{extra}"
    for factor in sorted({row["factor"] for row in rows}):
        subjects = max(row["subjects"] for row in rows)
        yield ""
        yield f"{comparison['name']}, factor {factor}; ours: {subjects} subject{'s' if subjects > 1 else ''}"
        title = f"{'model':{wide}}  {'published':{_PUBLISHED}} | {head}"
        yield from (title, "-" * len(title))
        ours = {row["model"]: row for row in rows if row["factor"] == factor}
        stated: dict[str, list[Mapping[str, Any]]] = {}
        for row in published:
            if row["factor"] == factor:
                stated.setdefault(row["ours"], []).append(row)
        for model in dict.fromkeys((*ours, *stated)):
            for number, (theirs, mine) in enumerate(zip_longest(stated.get(model, [None]), [ours.get(model)])):
                name = model if number == 0 else ""
                figures = _ours(mine, (own, *more)) if mine else (_NOTHING if number == 0 else "")
                yield f"{name:{wide}}  {_stated(theirs):{_PUBLISHED}} | {figures}".rstrip()


def _stated(row: Mapping[str, Any] | None) -> str:
    """Return a published row in words."""
    if row is None:
        return _NOTHING
    figures = row["figures"]
    spread = f" ± {figures['psnr_deviation']:.2f}" if "psnr_deviation" in figures else ""
    words = [f"{figures['psnr']:.2f}{spread} dB"] if "psnr" in figures else []
    forms = (("ncc", "NCC {:.4f}"), ("ssim", "SSIM {:.2f}"), ("perceptual_index", "PI {:.2f}"), ("rmse", "RMSE {:.4g}"))
    words += [form.format(figures[name]) for name, form in forms if name in figures]
    return ", ".join(words) + (f" ({row['data']})" if row["data"] else "")


def _ours(row: Mapping[str, Any], wholes: Sequence[str]) -> str:
    def figure(name: str, digits: int) -> str:
        mean, deviation = row["mean"].get(name), row["deviation"].get(name)
        spread = f" ± {deviation:.{digits}f}" if row["subjects"] > 1 and mean is not None else ""
        return _NOTHING if mean is None else f"{mean:.{digits}f}{spread}"

    gain = _NOTHING if row["gain_db"] is None else f"{row['gain_db']:+.2f}"
    seen = "  trained on some of these subjects" if row["trained_on"] else ""
    figures = f"{figure('psnr', 2):>14} {gain:>6} {figure('ncc', 4):>15} {figure('ssim', 3):>13}"
    return figures + "".join(f" {figure(name, 2):>21}" for name in wholes) + seen
