from sim.report.silence import collect_not_modelled, left_out
from sim.spec.plugins import load_plugins


def test_the_paragraph_that_opens_with_the_words_is_what_a_model_leaves_out():
    source = '"""A thing.\n\nNot modelled: rust,\nand dust.\n\nMore.\n"""\n'
    assert left_out(source) == "rust, and dust."
    assert left_out('"""A thing that is Not modelled: said in passing."""') == ""
    assert left_out("x = 1") == ""


def test_a_folder_of_models_is_read_and_not_run(tmp_path):
    (tmp_path / "bad_thing.py").write_text('"""Bad.\n\nNot modelled: good."""\nraise SystemExit\n')
    (tmp_path / "silent.py").write_text("")
    assert collect_not_modelled(tmp_path) == (("bad thing", "good."),)


def test_our_own_models_say_what_they_leave_out():
    assert len(collect_not_modelled()) >= 5


def test_a_plugin_says_what_it_leaves_out(tmp_path):
    plugin = tmp_path / "ponder.py"
    plugin.write_text('"""Ponder.\n\nNot modelled: doubt."""\n')
    load_plugins([plugin])
    assert ("ponder", "doubt.") in collect_not_modelled()
