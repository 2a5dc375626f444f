"""Dask: a real scheduler and two workers on loopback, one of them killed in the middle, and nothing lost."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sim.errors import PluginError, RunError, UsageError
from sim.experiments.running import cluster
from sim.experiments.running.identity import identity
from sim.experiments.running.jobs import Job
from sim.experiments.running.ledger import Failure
from sim.experiments.running.packing import pack_job
from sim.spec import load
from tests.experiments import fakes
from tests.experiments.fakes import collect

ROOT = Path(__file__).resolve().parents[3]


def jobs(count: int, text: str = fakes.SHOP) -> list[Job]:
    document = json.dumps(fakes.shop(text).document)
    return [
        Job(document, (), variant, 7, replication, keep_records=replication == 0)
        for variant in ("one", "two")
        for replication in range(count)
    ]


@contextlib.contextmanager
def cluster_of_two(folder: Path, options: Sequence[str] = (), **environment: str):
    """The address of a scheduler on loopback, and as processes itself and its two workers."""
    pytest.importorskip("distributed")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}", **environment}
    loopback = ["--host", "127.0.0.1", "--no-dashboard", *options]
    command = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        *loopback,
        "--port",
        "0",
        "--scheduler-file",
        str(folder / "address.json"),
    ]
    processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)]
    try:
        for _ in range(300):
            if (folder / "address.json").is_file():
                break
            time.sleep(0.1)
        address = json.loads((folder / "address.json").read_text())["address"]
        worker = [
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            address,
            *loopback,
            "--nthreads",
            "1",
            "--no-nanny",
            "--local-directory",
            str(folder),
        ]
        processes += [subprocess.Popen(worker, stderr=subprocess.DEVNULL, env=environment) for _ in range(2)]
        yield address, processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    with cluster_of_two(tmp_path_factory.mktemp("dask")) as started:
        yield started


@pytest.mark.long
def test_a_worker_that_is_killed_loses_nothing_and_fingerprints_are_those_of_this_machine(dask):
    address, (_, *workers) = dask
    work = jobs(6, fakes.SHOP.replace("duration: 20s", "duration: 200s"))
    killed: list[int] = []

    def kill_one(done: int, _total: int, _simulated: float) -> None:
        if done >= 2 and not killed:
            killed.append(done)
            workers[0].kill()

    far = collect(work, cluster=address, progress=kill_one)
    assert killed
    assert killed[0] < len(work)
    assert workers[0].wait() != 0
    near = collect(work, workers=2)
    assert [result.fingerprint for result in far] == [result.fingerprint for result in near]
    assert [result.metrics.keys() for result in far] == [result.metrics.keys() for result in near]
    assert far[0].records.fingerprint() == near[0].records.fingerprint()


@pytest.mark.long
def test_a_worker_of_another_version_is_refused(dask, monkeypatch):
    address, _ = dask
    monkeypatch.setattr(cluster, "identity", _another)
    monkeypatch.setenv("SIM_TEST_HERE", "1")
    with pytest.raises(UsageError, match="would not give the same results: it has sim 9"):
        collect(jobs(1), cluster=address)


@pytest.mark.long
def test_a_scheduler_that_goes_away_is_told_in_one_line(dask, capfd, monkeypatch):
    """The last of these tests: nobody is left afterwards."""
    monkeypatch.setattr(cluster, "_PATIENCE", 5.0)
    address, (scheduler, *_) = dask

    def kill_it(done: int, _total: int, _simulated: float) -> None:
        if done >= 2:
            scheduler.kill()

    with pytest.raises(RunError, match=r"of 40 runs were finished"):
        collect(jobs(20, fakes.SHOP.replace("duration: 20s", "duration: 200s")), cluster=address, progress=kill_it)
    assert "Traceback" not in capfd.readouterr().err


CACHED = """version: 1
duration: 20s
plugins: [cache.py]
traffic: {u: {sends: a.x, arrivals: {poisson: 20/s}, users: {count: 50}}}
services:
  a: {workers: 4, endpoints: {x: [{cached_call: b.x, per: user, ttl: 60s, entries: 20, lookup: 0.2ms}]}}
  b: {workers: 4, endpoints: {x: [{work: 5ms}]}}
"""


@pytest.mark.long
def test_a_prepared_folder_in_the_shared_temporary_directory_runs_nothing(tmp_path):
    """Whoever guesses where the text of a plug-in would be put has put another one there, in all forms that were ever used."""
    shared, home = tmp_path / "shared", tmp_path / "home"
    shared.mkdir()
    home.mkdir()
    text = (ROOT / "scenarios" / "cache.py").read_text()
    (home / "cache.py").write_text(text)
    (home / "cached.yaml").write_text(CACHED)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    for folder in (f"sim-plugins-{getpass.getuser()}-{digest}", f"plug-in {digest}"):
        (shared / folder).mkdir()
        (shared / folder / "cache.py").write_text(f"open({str(tmp_path / 'owned')!r}, 'w').close()\n" + text)
    study = load(home / "cached.yaml", plugins=[home / "cache.py"])
    work = [Job(json.dumps(study.document), study.plugins, next(iter(study.variants)), 7, k) for k in range(2)]
    near = collect(work, workers=1)
    before = sorted(path.name for path in shared.iterdir())
    (tmp_path / "dask").mkdir()
    with cluster_of_two(tmp_path / "dask", TMPDIR=str(shared)) as (address, _):
        far = collect(work, cluster=address)
    assert [result.fingerprint for result in far] == [result.fingerprint for result in near]
    assert not (tmp_path / "owned").exists()
    assert sorted(path.name for path in shared.iterdir() if path.name.startswith(("sim", "plug"))) == sorted(before)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_workers_behind_tls_take_jobs_from_who_has_the_certificate_and_from_nobody_else(tmp_path, monkeypatch):
    dask = pytest.importorskip("dask")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=sim",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(["openssl", *made], check=True, capture_output=True)
    options = [
        "--tls-ca-file",
        str(certificate),
        "--tls-cert",
        str(certificate),
        "--tls-key",
        str(key),
        "--protocol",
        "tls",
    ]
    ours = {"ca-file": str(certificate), "client.cert": str(certificate), "client.key": str(key)}
    with cluster_of_two(tmp_path, options) as (address, _):
        assert address.startswith("tls://")
        monkeypatch.setattr(cluster, "_CONNECT", 2.0)
        with pytest.raises(UsageError, match="cannot be reached"):
            collect(jobs(1), cluster=address)
        monkeypatch.setattr(cluster, "_CONNECT", 10.0)
        with dask.config.set({f"distributed.comm.tls.{name}": value for name, value in ours.items()}):
            far = collect(jobs(1), cluster=address)
    assert [result.fingerprint for result in far] == [result.fingerprint for result in collect(jobs(1), workers=1)]


def _another() -> str:
    """One answer in this process, another on the workers, which have been started before."""
    return "sim 8" if os.environ.get("SIM_TEST_HERE") else "sim 9"


def test_a_job_and_its_failure_travel_as_documents():
    kind, content = cluster.on_worker(pack_job(jobs(1)[0]), identity(), fakes.fails)
    assert (kind, cluster.opened((kind, content)).fingerprint) == ("result", "one0")
    failed = cluster.opened(cluster.on_worker(pack_job(jobs(2)[1]), identity(), fakes.fails))
    assert isinstance(failed, Failure)
    assert failed.summary == "KeyError: 'no such thing'"
    assert "fakes.py" in failed.trace
    balance = cluster.opened(cluster.on_worker(pack_job(jobs(2)[1]), identity(), fakes.unbalanced))
    assert type(balance.error).__name__ == "BooksDoNotBalance"
    assert isinstance(balance.error, RunError)
    stranger = cluster.opened(cluster.on_worker(pack_job(jobs(1)[0]), "sim 9", fakes.quick))
    assert "install the same version everywhere" in str(stranger.error)
    unread = cluster.opened(cluster.on_worker("{}", identity(), fakes.quick))
    assert unread.summary.startswith("KeyError")
    assert issubclass(PluginError, UsageError)


def test_a_scheduler_that_is_not_there_is_an_error(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "_CONNECT", 0.5)
    with pytest.raises(UsageError, match=r"cluster tcp://127\.0\.0\.1:1: cannot be reached"):
        collect(jobs(1), cluster="tcp://127.0.0.1:1")
    with pytest.raises(UsageError, match="found both jobs and cluster"):
        collect(jobs(1), workers=2, cluster="tcp://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'sim-microservices\[cluster\]'"):
        collect(jobs(1), cluster="tcp://127.0.0.1:1")
