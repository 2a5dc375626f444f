"""The tools as an assistant meets them: a real client of the SDK, over stdio, against `sim mcp` as a process."""

from __future__ import annotations

import os
import sys
import time

import anyio
import psutil
import pytest
from mcp import Client, StdioServerParameters

import sim
from sim.cli import answer

SHOP = """
version: 1
duration: 20s
traffic: {shoppers: {sends: shop.buy, arrivals: {poisson: 20/s}, timeout: 2s}}
services: {shop: {workers: 4, endpoints: {buy: [{work: {exponential: 50ms}}]}}}
variants: {base: {}, slow: {services: {shop: {endpoints: {buy: [{work: {exponential: 150ms}}]}}}}}
expect: [availability >= 99%]
"""
LONG = SHOP.replace("duration: 20s", "duration: 10h").replace("version: 1", "version: 1\nrecord: summary")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "shop.yaml").write_text(SHOP)
    (tmp_path / "secret.yaml").write_text(SHOP)
    (tmp_path / "in" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    return tmp_path / "in"


def served(folder, talk, *options):
    """What `talk` makes of a client of the server."""
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "sim", "mcp", "--confine", str(folder), *options], env=dict(os.environ)
    )

    async def session():
        async with Client(parameters) as client:
            return await talk(client)

    return anyio.run(session)


def called(folder, tool, *options, **arguments):
    return served(folder, lambda client: client.call_tool(tool, arguments), *options)


def words(result):
    return result.content[0].text


def test_there_are_six_tools_and_each_says_what_it_does(folder):
    async def listed(client):
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in served(folder, listed)}
    assert set(tools) == {"check", "run", "compare", "capacity", "explain", "schema"}
    assert all(tool.description and tool.input_schema["type"] == "object" for tool in tools.values())


@pytest.mark.long
def test_a_run_is_the_run_of_the_command_line(folder):
    found = called(
        folder, "run", scenario="shop.yaml", replications=2, settings=["services.shop.workers=6"]
    ).structured_content
    own = sim.run(
        sim.experiments.shipped.load(folder / "shop.yaml", ["services.shop.workers=6"]),
        replications=2,
        jobs=1,
        engine="simpy",
    )
    assert found["fingerprint"] == own.fingerprint
    assert found["passed"]
    assert found["expectations"] == [{"variant": "base", "expected": "availability >= 99%", "passed": True}]
    assert "response p99" in found["text"]


@pytest.mark.long
def test_one_session_checks_compares_explains_and_asks_for_the_language(folder):
    async def talk(client):
        asked = (
            ("check", {}),
            ("compare", {"replications": 2}),
            ("explain", {"replications": 1}),
            ("capacity", {"replications": 1, "variants": ["base"]}),
        )
        found = {tool: await client.call_tool(tool, {"scenario": "shop.yaml", **more}) for tool, more in asked}
        return {
            **found,
            "schema": await client.call_tool("schema", {}),
            "part": await client.call_tool("schema", {"part": "Retry"}),
        }

    found = {tool: result.structured_content for tool, result in served(folder, talk).items()}
    assert found["check"]["variants"] == ["base", "slow"]
    assert not found["compare"]["passed"] or "slow" in found["compare"]["text"]
    assert "shop" in found["explain"]["text"]
    assert found["capacity"]["capacities"]["base"]["rate_per_second"] > 20
    assert "Retry" in found["schema"]["parts"]
    assert found["part"]["definition"]["properties"]["max_attempts"]["default"] == 3
    assert "max_attempts" in found["part"]["example"]
    assert found["part"]["example_is_on_top_of"].startswith("# A shop")


def asked(folder, tool, *calls):
    """The results of several calls in one session."""

    async def talk(client):
        return [await client.call_tool(tool, arguments) for arguments in calls]

    return served(folder, talk)


@pytest.mark.long
def test_nothing_outside_of_the_folder_is_read(folder):
    names = ("../secret.yaml", "link.yaml", "/etc/hostname")
    for found in asked(folder, "check", *({"scenario": name} for name in names)):
        assert found.is_error
        assert "lies outside" in words(found)
        assert "shoppers" not in words(found)


@pytest.mark.long
def test_errors_are_ours_in_words(folder):
    told = {
        "did you mean 'shop.yaml'": {"scenario": "shpo.yaml"},
        "did you mean 'slow'": {"scenario": "shop.yaml", "variant": "slwo"},
        "did you mean 'workers'": {"scenario": "shop.yaml", "settings": ["services.shop.wokers=2"]},
        "expected 1 to 100": {"scenario": "shop.yaml", "replications": 1000},
    }
    for said, found in zip(told, asked(folder, "run", *told.values()), strict=True):
        assert found.is_error
        assert said in words(found)
        assert "Traceback" not in words(found)


@pytest.mark.long
def test_more_work_than_allowed_is_refused_before_it_begins(folder):
    """20 requests/s for 10 h, one attempt each: 720,000."""
    (folder / "long.yaml").write_text(LONG)
    began = time.monotonic()
    found = called(folder, "run", "--max-attempts", "500000", scenario="long.yaml", replications=1)
    assert found.is_error
    assert "about 720,000 attempts" in words(found)
    assert time.monotonic() - began < 30


@pytest.mark.long
def test_more_memory_than_allowed_is_refused_on_paper(folder):
    (folder / "rows.yaml").write_text(LONG.replace("record: summary\n", ""))
    found = called(folder, "run", "--max-memory", "50MB", scenario="rows.yaml", replications=1)
    assert found.is_error
    assert "max_memory" in words(found) or "memory" in words(found)


@pytest.mark.long
def test_a_call_that_takes_too_long_is_ended_with_its_process_and_the_next_one_answered(folder):
    (folder / "long.yaml").write_text(LONG)

    async def talk(client):
        slow = await client.call_tool("run", {"scenario": "long.yaml", "replications": 100})
        left = [
            its for its in psutil.Process().children(recursive=True) if "sim.assisting.task" in " ".join(its.cmdline())
        ]
        return slow, left, await client.call_tool("schema", {"part": "Retry"})

    slow, left, after = served(folder, talk, "--max-time", "4s", "--max-attempts", "1000000000")
    assert slow.is_error
    assert "no end after 4s" in words(slow)
    assert left == []
    assert not after.is_error


@pytest.mark.long
def test_calls_at_once_wait_for_their_turn(folder):
    async def talk(client):
        found = {}

        async def ask(part):
            found[part] = await client.call_tool("schema", {"part": part})

        async with anyio.create_task_group() as group:
            for part in ("Retry", "Queue", "Route"):
                group.start_soon(ask, part)
        return found

    found = served(folder, talk)
    assert {part: result.structured_content["part"] for part, result in found.items()} == {
        part: part for part in ("Retry", "Queue", "Route")
    }


@pytest.mark.long
def test_nothing_is_written_into_the_folder(folder):
    before = sorted(folder.iterdir())
    called(folder, "compare", scenario="shop.yaml", replications=1)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--confine", "nowhere"], "no such directory"), (["--max-time", "0s"], "expected more than 0")],
)
def test_wrong_bounds_are_told(options, said, capsys):
    assert answer(["mcp", *options]) == 2
    assert said in capsys.readouterr().err
