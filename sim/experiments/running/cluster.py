"""Jobs on a Dask cluster: each travels as a JSON document with the text of its plug-ins, and comes back as Arrow.

A worker that is lost costs what it was doing: the scheduler gives its jobs to others, and a job that was finished twice
is settled once. Every worker says what it computes with before its first job, and with each of them, since workers may
join later.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim import errors
from sim.errors import RunError, SimError, UsageError
from sim.experiments.running.archive import TROUBLE
from sim.experiments.running.decoding import decoded
from sim.experiments.running.identity import identity
from sim.experiments.running.jobs import Perform
from sim.experiments.running.ledger import Failure, Ledger, guarded
from sim.experiments.running.packing import pack_job, pack_result, unpack_job, unpack_result
from sim.files import json_of

if TYPE_CHECKING:
    from distributed import Client, Future

_AHEAD = 3  # jobs in the queue of each worker thread
_CONNECT = 10.0  # s to reach the scheduler
_POLL = 0.02  # s
_LOOK = 2.0  # s between two counts of the workers
_PATIENCE = 60.0  # s to wait for a worker where there is none
_LARGEST_FAILURE = 64 * 2**20  # bytes
# errors of ours that are made of one message
_MADE_OF_WORDS = {"RunError", "BooksDoNotBalance", "UsageError", "PluginError"}


class ClusterCrew:
    """The workers of a Dask scheduler."""

    def __init__(self, address: str, perform: Perform) -> None:
        self._address, self._perform = address, perform
        self._client = _connected(address)
        self._number = 0
        try:
            self._threads = self._awaited()
            self._refuse_strangers()
        except BaseException:
            self._client.close()
            raise

    def work(self, ledger: Ledger, missing: Sequence[int]) -> None:
        """Keep a few jobs for each thread at the scheduler, and settle them as they come back."""
        from distributed import as_completed

        self._number += 1
        left, running = deque(missing), dict[str, int]()
        ready = as_completed(loop=self._client.loop, with_results=False)
        looked = time.monotonic()
        while left or running:
            while left and len(running) < self._threads * _AHEAD:
                index = left.popleft()
                future = self._submit(ledger, index)
                running[future.key] = index
                ready.add(future)
            while not ready.has_ready():
                time.sleep(_POLL)
                if time.monotonic() - looked > _LOOK:
                    self._look(ledger)
                    looked = time.monotonic()
                ledger.tell()
            for future in ready.next_batch(block=False):
                ledger.settle(running.pop(future.key), self._answer(future, ledger))
                future.release()

    def close(self, at_once: bool) -> None:
        """Leave the workers to others; what was not fetched is given up."""
        del at_once
        self._client.close(timeout=2)

    def _submit(self, ledger: Ledger, index: int) -> Future[Any]:
        text = pack_job(ledger.jobs[index], with_plugins=True)
        key = f"sim-{self._client.id}-{self._number}-{index}"
        return self._client.submit(on_worker, text, identity(), self._perform, key=key, pure=False)

    def _answer(self, future: Future[Any], ledger: Ledger) -> Any:  # noqa: ANN401 - a JobResult or a Failure
        if future.status in ("cancelled", "lost"):
            raise RunError(f"cluster {self._address}: the scheduler is gone: {_so_far(ledger)}")
        if future.status == "error":
            error = future.exception()
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            what = (
                "its workers died again and again, for want of memory perhaps"
                if type(error).__name__ == "KilledWorker"
                else said
            )
            return Failure(None, what, str(error))
        return opened(self._fetched(future, ledger))

    def _fetched(self, future: Future[Any], ledger: Ledger) -> Any:  # noqa: ANN401 - what `on_worker` gave
        """The result.

        A worker that dies while it hands one over is replaced by another, which makes it again; a dead scheduler is the
        end.
        """
        waited = time.monotonic()
        while True:
            try:
                return future.result(timeout=_PATIENCE)
            except (OSError, TimeoutError, CancelledError):  # a closed connection is an OSError
                stuck = future.status == "finished" and time.monotonic() - waited > _PATIENCE
                if stuck or self._client.status != "running" or future.status in ("cancelled", "lost"):
                    raise RunError(f"cluster {self._address}: the scheduler is gone: {_so_far(ledger)}") from None
                time.sleep(_POLL)

    def _look(self, ledger: Ledger) -> None:
        """Workers come and go; without any, wait a while."""
        if self._client.status != "running":
            raise RunError(f"cluster {self._address}: the scheduler is gone: {_so_far(ledger)}")
        self._threads = self._counted() or self._awaited(ledger)

    def _counted(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except (OSError, TimeoutError):
            return 0

    def _awaited(self, ledger: Ledger | None = None) -> int:
        """The threads of the workers, once there are any."""
        waited = time.monotonic()
        while not (threads := self._counted()):
            if time.monotonic() - waited > _PATIENCE:
                raise RunError(
                    f"cluster {self._address}: no worker for {_PATIENCE:.0f} "
                    f"s{f': {_so_far(ledger)}' if ledger is not None else ''}"
                )
            time.sleep(0.2)
        return threads

    def _refuse_strangers(self) -> None:
        """Before the first job: all workers compute what we would compute."""
        try:
            found = self._client.run(identity, on_error="return")
        except (OSError, TimeoutError, ImportError, AttributeError) as error:
            raise UsageError(
                f"cluster {self._address}: its workers could not be asked for their version: {error}"
            ) from None
        for worker, answer in found.items():
            if isinstance(answer, Exception):
                raise UsageError(
                    f"cluster {self._address}: worker {worker} has no sim of this version: {type(answer).__name__}: "
                    f"{answer}"
                )
            if answer != identity():
                raise UsageError(_unlike(f"cluster {self._address}: worker {worker}", answer, identity()))


def on_worker(text: str, expected: str, perform: Perform) -> tuple[str, bytes]:
    """What a worker does: check that it is the same program, run the job, and give the result as Arrow, or the failure
    as JSON.
    """
    try:
        if identity() != expected:
            raise UsageError(_unlike("a worker that joined the cluster", identity(), expected))
        answer = guarded(perform, unpack_job(text), lambda _now: None)
    except Exception as error:  # reading the job can fail as well as running it
        answer = Failure(
            error if isinstance(error, SimError) else None, f"{type(error).__name__}: {error}", traceback.format_exc()
        )
    if not isinstance(answer, Failure):
        return "result", pack_result(answer)
    kind = type(answer.error).__name__ if answer.error is not None else ""
    return "failure", json.dumps(
        {"kind": kind, "said": str(answer.error or ""), "summary": answer.summary, "trace": answer.trace}
    ).encode()


def opened(answer: tuple[str, bytes]) -> Any:  # noqa: ANN401 - a JobResult or a Failure
    """What `on_worker` gave, as a value."""
    kind, content = answer
    try:
        if kind == "result":
            return unpack_result(content)
        told: _Told = decoded(_Told, json_of(content, _LARGEST_FAILURE), "failure")
    except TROUBLE as trouble:
        return Failure(None, f"a worker sent what is no result: {trouble}", "")
    error: SimError | None = getattr(errors, told.kind)(told.said) if told.kind in _MADE_OF_WORDS else None
    return Failure(error, told.summary, told.trace)


@dataclass(frozen=True)
class _Told:
    """What a worker says of a failure."""

    kind: str  # class of an error of ours
    said: str
    summary: str
    trace: str


def _connected(address: str) -> Client:
    try:
        import distributed
    except ImportError:
        raise UsageError(
            "--cluster needs Dask, which is not installed: pip install 'sim-microservices[cluster]'"
        ) from None
    # what goes wrong is told here, in one line; Dask would add tracebacks
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        return distributed.Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:  # the last: tls:// without certificates
        raise UsageError(
            f"cluster {address}: cannot be reached, expected a Dask scheduler such as tcp://10.0.0.5:8786 "
            f"({_first_line(error)})"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _unlike(who: str, found: str, expected: str) -> str:
    return (
        f"{who} would not give the same results: it has {found}; expected {expected}; install the same version "
        "everywhere"
    )


def _so_far(ledger: Ledger) -> str:
    return f"{ledger.done} of {len(ledger.jobs)} runs were finished{ledger.kept}"
