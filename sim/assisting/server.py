"""The server: tools of the Model Context Protocol over stdio, by the official SDK. It simulates nothing itself: every
call is a process (`task.py`).

One call runs at a time, so that ten at once take no more than one; a call that takes too long, or that its client gives
up, is ended with all its workers.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from sim.assisting.bounds import Bounds
from sim.errors import UsageError
from sim.files import json_of
from sim.units import show_duration

if TYPE_CHECKING:
    from anyio.abc import Process
    from mcp.server import MCPServer

_LARGEST = 64 * 2**20  # bytes of memory for an answer
_GRACE = 3.0  # s that a process has to end by itself
_ABOUT = """Simulates microservices under load and harm. A scenario is a YAML file in the folder of this server,
or the name of a shipped one (payment-outage, retry-storm ...). Write a file, `check` it, then `run` or `compare` its
variants; `schema` tells the language, part by part. Settings are PATH=VALUE on top of the file:
services.payments.replicas=2."""


def serve(bounds: Bounds) -> None:
    """Answer on stdio until the client has gone."""
    try:
        server = server_for(bounds)
    except ImportError:
        raise UsageError(
            "sim mcp needs the SDK of the protocol, which is not installed: pip install 'sim-microservices[mcp]'"
        ) from None
    server.run("stdio")


def server_for(bounds: Bounds) -> MCPServer[Any]:
    """The server with its tools."""
    from mcp.server import MCPServer

    server: MCPServer[Any] = MCPServer("sim", instructions=_ABOUT, log_level="WARNING")
    tools = _Tools(bounds)
    for tool in (tools.check, tools.run, tools.compare, tools.capacity, tools.explain, tools.schema):
        server.tool()(tool)
    return server


class _Tools:
    """What an assistant may ask; names, arguments and sentences of these are what it is told."""

    def __init__(self, bounds: Bounds) -> None:
        import anyio

        self._bounds, self._turn = bounds, anyio.Lock()

    async def check(self, scenario: str, settings: list[str] = []) -> dict[str, Any]:  # noqa: B006 - read by the SDK, never changed
        """Everything wrong with a scenario, with file and line; then, without simulating, the load on every station and
        what is unwise.
        """
        return await self._ask("check", scenario=scenario, settings=settings)

    async def run(
        self,
        scenario: str,
        variant: str | None = None,
        settings: list[str] = [],  # noqa: B006
        replications: int = 3,
    ) -> dict[str, Any]:
        """Simulate one variant (the first unless named): latencies, availability, outcomes, orders, utilisation, with
        95 % intervals.
        """
        return await self._ask("run", scenario=scenario, variant=variant, settings=settings, replications=replications)

    async def compare(
        self,
        scenario: str,
        variants: list[str] | None = None,
        settings: list[str] = [],  # noqa: B006
        replications: int = 3,
    ) -> dict[str, Any]:
        """Simulate all variants, or those named, on the same luck, and tell what differs significantly (*) from the
        first.
        """
        return await self._ask(
            "compare", scenario=scenario, variants=variants, settings=settings, replications=replications
        )

    async def capacity(
        self,
        scenario: str,
        variants: list[str] | None = None,
        settings: list[str] = [],  # noqa: B006
        replications: int = 3,
    ) -> dict[str, Any]:
        """The highest load at which every expectation of the scenario holds, per variant, and which one
        breaks first.
        """
        return await self._ask(
            "capacity", scenario=scenario, variants=variants, settings=settings, replications=replications
        )

    async def explain(
        self,
        scenario: str,
        variants: list[str] | None = None,
        settings: list[str] = [],  # noqa: B006
        replications: int = 2,
    ) -> dict[str, Any]:
        """Where the time of typical and slow requests went (queue, work, network, retries), and which station is full
        first.
        """
        return await self._ask(
            "explain", scenario=scenario, variants=variants, settings=settings, replications=replications
        )

    async def schema(self, part: str | None = None) -> dict[str, Any]:
        """The scenario language as JSON Schema: its top and the names of all parts, or one part (Service, Retry, Route,
        step, distribution ...).
        """
        return await self._ask("schema", part=part)

    async def _ask(self, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a tool takes
        async with self._turn:
            return await _performed(self._bounds, {"tool": tool, **arguments})


async def _performed(bounds: Bounds, request: dict[str, Any]) -> dict[str, Any]:
    """The answer of a process; a ToolError with our words where there is none."""
    import anyio
    from mcp.server.mcpserver.exceptions import ToolError

    its = {"seconds": bounds.seconds, "memory": bounds.memory, "attempts": bounds.attempts, "plugins": bounds.plugins}
    asked = json.dumps({**request, "bounds": its, "bounds_folder": str(bounds.folder)}).encode()
    command = [sys.executable, "-m", "sim.assisting.task"]
    process = await anyio.open_process(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        with anyio.fail_after(bounds.seconds):
            told = await _conversation(process, asked)
    except TimeoutError:
        few = "fewer replications or variants, a shorter duration, or another --max-time of the server"
        raise ToolError(f"found no end after {show_duration(bounds.seconds)}, expected one: {few}") from None
    finally:
        with anyio.CancelScope(shield=True):
            await _ended(process)
    try:
        answer: dict[str, Any] = json_of(told, _LARGEST)
    except ValueError:
        raise ToolError(
            f"the run broke off with exit code {process.returncode}: most likely more memory than --max-memory allows"
        ) from None
    if "error" in answer:
        raise ToolError(answer["error"])
    found: dict[str, Any] = answer["answer"]
    return found


async def _conversation(process: Process, asked: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:  # both are pipes
        return b""
    await process.stdin.send(asked)
    await process.stdin.aclose()
    return b"".join([piece async for piece in process.stdout])


async def _ended(process: Process) -> None:
    """Nobody of its session goes on: asked first, so that workers are told, then ended."""
    import anyio

    for number, patience in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _GRACE)):
        if process.returncode is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with anyio.move_on_after(patience):
            await process.wait()
    await process.aclose()
