"""A real scheduler and real workers of dask on this machine, as processes of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
# No configuration of the machine's, and no dashboard to find a port for.
QUIET = {"DASK_CONFIG": os.devnull, "DASK_DISTRIBUTED__DASHBOARD__LINK": ""}


class Process:
    """A process that says on standard error when it is ready; killed in the end."""

    def __init__(self, module: str, *arguments: str, ready: str, folder: Path, **more: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        environment = {**os.environ, **ENVIRONMENT, **QUIET, **more}
        # To a file and not to a pipe, which would fill up and stop it.
        self.log = folder / f"{module}-{id(self)}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT
            )
        self.said = self._wait(ready)

    def _wait(self, pattern: str) -> str:
        while not (found := re.search(pattern, self.log.read_text())):
            if self.process.poll() is not None:
                raise AssertionError(f"it ended: {self.log.read_text()}")
        return found[0]

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Scheduler(Process):
    def __init__(self, folder: Path) -> None:
        super().__init__(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--no-show", ready=r"tcp://127\.0\.0\.1:\d+", folder=folder,
        )  # fmt: skip

    @property
    def address(self) -> str:
        return self.said


class Worker(Process):
    def __init__(self, scheduler: Scheduler, folder: Path, threads: int, **more: str) -> None:
        super().__init__(
            "dask_worker", scheduler.address, "--host", "127.0.0.1", "--no-nanny",
            "--nthreads", str(threads), "--no-dashboard", "--local-directory", str(folder),
            ready=r"Registered to: +tcp://\S+", folder=folder, **more,
        )  # fmt: skip

    @property
    def address(self) -> str:
        (found,) = set(re.findall(r"Start worker at: +(tcp://\S+)", self.log.read_text()))
        return found
