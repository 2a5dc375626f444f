"""Names of shipped scenarios become files; a slip of the pen is told the nearest name."""

from __future__ import annotations

import pytest

import sim.spec
from sim.errors import UsageError
from sim.experiments import shipped
from sim.experiments.on_paper.offered_load import check


def test_every_shipped_scenario_loads_and_asks_a_question():
    assert "payment-outage" in shipped.names()
    for name in shipped.names():
        assert shipped.question(name), name
        plugins = [shipped.folder() / "cache.py"] if name == "09-cache-plugin" else []
        assert shipped.load(name, plugins=plugins).variants


def test_a_file_wins_over_a_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped.find("payment-outage").is_absolute()
    (tmp_path / "payment-outage").write_text("mine")
    assert not shipped.find("payment-outage").is_absolute()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("payment-outrage", "did you mean 'payment-outage'"),
        ("shop.yml", "did you mean 'shop.yaml'"),
        ("here", "is a directory"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest_name(tmp_path, monkeypatch, source, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").touch()
    (tmp_path / "here").mkdir()
    with pytest.raises(UsageError, match=message):
        shipped.find(source)


@pytest.mark.parametrize("source", ["x" * 5000, "x" * 5000 + ".yaml", "a\0b"])
def test_a_name_that_no_file_can_have_is_told_as_one_that_is_not_there(source):
    with pytest.raises(UsageError, match="no such file"):
        shipped.find(source)


def test_a_new_scenario_is_right_and_nothing_in_it_is_unwise():
    study = sim.spec.load_text(shipped.new_text("my-shop"), "my-shop.yaml")
    assert study.name == "my-shop"
    assert check(study).warnings == ()
