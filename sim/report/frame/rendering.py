"""A page becomes one HTML file: every text escaped, nothing loaded from anywhere, and only the script that sim ships
may run.

The policy in the head of the page (Content Security Policy Level 3, https://www.w3.org/TR/CSP3/) allows one script and
one style sheet by their digests. So markup that slipped in, whatever it says, neither runs nor sends anything;
attributes of style, which drawings have, may stay.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sim.report.frame.blocks import Page
from sim.report.theme import DARK, LIGHT, css_variables

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent


def render(page: Page) -> str:
    """The whole file."""
    style, script = stylesheet(), _read("page.js")
    return (
        _environment()
        .get_template("page.html")
        .render(page=page, style=style, script=script, policy=_policy(style, script))
    )


def fragment(template: str, **values: object) -> str:
    """A piece of HTML without a page around it, for a notebook: every text escaped, without style and script."""
    return _environment().get_template(template).render(values)


def stylesheet() -> str:
    """All rules, with the colours of both themes as variables: light or dark after the reader's setting, light in
    print.
    """
    light, dark = css_variables(LIGHT), css_variables(DARK)
    variants = range(1, len(LIGHT.variants) + 1)
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        + "".join(f".v{number}{{--colour:var(--variant-{number})}}" for number in variants)
        + "\n"
        + _read("page.css")
    )


def _policy(style: str, script: str) -> str:
    own = {"style": _digest(style), "script": _digest(script)}
    rules = (
        "default-src 'none'",
        f"script-src '{own['script']}'",
        f"style-src-elem '{own['style']}'",
        "style-src-attr 'unsafe-inline'",  # what matplotlib draws has its colours in attributes
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["colour"] = lambda variant: (
        "" if variant is None else f"v{variant % len(LIGHT.variants) + 1} of-{variant + 1}"
    )
    return environment
