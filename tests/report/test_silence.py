import sim
from sim.report.silence import MODELS, _of_models, collect_not_modelled, left_out, left_out_of
from sim.spec.plugins import load_plugins


def test_the_paragraph_that_opens_with_the_words_is_what_a_model_leaves_out():
    source = '"""A thing.\n\nNot modelled: rust,\nand dust.\n\nMore.\n"""\n'
    assert left_out(source) == "rust, and dust."
    assert left_out('"""A thing that is Not modelled: said in passing."""') == ""
    assert left_out("x = 1") == ""


def test_a_paragraph_may_end_with_it():
    assert left_out_of("A thing.\n\nIt shines.\nNot modelled: rust.") == "rust."


def test_every_model_that_says_what_it_leaves_out_has_a_name_for_users():
    assert set(_of_models()) == set(MODELS)
    assert len({title for title, _ in MODELS.values()}) == len(MODELS)


def test_nothing_that_is_told_points_into_the_source():
    told = dict(collect_not_modelled())
    assert len(told) > 30
    assert [text for text in told.values() if ".py" in text or "docstring" in text or text.startswith("see ")] == []


SHOP = """
version: 1
duration: 1m
traffic: {users: {sends: shop.buy, arrivals: {poisson: 5/s}}}
services: {shop: {workers: 4, endpoints: {buy: [{work: 10ms}]}}}
variants:
  plain: {}
  sessions: {traffic: {users: {users: {count: 9}}}, services: {shop: {endpoints: {buy: [{session: {}, in: replica}]}}}}
"""


def test_only_what_the_scenario_says_is_told_of():
    study = sim.load_text(SHOP)
    plain = dict(collect_not_modelled([study.variants["plain"]]))
    assert {"services", "network", "clients", "cores", "replicas"} == set(plain)
    both = dict(collect_not_modelled(study.variants.values()))
    assert set(both) - set(plain) == {"session", "users"}
    assert "copies of it in other replicas" in both["session"]  # what the word of the language says itself


def test_a_plugin_says_what_it_leaves_out(tmp_path):
    plugin = tmp_path / "ponder.py"
    plugin.write_text('"""Ponder.\n\nNot modelled: doubt."""\n')
    load_plugins([plugin])
    assert ("ponder", "doubt.") in collect_not_modelled()
    study = sim.load_text(SHOP)
    assert "ponder" not in dict(collect_not_modelled(study.variants.values())), "nothing of it is said"


def test_of_a_plugin_that_a_scenario_uses_is_told():
    cached = sim.load("09-cache-plugin", plugins=["scenarios/cache.py"])
    assert "cache" in dict(collect_not_modelled(cached.variants.values()))
