"""The system of a scenario as a drawing: clients, gateway, services, topics, calls as solid arrows with their policies,
events as dashed ones.

Plain SVG, made by hand. Colours are CSS variables of the theme with the light colours as fallback, so that it follows
the page it stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sim.report.layers import Link, Route, Size, place
from sim.report.theme import LIGHT, as_variables
from sim.report.wiring import Arrow, Box, Wiring, wiring_of
from sim.spec.scenario import Scenario

_LETTER = 0.56  # width of a letter of the page's font, in sizes of the font; wide on purpose
_NAME, _LINE, _BADGE = 13.0, 10.5, 10.0
_LONGEST_NAME, _LONGEST_LINE, _LONGEST_BADGE = 26, 32, 30
_PADDING = 9.0
_MARGIN = 12.0


def draw_topology(scenario: Scenario, name: str = "topology", title: str = "", *, adaptive: bool = True) -> str:
    """An SVG element; `name` makes its ids unique on the page.

    `adaptive` follows the light or dark of the page; otherwise it is light.
    """
    wiring = wiring_of(scenario)
    boxes = wiring.boxes
    arrows = [arrow for arrow in wiring.arrows if arrow.source != arrow.target]
    layout = place(
        {box.id: _box_size(box) for box in boxes.values()},
        [Link(arrow.source, arrow.target, _label_size(arrow)) for arrow in arrows],
    )
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    drawn = [
        *(_arrow(arrow, route, name) for arrow, route in zip(arrows, layout.routes, strict=True)),
        *(_label(arrow, route) for arrow, route in zip(arrows, layout.routes, strict=True)),
        *(_box(box, layout.centres[box.id]) for box in boxes.values()),
    ]
    label = escape(f"{title}: {_in_words(wiring)}" if title else _in_words(wiring), quote=True)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="topology" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}"'
    )
    body = f'<g transform="translate({_MARGIN:g} {_MARGIN:g})">{"".join(drawn)}</g>'
    fonts = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
    svg = f'{head} role="img" aria-label="{label}" font-family="{fonts}">{_markers(name)}{body}</svg>\n'
    return as_variables(svg) if adaptive else svg


def _markers(name: str) -> str:
    shapes = (("arrow", LIGHT.muted), ("hurt", LIGHT.fault_ink))
    return "<defs>{}</defs>".format(
        "".join(
            f'<marker id="{escape(name, quote=True)}-{kind}" viewBox="0 0 8 8" refX="7.2" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto">'
            f'<path d="M0.5 0.8 L7.4 4 L0.5 7.2 z" fill="{colour}"/></marker>'
            for kind, colour in shapes
        )
    )


def _box_size(box: Box) -> Size:
    names, lines, faults = _texts(box)
    letters = [(len(line), _NAME * 1.06) for line in names] + [(len(line), _LINE) for line in (*lines, *faults)]
    width = max(count * size * _LETTER for count, size in letters) + 2 * _PADDING + (28 if box.kind == "topic" else 0)
    height = (
        len(names) * (_NAME + 3.5)
        + (len(lines) + len(faults)) * (_LINE + 3.5)
        + 2 * _PADDING
        - 3
        + (4 if faults else 0)
    )
    return max(width, 84.0), height + (9 if box.kind == "topic" else 0)


def _texts(box: Box) -> tuple[list[str], list[str], list[str]]:
    """Name, lines and faults as they are written: long names on two lines, everything cut at a length (whole in the
    tooltip).
    """
    faults = [line for fault in box.faults[:2] for line in _folded(f"⚠ {fault}", _LONGEST_LINE, 2)]
    if len(box.faults) > 2:
        faults.append(f"⚠ and {len(box.faults) - 2} more faults")
    return _folded(box.name, _LONGEST_NAME, 2), [_cut(line, _LONGEST_LINE) for line in box.lines[:7]], faults


def _box(box: Box, centre: tuple[float, float]) -> str:
    width, height = _box_size(box)
    left, top = centre[0] - width / 2, centre[1] - height / 2
    names, lines, faults = _texts(box)
    whole = "; ".join((box.name, *box.lines, *box.faults))
    y = top + _PADDING + _NAME * 0.82
    texts = []
    for line in names:
        texts.append(_text(line, centre[0], y, _NAME, LIGHT.ink, bold=True))
        y += _NAME + 3.5
    y -= 1.5
    for line, colour in (*((line, LIGHT.muted) for line in lines), *((line, LIGHT.fault_ink) for line in faults)):
        texts.append(_text(line, centre[0], y, _LINE, colour))
        y += _LINE + 3.5
    return f"<g><title>{escape(whole)}</title>{_shape(box, left, top, width, height)}{''.join(texts)}</g>"


def _shape(box: Box, left: float, top: float, width: float, height: float) -> str:
    edge = LIGHT.fault_ink if box.faults else LIGHT.muted
    look = (
        f'fill="{LIGHT.fault if box.faults else LIGHT.shade}" stroke="{edge}" '
        f'stroke-width="{1.6 if box.faults else 1.0}"'
    )
    if box.kind == "client":
        return (
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="{min(height / 2, 22):.1f}" {look}/>'
        )
    if box.kind == "topic":
        return _pipe(box.partitions, (left, top, left + width, top + height), look)
    inner = ""
    if box.kind == "gateway":
        posts = (
            f"M{left + 4:.1f} {top + 3:.1f} v{height - 6:.1f} M{left + width - 4:.1f} {top + 3:.1f} v{height - 6:.1f}"
        )
        inner = f'<path d="{posts}" stroke="{edge}" stroke-width="1.2"/>'
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5" {look}/>{inner}'


def _pipe(partitions: int, edges: tuple[float, float, float, float], look: str) -> str:
    """A lying cylinder, with a stroke for each partition at its lower edge (at most two dozen); a queue has none."""
    left, top, right, bottom = edges
    end, half = 8.0, (bottom - top) / 2
    near, far = f"{left + end:.1f}", f"{right - end:.1f}"
    body = (
        f'<path d="M{near} {top:.1f} H{far} A{end} {half:.1f} 0 0 1 {far} {bottom:.1f} H{near} A{end} {half:.1f} 0 0 '
        f'1 {near} {top:.1f} z" {look}/>'
        f'<path d="M{far} {top:.1f} A{end} {half:.1f} 0 0 0 {far} {bottom:.1f}" fill="none" stroke="{LIGHT.muted}" '
        'stroke-width="0.8"/>'
    )
    count = min(partitions, 24)
    first, last = left + 2.4 * end, right - 2.4 * end
    places = (
        [first + (last - first) * index / max(count - 1, 1) for index in range(count)]
        if count > 1
        else [(first + last) / 2] * count
    )
    ticks = " ".join(f"M{x:.1f} {bottom - 10:.1f} v6" for x in places)
    return f'{body}<path d="{ticks}" stroke="{LIGHT.muted}" stroke-width="1.3"/>'


def _arrow(arrow: Arrow, route: Route, name: str) -> str:
    colour = LIGHT.fault_ink if arrow.faults else LIGHT.muted
    dashes = ' stroke-dasharray="6 4"' if arrow.dashed else ""
    marker = f"url(#{escape(name, quote=True)}-{'hurt' if arrow.faults else 'arrow'})"
    whole = "; ".join((*arrow.details, *arrow.badges, *arrow.faults))
    path = (
        f'<path d="{_curve(route.points)}" fill="none" stroke="{colour}" stroke-width="1.4"{dashes} '
        f'marker-end="{marker}"/>'
    )
    return f"<g><title>{escape(whole)}</title>{path}</g>"


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Horizontal at every point, so that arrows leave and enter boxes straight."""
    (x, y), *rest = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for right, below in rest:
        half = (right - x) / 2
        parts.append(f"C{x + half:.1f} {y:.1f} {right - half:.1f} {below:.1f} {right:.1f} {below:.1f}")
        x, y = right, below
    return " ".join(parts)


def _label_lines(arrow: Arrow) -> list[str]:
    """Badges, two to a line, and faults of the link below them."""
    badges = [_cut(badge, _LONGEST_BADGE) for badge in arrow.badges]
    lines: list[str] = []
    for badge in badges:
        if lines and len(lines[-1]) + len(badge) <= 18:
            lines[-1] += f" · {badge}"
        else:
            lines.append(badge)
    faults = [line for fault in arrow.faults for line in _folded(f"⚠ {fault}", _LONGEST_BADGE, 2)]
    return [*lines[:5], *faults[:4]]


def _label_size(arrow: Arrow) -> Size:
    lines = _label_lines(arrow)
    if not lines:
        return 0.0, 0.0
    return max(len(line) for line in lines) * _BADGE * _LETTER + 10, len(lines) * (_BADGE + 3) + 7


def _label(arrow: Arrow, route: Route) -> str:
    lines = _label_lines(arrow)
    if route.label is None or not lines:
        return ""
    (x, y), (width, height) = route.label, _label_size(arrow)
    plate = (
        f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4" '
        f'fill="{LIGHT.paper}" stroke="{LIGHT.fault_ink if arrow.faults else LIGHT.rule}"/>'
    )
    first = y - height / 2 + 3.5 + _BADGE * 0.86
    texts = (
        _text(line, x, first + index * (_BADGE + 3), _BADGE, LIGHT.fault_ink if line.startswith("⚠") else LIGHT.ink)
        for index, line in enumerate(lines)
    )
    return f"<g>{plate}{''.join(texts)}</g>"


def _text(text: str, x: float, y: float, size: float, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{weight} text-anchor="middle" '
        f'fill="{colour}">{escape(text)}</text>'
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _folded(text: str, most: int, lines: int) -> list[str]:
    """Text on at most so many lines of at most so many letters, broken at a space or a dash where there is one."""
    folded: list[str] = []
    while len(text) > most and len(folded) < lines - 1:
        cut = max(text.rfind(mark, most // 3, most) for mark in " -._/")
        cut = cut + 1 if cut > 0 else most
        folded.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*folded, _cut(text, most)]


def _in_words(wiring: Wiring) -> str:
    """The drawing for those who cannot see it."""
    names = {box.id: box.name for box in wiring.boxes.values()}
    sentences = [f"{box.name}: {', '.join(box.lines)}" if box.lines else box.name for box in wiring.boxes.values()]
    for arrow in wiring.arrows:
        verb = "sends events to" if arrow.dashed else "calls"
        badges = f" ({', '.join(arrow.badges)})" if arrow.badges else ""
        sentences.append(f"{names[arrow.source]} {verb} {names[arrow.target]}{badges}")
    return ". ".join(sentences) + "."
