import base64
import hashlib
import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

import sim.report.frame
from sim.experiments.replicating.results import Comparison, Earlier, Verdict
from sim.records.columns import Columns
from sim.report.charts import draw_charts
from sim.report.conclusions.comparing import conclude
from sim.report.pages.comparison import render_comparison
from sim.spec.scenario import Scenario
from sim.stats.interval import Difference

EVIL = "</script></title></style><img src=x onerror=alert(1)>\"'&amp;$x^2$"
VOID = {"meta", "img", "br", "path", "rect", "use", "hr", "link", "input"}


class Page(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.stack, self.broken = set(), [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.stack or self.stack.pop() != tag:
            self.broken.append(tag)

    def handle_data(self, data):
        self.text.append(data)

    def values(self, name):
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture(scope="module")
def charts(comparison):
    return draw_charts(comparison)


@pytest.fixture(scope="module")
def html(comparison, charts):
    return render_comparison(comparison, charts, [("topic", "leader election"), ("call", "hedging")])


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def hostile(comparison: Comparison) -> Comparison:
    """Every name that a user may choose is an attack."""
    evil = EVIL.replace(".", "")

    def renamed(text):
        return (
            text.replace("payments outage", evil)
            .replace("payments", f"pay{evil}")
            .replace("order-events", f"topic{evil}")
        )

    variants = {}
    for name, variant in comparison.variants.items():
        document = {
            key: value for key, value in json.loads(json.dumps(comparison.study.document)).items() if key != "faults"
        }
        document["services"][f"pay{evil}"] = document["services"].pop("payments")
        document["services"]["orders"]["endpoints"]["create"][3]["call"] = f"pay{evil}.charge"
        document["traffic"] = {evil: document["traffic"]["shoppers"]}
        document["faults"] = [{"name": evil, "at": "5m", "for": "3m", "outage": f"pay{evil}"}]
        variants[evil + name] = replace(
            variant,
            name=evil + name,
            scenario=Scenario.model_validate(document),
            metrics={renamed(key): figure for key, figure in variant.metrics.items()},
            figures=Columns.of(variant.per_replication.rename(columns=renamed)),
            over_time=Columns.of(variant.timeline.rename(columns=renamed)),
            records=replace(variant.records, names=tuple(map(renamed, variant.records.names))),
            verdicts=(Verdict(evil, 1.0, False, evil),),
        )
    differences = {
        evil + name: {renamed(key): figure for key, figure in found.items()}
        for name, found in comparison.differences.items()
    }
    study = replace(comparison.study, name=evil, text=evil, question=evil, file=evil, plugins=(evil,))
    earlier = Earlier(
        evil,
        dict.fromkeys(variants, evil),
        {name: {evil: Difference(1.0, 0.5, 1.5, 9, significant=True)} for name in variants},
    )
    return replace(
        comparison,
        study=study,
        variants=variants,
        differences=differences,
        engine=evil,
        fingerprint=evil,
        earlier=earlier,
    )


def test_a_report_has_all_its_parts(page):
    assert [value for tag, name, value in page.attributes if tag == "section" and name == "id"] == [
        "answer", "verdict", "charts", "story", "systems", "figures", "expectations", "sure", "silence", "scenario",
    ]  # fmt: skip


def own_script():
    return (Path(sim.report.frame.__file__).parent / "page.js").read_text(encoding="utf-8")


def test_nothing_but_our_script_is_executed_and_nothing_is_fetched(html, page):
    assert not page.tags & {"link", "img", "iframe", "object", "embed"}
    assert re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL) == [own_script()]
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert all(value.startswith("#") for value in page.values("href") + page.values("xlink:href"))
    assert not page.values("src")
    assert not re.search(r"@import|url\((?!#)", html)


def test_the_policy_of_the_page_allows_its_own_script_and_style_and_nothing_else(html):
    """Content Security Policy Level 3: a source is the base64 of the SHA-256 of what stands in the element."""
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    rules = dict(rule.strip().partition(" ")[::2] for rule in unescape(policy).split(";"))
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digests = {
        name: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for name, text in (("script", own_script()), ("style", style))
    }
    assert rules == {
        "default-src": "'none'",
        "script-src": digests["script"],
        "style-src-elem": digests["style"],
        "style-src-attr": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_ids_are_unique_and_links_lead_somewhere(page):
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in page.values("href")} <= set(ids)


def test_tags_are_balanced(page):
    assert not page.broken
    assert not page.stack


def test_it_says_how_sure_it_is_and_how_to_repeat_it(page):
    text = " ".join(page.text)
    for fact in (
        "10, on common random numbers",
        "95% confidence",
        "20261127",
        "2 min of it warm-up",
        "simpy",
        "5f1c0ffee0ddba11",
    ):
        assert fact in text, fact


def test_expectations_have_a_tick_and_a_cross(page):
    text = " ".join(page.text)
    assert "✓ holds" in text
    assert "✗ fails" in text


def test_what_is_not_modelled_is_said(page):
    assert {"topic", "leader election", "call", "hedging"} <= set(page.text)


def test_every_drawing_has_words_and_every_table_headers(page):
    drawings = sum(tag == "svg" and name == "role" for tag, name, _ in page.attributes)
    labels = [value for tag, name, value in page.attributes if tag == "svg" and name == "aria-label"]
    assert drawings == len(labels) == 7 + 7 + 3, "charts, those for a narrow screen, systems"
    assert all(len(label) > 30 for label in labels)
    assert {"col", "row", "rowgroup"} <= {
        value for tag, name, value in page.attributes if tag == "th" and name == "scope"
    }


def test_light_dark_and_print(html):
    assert "@media screen and (prefers-color-scheme:dark)" in html
    assert "@media print" in html
    assert html.count("var(--outcome-ok, #") > 3


@pytest.mark.long
def test_the_same_comparison_gives_the_same_page(comparison, charts, html):
    assert render_comparison(comparison, charts, [("topic", "leader election"), ("call", "hedging")]) == html


def test_three_variants_stay_small(html):
    assert len(html.encode()) < 1_500_000


@pytest.mark.long
def test_hostile_names_are_only_text(comparison):
    evil = hostile(comparison)
    html = render_comparison(evil, None, [(EVIL, EVIL)])
    page = Page(html)
    assert not page.tags & {"img"}
    assert html.count("<script") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not page.broken
    text = "".join(page.text)
    assert text.count("onerror=alert(1)") > 20
    assert len(page.values("id")) == len(set(page.values("id")))


def test_a_single_run_has_a_report_too(single):
    page = Page(render_comparison(single))
    assert "one run" in " ".join(page.text)
    assert "expectations" not in page.values("id")


@pytest.mark.long
def test_an_earlier_run_is_set_beside(comparison, charts):
    differences = {
        "sync": {"response_p95": Difference(0.1, 0.05, 0.15, 10, significant=True), "goodput": Difference(0.1)}
    }
    text = "".join(
        Page(
            render_comparison(replace(comparison, earlier=Earlier("old.json", {"sync": "sync"}, differences)), charts)
        ).text
    )
    assert "Against old.json." in text
    assert "+100 ± 50 ms" in text


def test_the_table_has_headers_for_columns_rows_and_groups_and_marks_what_is_significant(comparison, charts):
    html = render_comparison(comparison, charts)
    for scope in ("col", "row", "rowgroup"):
        assert f'scope="{scope}"' in html
    assert '<div class="difference better" title="better">✓ -147.9 ± 1.2 ms</div>' in html


@pytest.mark.long
def test_the_command_that_repeats_it_names_file_settings_variants_replications_and_seed(comparison, charts):
    study = replace(comparison.study, sets=("services.payments.replicas=2",), plugins=("cache.py",))
    page = Page(render_comparison(replace(comparison, study=study), charts))
    command = "sim compare scenarios/payment-outage.yaml --set services.payments.replicas=2 --plugin cache.py --replications 10 --seed 20261127"
    assert command in page.text


def test_the_answer_stands_before_everything_else(comparison, page):
    words = [text for text in page.text if text.strip()]
    conclusion = conclude(comparison).sentence
    assert words.index(conclusion) < words.index("Verdict")
    assert words[words.index(conclusion) - 1] == comparison.study.question
