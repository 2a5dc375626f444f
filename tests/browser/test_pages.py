"""Pages as a browser shows them: at 400 and 1,400 px, light and dark, on paper, without scripts, to the keyboard and to a screen reader."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.browser.conftest import COMMANDS
from tests.browser.looking import AXE, CUT, LETTERS, OVERFLOW, OVERLAP, SMALL

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("browser")]
WIDTHS = (400, 1400)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("verb", COMMANDS)
def test_nothing_stands_beyond_the_edge_nor_on_something_else(browser, pages, verb, width):
    browser.open(pages[verb], width)
    assert browser.run(OVERFLOW) == []
    assert browser.run(CUT) == []
    assert browser.run(OVERLAP) == []
    assert browser.run(SMALL) == []
    assert browser.run(LETTERS) == []


@pytest.mark.parametrize("verb", COMMANDS)
def test_nothing_is_fetched_and_the_policy_has_nothing_to_refuse(browser, pages, verb):
    browser.open(pages[verb], 1400)
    assert browser.requests == [pages[verb].resolve().as_uri()]
    assert browser.complaints == []


def test_a_script_and_a_style_that_slip_in_do_nothing(browser, pages, tmp_path):
    """The policy lets only the script and the style sheet of the page through, by their digests."""
    evil = tmp_path / "evil.html"
    slipped = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\"><style>main{display:none}</style>"
    evil.write_text(pages["compare"].read_text().replace("<h1>", f"{slipped}<h1>", 1))
    browser.open(evil, 1400)
    assert browser.run("document.title") == "shop · sim"
    assert browser.run("getComputedStyle(document.querySelector('main')).display") == "block"
    assert len([text for text in browser.complaints if "Content Security Policy" in text]) >= 3
    assert browser.requests == [evil.resolve().as_uri()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("verb", COMMANDS)
def test_an_accessibility_checker_finds_nothing(browser, pages, verb, dark):
    spec = find_spec("axe_core_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe-core-python is not installed")
    browser.open(pages[verb], 1400, dark=dark)
    browser.run((Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8") + "; 0")
    assert browser.run(AXE) == []


@pytest.mark.parametrize("verb", COMMANDS)
def test_dark_is_dark_and_its_drawings_too(browser, pages, verb):
    browser.open(pages[verb], 1400, dark=True)
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 30)"
    light = "[...document.querySelectorAll('svg *')].filter((its) => ['rgb(255, 255, 254)', 'rgb(28, 36, 48)'].includes(getComputedStyle(its).fill) && " \
        "its.tagName === 'text').map((its) => its.textContent)"  # fmt: skip
    assert browser.run(light) == []


@pytest.mark.parametrize("verb", COMMANDS)
def test_the_page_is_whole_without_a_script(browser, pages, verb):
    browser.open(pages[verb], 1400, script=False)
    page = re.sub(r"<(style|script|svg).*?</\1>", "", pages[verb].read_text(), flags=re.DOTALL)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('.controls').length") == 0
    assert (
        browser.run(
            "[...document.querySelectorAll('main section')].filter((its) => !its.getClientRects().length).length"
        )
        == 0
    )
    assert browser.run("document.querySelectorAll('section').length") == page.count("<section")


def test_a_comparison_fits_on_few_sheets_of_paper(browser, pages):
    """Each page of a PDF is an object of its own, /Type /Page. A report of three variants took eighteen."""
    browser.open(pages["compare"], 1400)
    sheets = len(re.findall(rb"/Type\s*/Page\b(?!s)", browser.pdf()))
    assert 4 <= sheets <= 12


def test_on_paper_there_is_nothing_to_press_and_nothing_is_cut_off(browser, pages):
    browser.open(pages["compare"], 700, media="print")
    assert browser.run("getComputedStyle(document.querySelector('.controls')).display") == "none"
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 254)"
    assert browser.run(CUT) == []
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")


# ---- the interactive layer


@pytest.fixture
def compared(browser, pages):
    browser.open(pages["compare"], 1400)
    return browser


def middle_of_panel(browser, chart: str, panel: int, share: float) -> tuple[float, float]:
    """A place in a panel of a chart, in pixels of the window, after it was brought into view."""
    return tuple(
        browser.run(f"""(() => {{
          const svg = document.querySelector('#{chart}').closest('figure').querySelector('.wide svg, .scroll svg');
          svg.scrollIntoView({{block: 'center', behavior: 'instant'}});
          const [x0, y0, x1, y1] = JSON.parse(svg.dataset.boxes)[{panel}].box;
          const at = new DOMPoint(x0 + {share} * (x1 - x0), (y0 + y1) / 2).matrixTransform(svg.getScreenCTM());
          return [at.x, at.y];
        }})()""")
    )


def test_pointing_at_a_chart_tells_the_values_that_are_drawn_there(compared):
    compared.mouse("mouseMoved", *middle_of_panel(compared, "utilisation", 0, 0.5))
    head, *rows = compared.run("[...document.querySelectorAll('.tip b, .tip span')].map((its) => its.textContent)")
    assert head == "oven workers, 0:30"
    assert [
        row.startswith(name)
        for row, name in zip(rows, ("one", "a kitchen with a rather long name", "slow"), strict=True)
    ] == [True] * 3
    drawn = compared.run("""(() => {
      const {panels} = JSON.parse(document.querySelector('#utilisation').closest('figure').dataset.values);
      const line = panels[0].lines[0];
      return line.y[Math.round((30 - line.from) / line.step)];
    })()""")
    assert float(rows[0].removeprefix("one").rstrip("%")) == pytest.approx(100 * drawn, abs=0.06)


def test_the_keyboard_goes_from_value_to_value(compared):
    compared.run("document.querySelector('#latency').closest('figure').querySelector('.wide').focus()")
    for _ in range(3):
        compared.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight")
    assert compared.run("document.querySelector('.tip b').textContent").startswith("one, 0:0")
    compared.call("Input.dispatchKeyEvent", type="keyDown", key="Escape")
    assert compared.run("document.querySelector('.tip')") is None


def test_the_outage_can_be_looked_at_alone_and_left_again(compared):
    """20 to 30 s of 60, seen from a third of its length before to its length after it: 16.7 s to 40 s over the width of the panel."""
    edges = """(() => {
      const svg = document.querySelector('#latency').closest('figure').querySelector('.wide svg');
      const {box, group} = JSON.parse(svg.dataset.boxes)[0];
      const band = [...svg.getElementById(group).querySelectorAll('path')].find((its) => /--fault[,)]/.test(its.getAttribute('style')));
      const inverse = svg.getScreenCTM().inverse();
      const rect = band.getBoundingClientRect();
      return [rect.left, rect.right].map((x) => (new DOMPoint(x, 0).matrixTransform(inverse).x - box[0]) / (box[2] - box[0]));
    })()"""
    assert compared.run(edges) == pytest.approx([20 / 60, 30 / 60], abs=0.01)
    compared.run("document.querySelectorAll('.periods button')[1].click()")
    shown = 40 - 50 / 3
    assert compared.run(edges) == pytest.approx([(20 - 50 / 3) / shown, (30 - 50 / 3) / shown], abs=0.01)
    ticks = compared.run("[...document.querySelectorAll('#charts .ticks text')].map((its) => its.textContent)")
    assert {"0:20", "0:30", "0:40"} <= set(ticks)
    assert compared.run(CUT) == []
    compared.run("document.querySelectorAll('.periods button')[0].click()")
    assert compared.run(edges) == pytest.approx([20 / 60, 30 / 60], abs=0.01)
    assert compared.run("document.querySelectorAll('.ticks').length") == 0


def test_a_part_can_be_marked_with_the_mouse(compared):
    for kind, share in (("mousePressed", 0.25), ("mouseMoved", 0.5), ("mouseReleased", 0.75)):
        compared.mouse(kind, *middle_of_panel(compared, "latency", 0, share))
    ticks = compared.run("[...document.querySelectorAll('#charts .ticks text')].map((its) => its.textContent)")
    assert ticks[0] in ("0:15", "0:20")
    assert ticks[-1] in ("0:40", "0:45")


def test_variants_are_switched_off_and_on_but_never_all(compared):
    seen = "[1, 2, 3].map((place) => [...document.querySelectorAll(`.card.of-${place}, td.of-${place}`)].filter((its) => its.getClientRects().length).length)"
    before = compared.run(seen)
    assert all(before)
    buttons = "document.querySelectorAll('.controls > div:first-child button')"
    compared.run(f"{buttons}[1].click()")
    assert compared.run(seen) == [before[0], 0, before[2]]
    assert compared.run(f"{buttons}[1].getAttribute('aria-pressed')") == "false"
    compared.run(f"{buttons}[0].click(), {buttons}[2].click()")
    assert compared.run(seen) == [0, 0, before[2]], "one stays"
    compared.run(f"{buttons}[0].click(), {buttons}[1].click()")
    assert compared.run(seen) == before


def test_a_page_of_one_run_has_nothing_to_switch(browser, pages):
    browser.open(pages["run"], 1400)
    assert browser.run("[...document.querySelectorAll('.controls > div')].map((its) => its.className)") == ["periods"]
