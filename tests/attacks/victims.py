"""A `sim` command as a process in a session of its own, which can be ended in any way, and what is left of it afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sim.experiments.running.journal import _entries_of

REPOSITORY = Path(__file__).resolve().parents[2]

SHOP = """\
version: 1
name: shop
duration: {duration}
warmup: 1s
seed: 5
traffic:
  guests: {{sends: till.pay, arrivals: {{poisson: 60/s}}, timeout: 500ms, retry: {{max_attempts: 2, backoff: {{constant: 0s}}, on: [timeout]}}}}
services:
  till: {{workers: 1, endpoints: {{pay: [{{work: {{exponential: 10ms}}}}]}}}}
expect: ["p99(response) < 400ms"]
faults: [{{name: stuck, at: 3s, for: 2s, outage: till, how: hang}}]
variants: {{one: {{}}, two: {{services: {{till: {{workers: 2}}}}}}}}
"""

SIM = [sys.executable, "-m", "sim"]
EAGER_SIM = [
    sys.executable,
    "-c",
    "from sim.experiments.running import journal; journal.SOON = 0.0; from sim.cli import main; main()",
]
"""A command that writes every run down at once: what a test finds in the journal must not hang on how fast the machine is."""

NOBODY = 65534
_CAPABILITIES = "-all,+dac_read_search"  # to read an interpreter that lies in root's home; nothing may be written by it
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
AS_NOBODY += [f"--{of}={_CAPABILITIES}" for of in ("inh-caps", "ambient-caps", "bounding-set")]


def why_not_nobody() -> str:
    """Why nothing can be run as another user; empty where it can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "is not root already: all other tests run as such a user"
    if shutil.which("setpriv") is None:
        return "needs setpriv"
    tried = subprocess.run([*AS_NOBODY, sys.executable, "-c", ""], capture_output=True, text=True, check=False)
    return f"setpriv: {tried.stderr.strip()}" if tried.returncode else ""


class Victim:
    """One command under way. As a context, it is certain to be gone at the end, with all that it has started."""

    def __init__(
        self, arguments: list[str], folder: Path, nobody: bool = False, sim: list[str] = SIM, **environment: str
    ) -> None:
        """`nobody`: as another user, to whom the folder is given, where this one is root."""
        self.folder = folder
        if nobody:
            (folder / "home").mkdir(exist_ok=True)
            for place in (folder, folder / "home"):
                os.chown(place, NOBODY, NOBODY)
        self.errors = folder / "stderr.txt"
        with self.errors.open("wb") as errors, (folder / "stdout.txt").open("wb") as out:
            self.process = subprocess.Popen(
                [*(AS_NOBODY if nobody else ()), *sim, *arguments],
                cwd=folder,
                stdout=out,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={
                    **os.environ,
                    "PYTHONPATH": str(REPOSITORY),
                    "SIM_CACHE": str(folder / "cache"),
                    **({"HOME": str(folder / "home")} if nobody else {}),
                    **environment,
                },
            )

    def __enter__(self) -> Victim:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.relatives():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    def relatives(self) -> list[int]:
        """The living processes of its session, itself among them."""
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _session(path) == self.process.pid]

    def until(self, reached: Callable[[], object], patience: float = 60.0) -> bool:
        """Wait until something is reached; False where the command has ended before."""
        waited = time.monotonic()
        while not reached():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() - waited < patience, self.said()
            time.sleep(0.02)
        return True

    def ended(self, patience: float = 20.0) -> int:
        """The exit code, once it has ended and everybody that it started is gone too."""
        code = self.process.wait(patience)
        waited = time.monotonic()
        while self.relatives() and time.monotonic() - waited < 5.0:
            time.sleep(0.05)
        assert self.relatives() == [], "orphans"
        return code

    def said(self) -> str:
        """What stood on stderr."""
        return self.errors.read_text(errors="replace")

    def kept(self) -> list[str]:
        """The keys of the runs that the journal holds, as often as it holds them."""
        return [
            key
            for path in sorted((self.folder / "cache" / "journal").glob("*.journal"))
            for key, _ in _entries_of(path)
        ]


def _session(process: Path) -> int | None:
    """The session of a process of /proc; None where it is gone, or dead and only waits to be asked for its exit code."""
    try:
        state, _, _, session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(session)
