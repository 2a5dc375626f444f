"""Who computes is told by every source that has a part in a result, wherever this file comes to stand."""

import sim
from sim.experiments.running import identity


def test_engines_policies_and_figures_have_a_part_in_a_result_and_drawings_have_none():
    names = set(identity.sources())
    assert {"models/world.py", "compiled/interpreter.py", "policies/breaker.py", "chance/keyed.py"} <= names
    assert {"metrics/latency.py", "spec/scenario.py", "experiments/running/jobs.py", "vocabulary.py"} <= names
    assert not [name for name in names if name.startswith(("report/", "cli/", "docs/"))]


def test_a_change_of_a_model_is_another_program(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    model = tmp_path / "models" / "world.py"
    monkeypatch.setattr(identity, "PACKAGE", tmp_path)
    told = []
    for text in ("TRIES = 3\n", "TRIES = 4\n", "TRIES = 3\n"):
        model.write_text(text, encoding="utf-8")
        told.append(identity.identity.__wrapped__())
    assert told[0] == told[2] != told[1]


def test_the_version_is_ours_under_whatever_name_it_was_installed():
    assert identity.identity().startswith(f"sim {sim.__version__}, ")
