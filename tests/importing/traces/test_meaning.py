"""What spans mean: errors, retries, time-outs, clocks, halves of one span, what was not recorded, and who is no service."""

from __future__ import annotations

import json

import pytest

from sim.errors import ScenarioError, UsageError
from sim.importing import import_files
from sim.importing.traces.calls import Call, arranged
from sim.importing.traces.span_csv import columns_of
from sim.importing.traces.table import operation_of, service_of_pod
from sim.spec import load_text
from sim.spec.reading import read_yaml
from tests.importing.traces.shop import Recorder, Span, as_csv, as_jaeger, as_otlp, as_zipkin

MS = 0.001


def imported(folder, spans: list[Span], write=as_csv, **more):
    (folder / "a").write_text(write(spans))
    return import_files([str(folder / "a")], **more)


def steps(text: str, service: str, endpoint: str) -> list[dict[str, object]]:
    return read_yaml(text)["services"][service]["endpoints"][endpoint]


def asking(count: int, calls) -> list[Span]:
    """Requests one after the other, a tenth of a second apart: `calls(recorder, root, number)` makes their calls and answers when they are over."""
    recorder = Recorder()
    for number in range(count):
        root = recorder.add(f"{number + 1:032x}", "", "web", "page", "SERVER", number * 0.1)
        root.end = calls(recorder, root, number)
    return recorder.spans


def test_tries_after_a_failure_are_a_retry_with_its_pause(tmp_path):
    """Every fourth call fails after 5 ms and is made again 20 ms later: one call with two attempts, and no second call."""

    def calls(recorder, root, number):
        at = root.start + MS
        if number % 4 == 0:
            end = recorder.call(root, at, "pay", "charge", 4 * MS)
            recorder.spans[-1].error = True
            at = end + 20 * MS
        return recorder.call(root, at, "pay", "charge", 9 * MS) + MS

    found = imported(tmp_path, asking(40, calls))
    (call,) = [step for step in steps(found.text, "web", "page") if "call" in step]
    policy = next(iter(load_text(found.text).variants.values())).policies[call["policy"]]
    assert policy.retry.max_attempts == 2
    assert policy.retry.backoff.delay == pytest.approx(20 * MS)
    assert {"fail": "20%"} in steps(found.text, "pay", "charge")  # 10 of 50 tries
    assert "fail" not in str(steps(found.text, "web", "page"))


def test_a_failure_that_its_caller_survives_is_tolerated_and_one_that_it_does_not_is_not_its_own(tmp_path):
    def survives(recorder, root, number):
        end = recorder.call(root, root.start + MS, "ads", "get", 3 * MS)
        recorder.spans[-1].error = number % 10 == 0
        return end

    def fails(recorder, root, number):
        end = survives(recorder, root, number)
        root.error = number % 10 == 0
        return end

    assert {"call": "ads.get", "fallback": []} in steps(imported(tmp_path, asking(40, survives)).text, "web", "page")
    found = steps(imported(tmp_path, asking(40, fails)).text, "web", "page")
    assert {"call": "ads.get"} in found
    assert not any("fail" in step for step in found)


def test_requests_that_fail_before_their_calls_fail_before_their_calls(tmp_path):
    def calls(recorder, root, number):
        if number % 5 == 0:
            root.error = True
            return root.start + MS
        return recorder.call(root, root.start + MS, "pay", "charge", 4 * MS)

    found = steps(imported(tmp_path, asking(50, calls)).text, "web", "page")
    assert [next(iter(step)) for step in found] == ["work", "fail", "call"]
    assert found[1] == {"fail": "20%"}


def test_callers_that_give_up_after_the_same_time_have_a_timeout(tmp_path):
    """The callee takes 80 ms, its caller says after 50 ms that it has failed."""

    def calls(recorder, root, number):
        recorder.call(root, root.start + MS, "slow", "get", 80 * MS)
        client = recorder.spans[-2]
        client.end, client.error = client.start + 50 * MS, True
        root.error = True
        return client.end

    found = imported(tmp_path, asking(20, calls))
    (call,) = [step for step in steps(found.text, "web", "page") if "call" in step]
    assert next(iter(load_text(found.text).variants.values())).policies[call["policy"]].timeout == pytest.approx(0.05)


def test_requests_that_do_other_things_are_other_endpoints_with_their_share(tmp_path):
    """One of four misses the cache and asks the database as well."""

    def calls(recorder, root, number):
        at = recorder.call(root, root.start + MS, "cache", "get", MS)
        return recorder.call(root, at, "db", "read", 5 * MS) if number % 4 == 0 else at

    found = imported(tmp_path, asking(80, calls))
    assert read_yaml(found.text)["traffic"]["clients"]["sends"] == {"web.page": "75%", "web.page-2": "25%"}
    assert [step.get("call") for step in steps(found.text, "web", "page-2")] == [None, "cache.get", "db.read"]


def test_what_too_few_do_to_be_a_class_is_done_now_and_then(tmp_path):
    """One of 200 asks for advice besides, and another one does not ask for the price: a class is a hundredth at least."""

    def calls(recorder, root, number):
        end = root.start + MS if number == 7 else recorder.call(root, root.start + MS, "price", "ask", 2 * MS)
        return recorder.call(root, end + MS, "advice", "ask", 3 * MS) if number == 100 else end

    text = imported(tmp_path, asking(200, calls)).text
    assert steps(text, "web", "page")[1:] == [
        {"choose": [{"share": "99.5%", "do": [{"call": "price.ask"}]}]},
        {"choose": [{"share": "0.5%", "do": [{"call": "advice.ask"}]}]},
    ]
    load_text(text)


def test_a_call_that_is_made_again_and_again_is_repeated(tmp_path):
    def in_a_row(recorder, root, number):
        end = root.start + MS
        for _ in range(4):
            end = recorder.call(root, end + MS, "goods", "get", 2 * MS)
        return end

    def at_once(recorder, root, number):
        return max(recorder.call(root, root.start + MS, "goods", "get", (4 + k) * MS) for k in range(3))

    found = steps(imported(tmp_path, asking(20, in_a_row)).text, "web", "page")
    assert found[1:] == [{"repeat": 4, "do": [{"call": "goods.get"}]}]
    found = steps(imported(tmp_path, asking(20, at_once)).text, "web", "page")
    assert found[1:] == [{"repeat": 3, "do": [{"call": "goods.get"}], "at_once": True}]


def test_what_goes_on_after_the_answer_comes_behind_it(tmp_path):
    def calls(recorder, root, number):
        recorder.call(root, root.start + 2 * MS, "mail", "send", 30 * MS)
        return root.start + 5 * MS

    assert [next(iter(step)) for step in steps(imported(tmp_path, asking(20, calls)).text, "web", "page")] == [
        "work",
        "reply",
        "call",
    ]


def test_clocks_that_differ_are_set_right_and_told(tmp_path):
    """The callee's clock is 700 ms late: its spans would lie after those of its caller."""

    def calls(recorder, root, number):
        end = recorder.call(root, root.start + MS, "late", "get", 9 * MS)
        recorder.spans[-1].start += 0.7
        recorder.spans[-1].end += 0.7
        return end + MS

    found = imported(tmp_path, asking(30, calls))
    assert [next(iter(step)) for step in steps(found.text, "web", "page")] == ["work", "call"]
    assert steps(found.text, "web", "page")[0] == {"work": "2ms"}
    assert steps(found.text, "late", "get")[0] == {"work": "9ms"}
    assert "Clocks differ: 30 spans lay outside of their callers" in found.text
    assert "by 700ms at most" in found.text


def test_a_callee_that_recorded_nothing_has_the_time_that_its_caller_saw(tmp_path):
    recorder = Recorder()
    for number in range(20):
        root = recorder.add(f"{number:032x}1", "", "web", "page", "SERVER", number * 0.1)
        call = recorder.add(root.trace, root.id, "web", "GET user", "CLIENT", root.start + MS)
        call.end, root.end = call.start + 7 * MS, call.start + 8 * MS
    document = json.loads(as_otlp(recorder.spans))
    for span in document["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        if span["kind"] == 3:
            span["attributes"] = [
                {"key": "db.system", "value": {"stringValue": "redis"}},
                {"key": "net.peer.name", "value": {"stringValue": "10.0.0.7"}},
            ]
    (tmp_path / "a.json").write_text(json.dumps(document))
    found = import_files([str(tmp_path / "a.json")])
    assert steps(found.text, "redis", "GET user") == [{"work": "7ms"}]
    assert steps(found.text, "web", "page") == [{"work": "2ms"}, {"call": "redis.GET user"}]


def test_a_load_generator_is_the_traffic_and_no_service(tmp_path):
    recorder = Recorder()
    for number in range(20):
        root = recorder.add(f"{number:032x}1", "", "load-generator", "user", "INTERNAL", number * 0.1)
        root.end = recorder.call(root, root.start + MS, "web", "page", 5 * MS)
    found = imported(tmp_path, recorder.spans)
    assert read_yaml(found.text)["traffic"]["clients"]["sends"] == "web.page"
    assert list(read_yaml(found.text)["services"]) == ["web"]


def test_requests_whose_beginning_was_not_recorded_do_not_count_as_arrivals(tmp_path):
    recorder = Recorder()
    for number in range(20):
        root = recorder.add(f"{number:032x}1", "", "web", "page", "SERVER", number * 0.1)
        root.end = root.start + 5 * MS
        lost = recorder.add(root.trace, "feed", "pay", "charge", "SERVER", root.start + MS)
        lost.end = lost.start + MS
    found = imported(tmp_path, recorder.spans)
    assert read_yaml(found.text)["traffic"]["clients"]["sends"] == "web.page"
    assert any(note.what == "20 spans as requests" for note in found.told.left_out)


def test_messages_whose_publisher_was_not_recorded_are_published_all_the_same(tmp_path):
    recorder = Recorder()
    for number in range(20):
        taken = recorder.add(
            f"{number:032x}1", "", "mailer", "orders process", "CONSUMER", number * 0.1, topic="orders"
        )
        taken.end = taken.start + 5 * MS
    text = imported(tmp_path, recorder.spans, as_zipkin).text
    document = read_yaml(text)
    assert document["traffic"]["clients"]["sends"] == "publisher of orders.publish"
    assert document["services"]["mailer"]["consumes"]["orders"]["do"] == [{"work": "5ms"}]


def test_a_message_that_leads_to_itself_is_cut(tmp_path):
    recorder = Recorder()
    for number in range(20):
        taken = recorder.add(f"{number:032x}1", "", "echo", "ping process", "CONSUMER", number * 0.1, topic="ping")
        sent = recorder.add(taken.trace, taken.id, "echo", "ping publish", "PRODUCER", taken.start + MS, topic="ping")
        sent.end, taken.end = sent.start + MS, sent.start + 2 * MS
    found = imported(tmp_path, recorder.spans)
    assert any("would close a circle" in note.why for note in found.told.left_out)


def test_a_sampler_that_says_its_share_is_believed(tmp_path):
    spans = asking(21, lambda recorder, root, number: root.start + MS)
    document = json.loads(as_jaeger(spans))
    for trace in document["data"]:
        trace["spans"][0]["tags"] += [
            {"key": "sampler.type", "value": "probabilistic"},
            {"key": "sampler.param", "value": 0.25},
        ]
    (tmp_path / "a.json").write_text(json.dumps(document))
    text = import_files([str(tmp_path / "a.json")]).text
    assert read_yaml(text)["traffic"]["clients"]["arrivals"] == {"poisson": "40/s"}  # 10 in a second were recorded
    assert "25 % of all were recorded, as their sampler says" in text


def test_services_of_traces_are_those_of_the_manifests(tmp_path):
    spans = asking(
        20, lambda recorder, root, number: recorder.call(root, root.start + MS, "CartService", "get", 4 * MS)
    )
    (tmp_path / "a.csv").write_text(as_csv(spans))
    (tmp_path / "compose.yaml").write_text(
        "services: {web: {deploy: {replicas: 3}, environment: {CART_ADDR: 'cart:70'}}, cart: {deploy: {resources: {limits: {cpus: 2}}}}, idle: {image: x}}\n"
    )
    found = import_files([str(tmp_path / "compose.yaml"), str(tmp_path / "a.csv")])
    services = read_yaml(found.text)["services"]
    assert services["web"]["replicas"] == 3
    assert services["cart"]["cpu"] == 2
    assert services["cart"]["endpoints"]["get"] == [{"work": "4ms"}]
    assert [step.get("call") for step in services["web"]["endpoints"]["page"]] == [None, "cart.get"]
    assert found.told.unreached == ("idle",)


def test_routes_of_a_gateway_lead_to_the_endpoints_at_which_requests_came_in(tmp_path):
    def calls(recorder, root, number):
        root.operation = "GET /a" if number % 4 else "GET /b"
        return root.start + 2 * MS

    (tmp_path / "a.csv").write_text(as_csv(asking(40, calls)))
    (tmp_path / "kong.yaml").write_text(
        "_format_version: '3.0'\nservices: [{name: s, host: web, routes: [{name: all, paths: [/]}]}]\n"
    )
    document = read_yaml(import_files([str(tmp_path / "kong.yaml"), str(tmp_path / "a.csv")]).text)
    assert {name: route["to"] for name, route in document["gateway"]["routes"].items()} == {
        "all GET /a": "s.GET /a",
        "all GET /b": "s.GET /b",
    }
    assert document["traffic"]["clients"]["sends"] == {"all GET /a": "75%", "all GET /b": "25%"}


def test_calls_that_overlap_by_more_than_a_tenth_of_the_shorter_one_are_made_at_once():
    def found(*times):
        return arranged([Call(start, end, item, item, False) for item, (start, end) in enumerate(times)])

    assert found((0, 100), (95, 200)) == ((((0,),), ((1,),)), 205)  # one after the other: together as long as both
    assert found((0, 100), (80, 200)) == ((((0,), (1,)),), 120)
    assert found((0, 300), (10, 100), (110, 200)) == ((((0,), (1, 2)),), 300)  # two one after the other beside a third
    assert found((0, 100), (10, 20), (150, 160)) == ((((0,), (1,)), ((2,),)), 110)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("/hipstershop.CartService/GetCart", "GetCart"),
        ("hipstershop.Frontend/Recv.", "Recv"),
        ("GET /orders/4711/items?page=2", "GET /orders/{id}/items"),
        ("/user/5b8efff798038103d269b633813fc60c", "/user/{id}"),
        ("/a/550e8400-e29b-41d4-a716-446655440000/b", "/a/{id}/b"),
        ("GET /api/v1/orders", "GET /api/v1/orders"),
        ("", "unnamed"),
    ],
)
def test_operations_lose_what_only_identifies(written, name):
    assert operation_of(written) == name


@pytest.mark.parametrize(
    ("pod", "name"), [("cart-579b9bff58-t2dbm", "cart"), ("db-0", "db"), ("front-end", "front-end"), ("x", "x")]
)
def test_pods_are_named_after_what_runs_in_them(pod, name):
    assert service_of_pod(pod) == name


def test_columns_are_told_from_their_names_however_they_are_spelt():
    found = columns_of(
        [
            "TraceID",
            "SpanID",
            "ParentID",
            "PodName",
            "OperationName",
            "StartTimeUnixNano",
            "EndTimeUnixNano",
            "Duration",
        ]
    )
    assert (found.at["pod"], found.units["start"], found.units["duration"]) == (3, 1, 0)
    assert (
        columns_of(["trace_id", "span_id", "parent_id", "service", "name", "start_us", "duration_ms"]).units["duration"]
        == 10**6
    )
    assert columns_of(["traceId", "parentId", "childId", "childOperation", "startTime", "endTime"]) is None


@pytest.mark.parametrize(
    "start", ["1700000000", "1700000000000", "1700000000000000", "1700000000000000000", "2023-11-14T22:13:20Z"]
)
def test_the_unit_of_times_is_told_from_their_size(tmp_path, start):
    rows = "".join(f"{number},{number},,web,page,{start},{start}\n" for number in range(1, 4))
    (tmp_path / "a.csv").write_text(f"trace,span,parent,service,operation,start,end\n{rows}")
    imported = import_files([str(tmp_path / "a.csv")], recording="r.csv")
    assert imported.recording.splitlines()[1] == "1700000000000000000,0,web.page,ok"


def test_spans_that_are_none_are_left_out_with_their_reason(tmp_path):
    good = "1,1,,web,page,1700000000000,1700000000005\n"
    bad = "1,2,1,web,page,later,1700000000005\n1,3,1,web,page,1700000000009,1700000000005\n,4,,web,page,1,2\nshort\n"
    (tmp_path / "a.csv").write_text(f"trace,span,parent,service,operation,start,end\n{good}{bad}")
    left = {note.why: (note.what, note.line) for note in import_files([str(tmp_path / "a.csv")]).told.left_out}
    assert left["has no time, or ends before it begins"] == ("2 spans", 3)
    assert left["has no identifier of its trace or of its own"] == ("1 span", 5)
    assert left["is a row of too few columns"] == ("1 span", 6)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ('{"resourceSpans": []}', None, "found no span in it, expected some"),
        (
            '{"data": [{"traceID": "a", "spans": [{"spanID": "b"}]}]}',
            None,
            "found no span in it: each of 1 has no identifier",
        ),
        ("a,b\n1,2\n", "spans", "found the columns 'a, b', expected those of spans"),
        (
            '[{"traceId": "a", "id": "b", "timestamp": 1, "duration": 1}]',
            "kong",
            "found what seems to be traces (Zipkin), expected Kong",
        ),
        ('{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "a"', None, "found what is no JSON"),
    ],
)
def test_files_that_are_no_traces_are_told(tmp_path, text, kind, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ScenarioError) as error:
        import_files([str(tmp_path / "a.json")], kind)
    assert message in str(error.value)


def test_a_recording_of_what_is_no_trace_is_refused(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {web: {ports: ['80:80']}}\n")
    with pytest.raises(UsageError, match="--recording: found no request in the traces"):
        import_files([str(tmp_path / "compose.yaml")], recording="r.csv")


def test_spans_that_are_their_own_ancestors_are_left_out(tmp_path):
    rows = "1,1,,web,page,1700000000000,1700000000005\n1,2,3,a,b,1700000000000,1700000000001\n1,3,2,a,b,1700000000000,1700000000001\n"
    (tmp_path / "a.csv").write_text(f"trace,span,parent,service,operation,start,end\n{rows}")
    found = import_files([str(tmp_path / "a.csv")])
    assert any(note.why == "are their own ancestors" and note.what == "2 spans" for note in found.told.left_out)
    assert list(read_yaml(found.text)["services"]) == ["web"]


def test_an_endpoint_that_calls_itself_is_as_many_endpoints_as_it_is_deep(tmp_path):
    def calls(recorder, root, number):
        at = root.start
        parent = root
        for _ in range(3):
            parent = recorder.add(root.trace, parent.id, "tree", "walk", "SERVER", at)
            parent.end = root.start + 9 * MS
            other = recorder.add(root.trace, parent.id, "other", "step", "SERVER", at)
            other.end = parent.end
            parent = other
        return root.start + 10 * MS

    text = imported(tmp_path, asking(20, calls)).text
    assert len(read_yaml(text)["services"]["tree"]["endpoints"]) == 3
