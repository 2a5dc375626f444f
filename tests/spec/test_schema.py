"""The JSON Schema accepts what the loader accepts, and finds the same slips."""

import copy
import json

import jsonschema
import pytest

from sim.spec import json_schema, words
from sim.spec.document import plain
from sim.spec.reading import read_yaml
from sim.spec.reference import entries, vocabulary


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def document(example):
    return plain(read_yaml(example))


def test_the_example_is_valid(validator, document):
    assert list(validator.iter_errors(document)) == []


def test_the_schema_describes_the_words(validator):
    assert "Base of" not in validator.schema["$defs"]["Service"]["description"]
    assert validator.schema["$defs"]["Service"]["description"].startswith("One service.")
    assert "variants" in validator.schema["properties"]


def test_an_amount_and_a_definition_stand_there_once(validator):
    """Editors read the whole of it at every key that is pressed."""
    text = json.dumps(validator.schema)
    unused = [name for name in validator.schema["$defs"] if f'"#/$defs/{name}"' not in text]
    assert unused == []
    written_out = {"anyOf": validator.schema["$defs"]["share"]["anyOf"]}
    assert text.count(json.dumps(written_out)[1:-1]) == 1


FORMS = [
    (
        "services.orders.endpoints.create.0.work",
        [
            "5ms",
            {"exponential": "5ms"},
            {"uniform": ["1ms", "2ms"]},
            {"mixture": ["1ms", {"weight": 2, "exponential": "2ms"}]},
        ],
    ),
    (
        "services.orders.endpoints.create.0",
        [
            "reply",
            {"reply": None},
            {"parallel": [{"work": "1ms"}, [{"wait": "1ms"}]]},
            {"take": {"stock": {"check_to_write": "3ms"}}},
        ],
    ),
    ("services.orders.workers", [5, "unlimited"]),
    ("services.orders.stock", [5, {"items": 5}, None]),
    (
        "traffic.shoppers.arrivals",
        [{"closed": {"users": 5, "think": "1s"}}, {"replay": "f.csv"}, {"profile": [{"rate": "5/s"}]}],
    ),
    ("traffic.shoppers.sends", [{"POST /orders": "20%"}]),
    ("policies.provider.retry.budget", ["20%", 0.2, {"ratio": "20%", "ttl": "5s"}]),
    ("record", ["summary", "rows", {"keep": "summary", "interval": "5s"}, {"spans": "all"}]),
    ("faults.0", [{"slow": {"of": "payments", "by": "5x"}, "at": "1s"}, {"broker_down": "kafka", "at": "1s"}]),
    (
        "faults.0.random",
        [
            {"mtbf": "30d", "mttr": {"exponential": "4h"}, "fault": fault}
            for fault in (
                {"outage": "payments", "how": "refuse"},
                {"slow": "payments", "by": "5x"},
                {"crash": {}, "of": "payments"},
            )
        ],
    ),
    ("variants.async", [None, {"services": {"orders": {"workers": None}}}, {"policies": {"internal": None}}]),
    ("brokers.kafka.topics.order-events.key", [None, "sticky", "user"]),
]


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in FORMS for value in values])
def test_every_way_to_write_it_is_valid(validator, document, path, value):
    assert [error.message for error in validator.iter_errors(changed(document, path, value))] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("record", "sumary"),
        ("record", {"keep": "all"}),
        ("services.orders.wokers", 5),
        ("services.orders.workers", "many"),
        ("services.orders.endpoints.create.0.work", 5),
        ("services.orders.endpoints.create.0", {"wrok": "5ms"}),
        ("services.orders.endpoints.create.0", {"work": "5ms", "policy": "x"}),
        ("traffic.shoppers.arrivals", {"poisson": 5}),
        ("traffic.shoppers.timeout", "5 minutes"),
        ("faults.0.random", {"mtbf": "30d", "mttr": "4h", "fault": {"outage": "payments", "at": "1m"}}),
        ("faults.0", {"outage": "payments"}),
        ("variants.async.seed", 5),
        ("variants.async.services.orders.wokers", 5),
        ("version", 2),
        ("duration", None),
    ],
)
def test_what_the_loader_refuses_is_invalid(validator, document, path, value):
    assert list(validator.iter_errors(changed(document, path, value)))


def changed(document, path, value):
    document = copy.deepcopy(document)
    if path == "faults.0.random":
        document["faults"][0] = {"at": "0s"}
    here = document
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        here = here[part]
    here[last] = value
    return document


def test_an_example_is_of_the_form_that_stands_there(validator):
    """Editors show it over the word, and offer it: what is no valid value must not be offered."""
    defs = validator.schema["$defs"]
    wrong = [
        name
        for name, its in defs.items()
        for example in its.get("examples", ())
        if list(validator.evolve(schema={"$ref": f"#/$defs/{name}", "$defs": defs}).iter_errors(example))
    ]
    assert wrong == []
    assert sum("examples" in its for its in defs.values()) > 100


def test_over_the_word_of_a_step_or_a_fault_stand_what_it_is_and_an_example(validator):
    forms = [form for kind in ("step", "fault") for form in validator.schema["$defs"][kind]["anyOf"]]
    over = {form["required"][0]: form["properties"][form["required"][0]] for form in forms if "properties" in form}
    ours = {
        word for kind in ("step", "fault") for word, cls in words(kind).items() if cls.__module__.startswith("sim.")
    }
    assert {word for word in ours if "```yaml\n- " not in over[word].get("markdownDescription", "")} == set()
    assert over["repeat"]["markdownDescription"].startswith("The same steps several times")
    assert "- {name: provider dark, at: 5s, for: 5s, outage: payments" in over["outage"]["markdownDescription"]
    bare = [form for form in forms if form.get("const") == "reply"]
    assert bare[0]["description"].startswith("Answer the caller now")


def test_words_are_told_without_a_look_at_the_values_of_examples(monkeypatch):
    """To parse them takes longer than all else that `sim words` and the completion of words do."""
    monkeypatch.setattr("sim.spec.schema.example_value", lambda cls: pytest.fail(f"the example of {cls.__name__}"))
    known = entries()
    assert vocabulary() == {entry.title for entry in known} | {field.word for entry in known for field in entry.fields}
    assert {"Scenario", "outage", "rate_limits", "max_attempts"} <= vocabulary()
    assert any(entry.title == "outage" and "outage: payments" in str(entry.example) for entry in known)
    with pytest.raises(pytest.fail.Exception, match="the example of"):
        json_schema()
