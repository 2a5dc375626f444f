"""Plug-ins are code, and run only where the user allows that very file."""

import re
import subprocess
import sys

import pytest

from sim.errors import PluginError, ScenarioError, UsageError
from sim.spec import json_schema, load, load_document, load_text, words
from sim.spec.example_values import example_value
from sim.spec.examples import example_of, on_the_shop
from sim.spec.plugins import load_plugins
from sim.spec.reference import entries
from sim.spec.step import Step

PLUGIN = '''
from sim.spec.base import Duration, register
from sim.spec.step import Step

@register("step", "sleep_WORD")
class Sleep(Step):
    """Sleeps."""
    positional = "time"
    time: Duration
    deeply: bool = False
'''


@pytest.fixture
def plugin(tmp_path, small):
    """A scenario that needs the plug-in beside it; the word is the folder's own, so that tests do not meet."""
    word = f"sleep_{tmp_path.name}"
    (tmp_path / "sleepy.py").write_text(PLUGIN.replace("sleep_WORD", word))
    (tmp_path / "s.yaml").write_text(
        small.replace("{work: 5ms}", f"{{{word}: 5ms, deeply: true}}") + "plugins: [sleepy.py]\n"
    )
    return word


def test_a_scenario_may_not_run_code_by_itself(tmp_path, plugin):
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "s.yaml")
    path = tmp_path / "sleepy.py"
    assert str(caught.value).endswith(
        f"s.yaml:10:11: plugins.0: uses the plug-in 'sleepy.py', which is code; allow it with --plugin {path}"
    )
    assert plugin not in words("step")


@pytest.mark.usefixtures("plugin")
def test_another_file_of_the_same_name_is_not_that_file(tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "sleepy.py"
    other.write_text("")
    with pytest.raises(ScenarioError, match="which is code"):
        load(tmp_path / "s.yaml", plugins=[other])


@pytest.mark.long
def test_an_allowed_plugin_gives_its_words(tmp_path, plugin):
    study = load(tmp_path / "s.yaml", plugins=[tmp_path / "sleepy.py"])
    step = study.variants["base"].services["orders"].endpoints["create"].do[0]
    assert (type(step).__name__, step.time, step.deeply) == ("Sleep", 0.005, True)
    assert study.plugins == (str(tmp_path / "sleepy.py"),)
    assert plugin in str(json_schema()["$defs"]["step"])
    assert load_document(study.document, plugins=study.plugins).variants == study.variants


def test_loading_a_plugin_twice_is_loading_it_once(tmp_path, plugin):
    load_plugins([tmp_path / "sleepy.py"])
    before = words("step")[plugin]
    load_plugins([str(tmp_path / "sleepy.py")])
    assert words("step")[plugin] is before


def test_a_changed_plugin_is_run_again(tmp_path, plugin):
    load_plugins([tmp_path / "sleepy.py"])
    (tmp_path / "sleepy.py").write_text(PLUGIN.replace("sleep_WORD", plugin + "_again"))
    load_plugins([tmp_path / "sleepy.py"])
    assert plugin not in words("step")
    assert f"{plugin}_again" in words("step")


@pytest.mark.usefixtures("plugin")
def test_another_process_loads_the_same_study(tmp_path):
    script = "import sys; from sim.spec import load; study = load(sys.argv[1], plugins=[sys.argv[2]])\n"
    script += "print(study.variants['base'].services['orders'].endpoints['create'].do[0].time)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "s.yaml"), str(tmp_path / "sleepy.py")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "0.005"


@pytest.mark.parametrize(
    ("code", "words_"),
    [
        ("x = 1\ny = 1 / 0\n", "broken.py:2: ZeroDivisionError: division by zero"),
        ("def f(:\n", "broken.py:1: SyntaxError"),
        ("import nowhere_at_all\n", "broken.py:1: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", "broken.py:1: SystemExit: 3"),
        (
            "\n\nfrom sim.spec.base import register, Spec\n@register('step', 'call')\nclass X(Spec): pass\n",
            "the step 'call' is registered already, by sim.spec.step: expected a word that the language does not have",
        ),
        ("x = '\0'", "broken.py"),
    ],
)
def test_a_broken_plugin_is_told_with_its_line(tmp_path, code, words_):
    (tmp_path / "broken.py").write_text(code)
    with pytest.raises(PluginError) as caught:
        load_plugins([tmp_path / "broken.py"])
    assert words_ in str(caught.value)


@pytest.mark.usefixtures("plugin")
def test_a_second_file_with_the_same_word_is_told_with_the_first(tmp_path):
    """Words are of a process, whatever is the path of what registers them."""
    copy = tmp_path / "copies" / "sleepy.py"
    copy.parent.mkdir()
    copy.write_text((tmp_path / "sleepy.py").read_text())
    load_plugins([tmp_path / "sleepy.py"])
    with pytest.raises(
        PluginError, match=f"registered already, by {re.escape(str(tmp_path / 'sleepy.py'))}: .*load one"
    ):
        load_plugins([copy])


def test_a_broken_plugin_leaves_no_words_behind(tmp_path):
    (tmp_path / "half.py").write_text(PLUGIN.replace("sleep_WORD", "half_done") + "\n1 / 0\n")
    with pytest.raises(PluginError):
        load_plugins([tmp_path / "half.py"])
    assert "half_done" not in words("step")


@pytest.mark.usefixtures("plugin")
def test_a_plugin_that_is_not_there_is_told_with_the_nearest(tmp_path):
    with pytest.raises(PluginError, match=r"no such file; did you mean 'sleepy.py'\?"):
        load_plugins([tmp_path / "sleep.py"])
    with pytest.raises(PluginError):
        load_plugins([tmp_path])


def test_a_word_of_a_plugin_brings_an_example_of_its_own(tmp_path, plugin):
    """In the reference, over the word in editors, and as a variant of the shop that loads."""
    text = PLUGIN.replace("sleep_WORD", plugin)
    own = f'    example = """\n    services:\n      orders: {{endpoints: {{create: [{{{plugin}: 5ms}}, {{effect: ordered}}]}}}}\n    """\n'
    (tmp_path / "sleepy.py").write_text(text.replace('    positional = "time"\n', own + '    positional = "time"\n'))
    load_plugins([tmp_path / "sleepy.py"])
    (entry,) = (entry for entry in entries() if entry.title == plugin)
    assert entry.example == f"services:\n  orders: {{endpoints: {{create: [{{{plugin}: 5ms}}, {{effect: ordered}}]}}}}"
    study = load_text(on_the_shop({"own": entry.example}))
    assert study.variants["own"].services["orders"].endpoints["create"].do[0].time == 0.005
    over = [
        form["properties"][plugin]
        for form in json_schema()["$defs"]["step"]["anyOf"]
        if plugin in form.get("properties", ())
    ]
    assert f"```yaml\n- {{{plugin}: 5ms}}\n```" in over[0]["markdownDescription"]


def test_an_example_that_is_none_is_told():
    class Doze(Step):
        example = "5ms"

    with pytest.raises(UsageError, match="the example of Doze: found '5ms', expected what a variant of the shop says"):
        example_value(Doze)


def test_the_example_of_the_shipped_plugin_is_a_scenario():
    load_plugins(["scenarios/cache.py"])
    study = load_text(on_the_shop({"own": example_of(words("step")["cached_call"])}))
    assert study.variants["own"].services["orders"].endpoints["create"].do[0].target == "stock.look"
