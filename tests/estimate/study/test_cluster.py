"""The cluster: a real scheduler and real workers on loopback, and one of them killed."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catallax.errors import CatallaxError
from catallax.estimate.study import (
    ClusterError,
    Study,
    StudyError,
    compute_cell,
    load_results,
    run_study,
    study_of_text,
)
from catallax.estimate.study import cluster as cluster_module
from tests.estimate.study import fake
from tests.estimate.study.conftest import Log
from tests.estimate.study.test_runner import whole

pytest.importorskip("distributed", reason="dask.distributed is not installed")

from tests.estimate.study.cluster_processes import Scheduler, Worker


class Cluster:
    """A scheduler with two workers, which are replaced when they are gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The workers' own log, as this process tells its environment to nobody.
        self.log = folder / "log"
        self.scheduler = Scheduler(folder)
        self.workers: list[Worker] = []

    def complete(self) -> None:
        if self.scheduler.process.poll() is not None:
            self.stop()
            self.scheduler = Scheduler(self.folder)
        self.workers = [each for each in self.workers if each.process.poll() is None]
        while len(self.workers) < 2:
            # One with two threads: what cells share must bear that.
            threads = 2 - len(self.workers)
            log = {fake.LOG: str(self.log)}
            self.workers.append(Worker(self.scheduler, self.folder, threads, **log))

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def cluster(processes: Cluster) -> Cluster:
    processes.complete()
    for name in ("log", "waiting", "died"):
        (processes.folder / name).unlink(missing_ok=True)
    return processes


@pytest.fixture
def expected(study: Study, tmp_path: Path) -> dict[str, bytes]:
    run_study(study, tmp_path / "here", workers=1, compute=fake.record_of)
    return whole(tmp_path / "here")


def test_a_cluster_gives_the_same_bytes(
    study: Study, tmp_path: Path, cluster: Cluster, expected: dict[str, bytes]
) -> None:
    run_study(study, tmp_path / "there", cluster=cluster.scheduler.address, compute=fake.record_of)
    assert whole(tmp_path / "there") == expected
    log = Log(cluster.log)
    assert set(log.computed.values()) == {1} and len(log.computed) == fake.CELLS
    assert log.processes <= {worker.pid for worker in cluster.workers}


REAL = """
[study]
name = "real"
samples = 300
seeds = [1, 2]
mechanisms = ["gsom", "random-offerer", "mcafee"]

[[priors]]
name = "uniform"
buyers = "uniform(0, 1)"
sellers = "beta(2, 1)"

[[markets]]
instance = "bilateral-uniform"

[[markets]]
graph = "sparse-random"
sizes = [5]
degree = 2
"""


def test_real_cells_are_the_same_bytes_everywhere(tmp_path: Path, cluster: Cluster) -> None:
    study = study_of_text(REAL, tmp_path / "real.toml")
    run_study(study, tmp_path / "one", workers=1, compute=compute_cell)
    run_study(study, tmp_path / "two", workers=2)
    run_study(study, tmp_path / "cluster", cluster=cluster.scheduler.address)
    one = whole(tmp_path / "one")
    assert whole(tmp_path / "two") == one
    assert whole(tmp_path / "cluster") == one
    assert load_results(study, tmp_path / "cluster").finished == study.size == 12


def when_waiting(folder: Path, act: Any) -> threading.Thread:
    """Act on the process that says it waits in the middle of a cell, as soon as it does."""
    mark = folder / "waiting"

    def watch() -> None:
        while not (mark.exists() and mark.read_text().endswith("\n")):
            pass
        act(int(mark.read_text()))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_a_worker_killed_in_the_middle_costs_time_only(
    study: Study, tmp_path: Path, cluster: Cluster, expected: dict[str, bytes]
) -> None:
    killed: list[int] = []

    def kill(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)

    thread = when_waiting(cluster.folder, kill)
    run_study(study, tmp_path / "there", cluster=cluster.scheduler.address, compute=fake.waits_once)
    thread.join()
    (victim,) = killed
    assert victim in {worker.pid for worker in cluster.workers}
    assert whole(tmp_path / "there") == expected
    log = Log(cluster.log)
    # Whatever the dead worker had in hand was done by the other one.
    assert len(log.computed) == fake.CELLS


def test_cells_that_fail_there_stop_no_other(
    study: Study, tmp_path: Path, cluster: Cluster
) -> None:
    with pytest.raises(StudyError, match=r"12 of 36 cells failed.*ZeroDivisionError: made up"):
        run_study(study, cluster=cluster.scheduler.address, compute=fake.fails_for_gbom)
    assert load_results(study).finished == fake.CELLS - 12


def test_a_worker_with_other_code_is_refused(
    study: Study, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catallax.estimate.study.cells.code_fingerprint", lambda: "other")
    with pytest.raises(CatallaxError, match=r"other code or libraries.*catallax.*numpy"):
        run_study(study, cluster=cluster.scheduler.address, compute=fake.record_of)
    assert load_results(study).finished == 0


def only_here(cell: Any) -> Any:
    return fake.record_of(cell)


def test_workers_that_cannot_import_what_to_run_are_an_error(
    study: Study, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if this process had a catallax with a module that the workers' has not.
    monkeypatch.setattr(only_here, "__module__", "catallax.estimate.study.of_tomorrow")
    module = type(os)("catallax.estimate.study.of_tomorrow")
    module.only_here = only_here
    monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
    with pytest.raises(ClusterError, match=r"cannot run a cell.*install the same catallax"):
        run_study(study, cluster=cluster.scheduler.address, compute=only_here)


def test_the_address_of_a_worker_is_told_apart(study: Study, cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="is the address of a worker: name the scheduler's"):
        run_study(study, cluster=cluster.workers[0].address, compute=fake.record_of)


def test_a_cell_that_kills_worker_after_worker_stops_no_other() -> None:
    from distributed.scheduler import KilledWorker

    class Future:
        status = "error"

        def exception(self) -> Exception:
            return KilledWorker("cell", None, 3)

    failure = cluster_module._result(Future()).failure
    assert failure is not None and "its workers died one after the other" in failure.reason


def test_a_scheduler_that_goes_away_is_an_error_and_nothing_is_lost(
    study: Study, tmp_path: Path, cluster: Cluster, expected: dict[str, bytes]
) -> None:
    address = cluster.scheduler.address
    thread = when_waiting(cluster.folder, lambda pid: cluster.scheduler.kill())
    with pytest.raises(ClusterError, match=r"has gone.*what is finished is kept"):
        run_study(study, tmp_path / "there", cluster=address, compute=fake.waits_once)
    thread.join()
    finished = load_results(study, tmp_path / "there").finished
    done = run_study(study, tmp_path / "there", workers=1, compute=fake.record_of)
    assert (done.reused, whole(tmp_path / "there")) == (finished, expected)


# ---------------------------------------------------------------------------- where nobody answers


def test_both_waits_together_end_within_ten_seconds() -> None:
    assert 2 * cluster_module._PATIENCE < 10


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_PATIENCE", 0.3)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of somebody who takes calls and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(5)
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.usefixtures("impatient")
def test_who_says_nothing_is_no_scheduler(study: Study, silent: str) -> None:
    with pytest.raises(ClusterError, match=f"no scheduler answers at {silent} .nothing within"):
        run_study(study, cluster=silent, compute=fake.record_of)
    assert not study.path.with_name("small.results").exists()


@pytest.mark.usefixtures("impatient")
def test_a_closed_port_is_no_scheduler(study: Study) -> None:
    with socket.socket() as bound:
        # Bound and not listening: nobody else gets this port meanwhile.
        bound.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"no scheduler answers at {address}"):
            run_study(study, cluster=address, compute=fake.record_of)


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "http://localhost:80", "tls://a:1"])
def test_what_is_no_address_is_told(study: Study, address: str) -> None:
    with pytest.raises(ClusterError, match=f"no scheduler answers at {address} .*tcp://10.0.0.7"):
        run_study(study, cluster=address, compute=fake.record_of)


def test_without_the_extra_its_name_is_told(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(CatallaxError, match=r"-m pip install distributed$"):
        run_study(study, cluster="tcp://127.0.0.1:1", compute=fake.record_of)
