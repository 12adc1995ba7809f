"""A report as one HTML file: bars with spread, scaling, share of the limit, and every number in a table.

This module must not know how anything was measured. The page needs nothing from elsewhere: its plots are
SVG written here, its colours follow the reader's light or dark scheme, and it has no script.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from html import escape

from .report import Report, Row

__all__ = ["count", "duration", "page", "percent"]

_WIDTH = 1040
_CUT = 1.3  # how far beyond the slowest median of its size a whisker is drawn
_EXPONENT = re.compile(r"\^([0-9]+)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_HUES = ("ifma", "adx", "portable", "numba")


def duration(seconds: float) -> str:
    """Three figures and a unit: ``1.23 ms``."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale * 0.9995:
            return f"{_three(seconds / scale)} {unit}"
    return f"{_three(seconds * 1e9)} ns"


def count(number: float | None) -> str:
    """Three figures and a letter: ``12.3 M``; nothing for None."""
    if number is None:
        return ""
    for letter, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= scale * 0.9995:
            return f"{_three(number / scale)} {letter}"
    return _three(number)


def percent(share: float | None) -> str:
    """Whole per cent; nothing for None."""
    return "" if share is None else f"{share:.0%}"


def _size(label: str) -> str:
    """``2^16`` with its exponent raised."""
    return _EXPONENT.sub(lambda match: match[1].translate(_RAISED), label)


def _three(value: float) -> str:
    rounded = float(f"{value:.3g}")
    if not 0 < rounded < 1000:
        return f"{value:,.0f}"
    return f"{rounded:.{max(0, 2 - math.floor(math.log10(rounded)))}f}"


def page(report: Report) -> str:
    """The whole document."""
    title = f"zkrollup bench {report.bench}"
    subjects = list(dict.fromkeys(row.subject for row in report.rows))
    sections = [_section([row for row in report.rows if row.subject == subject]) for subject in subjects]
    body = "\n".join(
        [
            f"<header><h1>{escape(title)}</h1>{_lead(report)}{_facts(report)}</header>",
            *sections,
            _table(report.rows),
            _notes(),
        ]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


_STYLE = """
:root { --ground: #ffffff; --card: #f7f8fa; --line: #d9dde3; --faint: #eceff3; --text: #16202b;
  --soft: #5b6876; --limit: #16202b; --ifma: #2563c9; --adx: #c2571a; --portable: #1c8a6a; --numba: #8a4fc0; }
@media (prefers-color-scheme: dark) { :root { --ground: #10151b; --card: #171e26; --line: #323d49;
  --faint: #232c36; --text: #e8edf2; --soft: #9aa8b6; --limit: #e8edf2; --ifma: #6ea8ff; --adx: #f2975c;
  --portable: #4fc79f; --numba: #c096ee; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1104px; margin: 0 auto; padding: 40px 32px 64px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 10px; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 0 0 2px; }
h3 { font-size: 13px; font-weight: 600; color: var(--soft); margin: 18px 0 6px; }
p { margin: 0 0 12px; max-width: 76ch; }
.lead { font-size: 17px; }
.soft, footer { color: var(--soft); font-size: 13px; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 10px 24px;
  margin: 18px 0 0; padding: 14px 0; border-block: 1px solid var(--line); }
dt { color: var(--soft); font-size: 12px; }
dd { margin: 0; font-size: 14px; overflow-wrap: anywhere; }
section { margin: 28px 0 0; padding: 20px 24px 18px; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 6px 0 0; padding: 0;
  font-size: 13px; color: var(--soft); }
.key li { display: flex; align-items: center; gap: 7px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(400px, 1fr)); gap: 0 36px; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--text); font-size: 12px; font-variant-numeric: tabular-nums; }
svg .soft { fill: var(--soft); }
svg .grid { stroke: var(--faint); stroke-width: 1; }
svg .axis { stroke: var(--line); stroke-width: 1; }
svg .bar { fill: var(--c); }
svg .whisker { stroke: var(--text); stroke-width: 1.4; fill: none; }
svg .mark { stroke: var(--limit); stroke-width: 2; stroke-dasharray: 3 2; }
svg .curve { fill: none; stroke: var(--c); stroke-width: 2.2; stroke-linejoin: round; }
svg .bound { fill: none; stroke: var(--c); stroke-width: 1.3; stroke-dasharray: 2 4; }
svg .dot { fill: var(--c); stroke: var(--card); stroke-width: 1.5; }
svg .name { fill: var(--c); font-weight: 600; }
.scroll { overflow-x: auto; }
.bars { min-width: 640px; padding: 2px 0; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
th { text-align: right; font-weight: 600; color: var(--soft); padding: 6px 10px;
  border-bottom: 1px solid var(--line); }
td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
footer { margin-top: 28px; }
""" + "".join(f".{hue} {{ --c: var(--{hue}); }}\n" for hue in _HUES)


def _lead(report: Report) -> str:
    """The one sentence that a hurried reader takes away."""
    if not report.rows:
        return '<p class="lead">Nothing was measured.</p>'
    largest = max(report.rows, key=lambda row: row.size)
    mine = [row for row in report.rows if (row.subject, row.size) == (largest.subject, largest.size)]
    top = min(mine, key=lambda row: row.seconds)
    text = f"{top.subject}, {_size(top.label)}: {duration(top.seconds)} on {_variant(top)}"
    if top.share is not None:
        text += f", {percent(top.share)} of the speed that its {count(top.products)} field products allow"
    return f'<p class="lead">{escape(text)}.</p>'


def _facts(report: Report) -> str:
    names = {"native_paths": "instruction sets", "date": "measured", "load": "load of the machine"}
    items = []
    for name, value in report.machine.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        items.append(f"<div><dt>{escape(names.get(name, name))}</dt><dd>{escape(shown)}</dd></div>")
    runs = sorted({len(row.runs) for row in report.rows})
    items.append(f"<div><dt>runs of each</dt><dd>{', '.join(map(str, runs))}, taking turns</dd></div>")
    return f"<dl>{''.join(items)}</dl>"


def _variant(row: Row) -> str:
    return f"{row.cpu}, {row.threads} thread{'' if row.threads == 1 else 's'}"


def _variants(rows: Iterable[Row]) -> list[tuple[str, int]]:
    return list(dict.fromkeys((row.cpu, row.threads) for row in rows))


def _hue(cpu: str) -> str:
    return cpu if cpu in _HUES else "numba"


def _strength(threads: int, rows: Sequence[Row]) -> str:
    """Few threads are pale, many are full."""
    steps = sorted({row.threads for row in rows})
    place = steps.index(threads) / (len(steps) - 1) if len(steps) > 1 else 1.0
    return f"{0.5 + 0.5 * place:.2f}"


def _section(rows: Sequence[Row]) -> str:
    """One subject: its key, bars, scaling and shares."""
    sizes = list(dict.fromkeys((row.size, row.label) for row in rows))
    key = "".join(
        f'<li><svg class="{_hue(cpu)}" viewBox="0 0 14 14" style="width:14px" aria-hidden="true">'
        f'<rect class="bar" width="14" height="14" rx="3" fill-opacity="{_strength(threads, rows)}"/></svg>'
        f"{escape(cpu)}, {threads} thread{'' if threads == 1 else 's'}</li>"
        for cpu, threads in _variants(rows)
    )
    limited = any(row.limit is not None for row in rows)
    if limited:
        key += (
            '<li><svg viewBox="0 0 14 14" style="width:14px" aria-hidden="true">'
            '<line class="mark" x1="7" x2="7" y1="0" y2="14"/></svg>limit: products × cost ÷ threads</li>'
        )
    key += (
        '<li><svg viewBox="0 0 22 14" style="width:22px" aria-hidden="true"><path class="whisker" '
        'd="M2 3v8M2 7h18M20 3v8"/></svg>fastest to slowest run (arrow: slower still)</li>'
    )
    right = []
    if len(sizes) > 1:
        right.append(f"<figure style='margin:0'><h3>Scaling</h3>{_scaling(rows)}</figure>")
    if limited:
        right.append(f"<figure style='margin:0'><h3>Share of the limit reached</h3>{_shares(rows)}</figure>")
    lower = f'<div class="pair">{"".join(right)}</div>' if right else ""
    return (
        f'<section><h2>{escape(rows[0].subject)}</h2><ul class="key">{key}</ul>'
        f"<h3>Time, each size on its own scale</h3>{_bars(rows)}{lower}</section>"
    )


def _bars(rows: Sequence[Row]) -> str:
    """Horizontal bars of the median with whiskers, a block for each size."""
    left, right, thick, gap, block = 96.0, 190.0, 18.0, 5.0, 16.0
    span = _WIDTH - left - right
    parts: list[str] = []
    y = 4.0
    for size, label in dict.fromkeys((row.size, row.label) for row in rows):
        mine = [row for row in rows if (row.size, row.label) == (size, label)]
        # One slow run must not flatten all bars: whiskers that reach far beyond the slowest median are cut.
        longest = min(max(row.worst for row in mine), _CUT * max(row.seconds for row in mine))
        height = len(mine) * (thick + gap) - gap
        parts.append(
            f'<text x="{left - 14:.1f}" y="{y + height / 2 + 4:.1f}" text-anchor="end">'
            f"{escape(_size(label))}</text>"
            f'<line class="axis" x1="{left:.1f}" x2="{left:.1f}" y1="{y - 4:.1f}" y2="{y + height + 4:.1f}"/>'
        )
        for row in mine:
            times = (row.seconds, row.best, min(row.worst, longest))
            end, low, high = (left + span * t / longest for t in times)
            tip = f"M{high - 5:.1f} {y + thick / 2 - 4:.1f}l5 4l-5 4"
            if row.worst <= longest:
                tip = f"M{high:.1f} {y + thick / 2 - 4:.1f}v8"
            middle = y + thick / 2
            says = f"{row.subject} {row.label}, {_variant(row)}: median {duration(row.seconds)}, "
            says += f"{duration(row.best)} to {duration(row.worst)} in {len(row.runs)} runs"
            parts.append(
                f'<g class="{_hue(row.cpu)}"><title>{escape(says)}</title>'
                f'<rect class="bar" x="{left:.1f}" y="{y:.1f}" width="{max(end - left, 1):.1f}" '
                f'height="{thick}" rx="2" fill-opacity="{_strength(row.threads, rows)}"/>'
                f'<path class="whisker" d="M{low:.1f} {middle - 4:.1f}v8M{low:.1f} {middle:.1f}H{high:.1f}'
                f'{tip}"/>'
            )
            if row.limit is not None and row.limit <= longest * 1.02:
                at = left + span * row.limit / longest
                parts.append(
                    f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="{y - 2:.1f}" '
                    f'y2="{y + thick + 2:.1f}"/>'
                )
            parts.append(
                f'<text x="{high + 10:.1f}" y="{middle + 4:.1f}">{duration(row.seconds)}'
                f'<tspan class="soft" dx="8">{escape(row.cpu)} × {row.threads}</tspan></text></g>'
            )
            y += thick + gap
        y += block - gap
    picture = _svg(y - block + gap + 4, "Median times with the fastest and slowest run", "".join(parts))
    return f'<div class="scroll"><div class="bars">{picture}</div></div>'


def _svg(height: float, label: str, content: str, width: float = _WIDTH) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(label)}">{content}</svg>'
    )


def _scaling(rows: Sequence[Row]) -> str:
    """Time over size, both logarithmic; dashed curves are the limits."""
    width, height, left, right, top, bottom = 500.0, 300.0, 62.0, 84.0, 10.0, 34.0
    sizes = sorted({row.size for row in rows})
    limits = [row.limit for row in rows if row.limit is not None]
    low = math.log10(min([*(row.seconds for row in rows), *limits])) - 0.08
    high = math.log10(max(row.seconds for row in rows)) + 0.08
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(size: float) -> float:
        return left + (width - left - right) * (math.log10(size) - first) / (last - first)

    def y(seconds: float) -> float:
        return top + (height - top - bottom) * (high - math.log10(seconds)) / (high - low)

    parts = []
    for seconds in _decades(low, high):
        level = y(seconds)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{width - right}" y1="{level:.1f}" y2="{level:.1f}"/>'
            f'<text class="soft" x="{left - 8}" y="{level + 4:.1f}" text-anchor="end">{_tick(seconds)}</text>'
        )
    labels = {row.size: row.label for row in rows}
    every = math.ceil(len(sizes) / 7)
    for i, size in enumerate(sizes):
        parts.append(
            f'<line class="grid" x1="{x(size):.1f}" x2="{x(size):.1f}" y1="{top}" y2="{height - bottom}"/>'
        )
        if i % every == 0:
            parts.append(
                f'<text class="soft" x="{x(size):.1f}" y="{height - bottom + 20}" text-anchor="middle">'
                f"{escape(_size(labels[size]))}</text>"
            )
    ends = []
    for cpu, threads in _variants(rows):
        mine = sorted(
            (row for row in rows if (row.cpu, row.threads) == (cpu, threads)), key=lambda row: row.size
        )
        strength = _strength(threads, rows)
        curve = " ".join(f"{x(row.size):.1f},{y(row.seconds):.1f}" for row in mine)
        bound = " ".join(f"{x(row.size):.1f},{y(row.limit):.1f}" for row in mine if row.limit is not None)
        parts.append(f'<g class="{_hue(cpu)}" stroke-opacity="{strength}">')
        if bound:
            parts.append(f'<polyline class="bound" points="{bound}"/>')
        parts.append(f'<polyline class="curve" points="{curve}"/>')
        for row in mine:
            says = f"{row.label}, {_variant(row)}: {duration(row.seconds)}"
            parts.append(
                f'<circle class="dot" cx="{x(row.size):.1f}" cy="{y(row.seconds):.1f}" r="4" '
                f'fill-opacity="{strength}"><title>{escape(says)}</title></circle>'
            )
        parts.append("</g>")
        ends.append((y(mine[-1].seconds), cpu, threads))
    parts += [
        f'<text class="name {_hue(cpu)}" style="fill:var(--c)" x="{width - right + 12}" y="{place + 4:.1f}">'
        f"{escape(cpu)} × {threads}</text>"
        for place, cpu, threads in _apart(ends, 15.0)
    ]
    return _svg(height, "Time over size, logarithmic", "".join(parts), width)


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten between the two logarithms, with halves of decades where there are few."""
    found = [10.0**k for k in range(math.ceil(low), math.floor(high) + 1)]
    if len(found) < 3:
        steps = [m * 10.0**k for k in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
        found = [step for step in steps if low <= math.log10(step) <= high]
    return found


def _tick(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if seconds >= scale * 0.9995:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds:.0e} s"


def _apart(ends: list[tuple[float, str, int]], distance: float) -> list[tuple[float, str, int]]:
    """Labels at least so far below each other, in their order."""
    placed: list[tuple[float, str, int]] = []
    for place, cpu, threads in sorted(ends):
        lowest = placed[-1][0] + distance if placed else place
        placed.append((max(place, lowest), cpu, threads))
    return placed


def _shares(rows: Sequence[Row]) -> str:
    """Upright bars, a group for each size."""
    width, height, left, right, top, bottom = 500.0, 300.0, 48.0, 8.0, 22.0, 34.0
    shown = [row for row in rows if row.share is not None]
    top_share = max(1.0, *(row.share or 0.0 for row in shown))
    scale = (height - top - bottom) / top_share
    base = height - bottom
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        level = base - share * scale
        kind = "axis" if share in (0.0, 1.0) else "grid"
        parts.append(
            f'<line class="{kind}" x1="{left}" x2="{width - right}" y1="{level:.1f}" y2="{level:.1f}"/>'
            f'<text class="soft" x="{left - 8}" y="{level + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        )
    sizes = list(dict.fromkeys((row.size, row.label) for row in shown))
    room = (width - left - right) / len(sizes)
    variants = _variants(shown)
    thick = min(34.0, room * 0.8 / len(variants))
    for i, (size, label) in enumerate(sizes):
        middle = left + room * (i + 0.5)
        parts.append(
            f'<text class="soft" x="{middle:.1f}" y="{base + 20}" text-anchor="middle">'
            f"{escape(_size(label))}</text>"
        )
        mine = [row for row in shown if (row.size, row.label) == (size, label)]
        begin = middle - thick * len(mine) / 2
        for k, row in enumerate(mine):
            tall = (row.share or 0.0) * scale
            x = begin + thick * k
            says = f"{row.label}, {_variant(row)}: {percent(row.share)} of {duration(row.limit or 0.0)}"
            parts.append(
                f'<g class="{_hue(row.cpu)}"><title>{escape(says)}</title>'
                f'<rect class="bar" x="{x + 1.5:.1f}" y="{base - tall:.1f}" width="{thick - 3:.1f}" '
                f'height="{tall:.1f}" rx="2" '
                f'fill-opacity="{_strength(row.threads, rows)}"/>'
            )
            if thick >= 22:
                parts.append(
                    f'<text x="{x + thick / 2:.1f}" y="{base - tall - 5:.1f}" text-anchor="middle">'
                    f"{round(100 * (row.share or 0.0))}</text>"
                )
            parts.append("</g>")
    return _svg(height, "Share of the limit reached", "".join(parts), width)


def _table(rows: Sequence[Row]) -> str:
    head = "".join(
        f"<th>{name}</th>"
        for name in (
            "what",
            "size",
            "path",
            "threads",
            "median",
            "fastest",
            "slowest",
            "products",
            "ns each",
            "limit",
            "reached",
        )
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(cell)}</td>"
            for cell in (
                row.subject,
                _size(row.label),
                row.cpu,
                str(row.threads),
                duration(row.seconds),
                duration(row.best),
                duration(row.worst),
                count(row.products),
                "" if row.product_ns is None else f"{row.product_ns:.2f}",
                "" if row.limit is None else duration(row.limit),
                percent(row.share),
            )
        )
        + "</tr>"
        for row in rows
    )
    return (
        '<section><h2>Every number</h2><div class="scroll"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _notes() -> str:
    return (
        "<footer><p>Times include the call from Python. <b>Products</b> are the field products of the "
        "algorithm at its best parameters, as zkrollup/bench/products.py counts them; additions, sorting, "
        "conversions and memory count nothing. <b>ns each</b> is what a product cost on this path in the "
        "same run, on one thread, in registers and the first cache. The <b>limit</b> is products × cost ÷ "
        "threads, and the share reached is the limit ÷ the median.</p></footer>"
    )
