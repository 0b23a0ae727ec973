"""Who judges: threads of this process, each with a workbench of its own, or a Dask cluster."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from bughunt.author.mutation.judging import close_workbenches
from bughunt.author.mutation.plan import Plan
from bughunt.errors import BughuntError

T = TypeVar("T")


@dataclass(frozen=True)
class Crew:
    """`width` jobs are worked on at a time."""

    executor: Executor
    width: int
    client: Any = None

    def handed(self, plan: Plan) -> Any:
        """The plan as an argument of jobs: sent to every machine only once."""
        return plan if self.client is None else self.client.scatter(plan, broadcast=True, hash=False)


@contextmanager
def local_crew(workers: int) -> Iterator[Crew]:
    """So many threads of this process. Leaving it drops the jobs that nobody waits for."""
    executor = ThreadPoolExecutor(workers)
    try:
        yield Crew(executor, workers)
    finally:
        # A job under way ends with its workbench; one may have been started meanwhile.
        executor.shutdown(wait=False, cancel_futures=True)
        close_workbenches()
        executor.shutdown(wait=True)
        close_workbenches()


@contextmanager
def cluster_crew(scheduler: str) -> Iterator[Crew]:
    """The workers of the Dask cluster with this scheduler; each needs this version of bughunt installed."""
    try:
        # Not an import statement: whether it has types depends on its version.
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise BughuntError(
            "A cluster is reached with Dask's `distributed`, which is not installed.",
            "Run `pip install distributed`, or leave out --scheduler.",
        ) from None
    try:
        client = distributed.Client(scheduler, timeout=10)
    except OSError as error:
        raise BughuntError(
            f"There is no Dask scheduler at {scheduler}: {error}.", "Start one with `dask scheduler`."
        ) from error
    try:
        width = sum(client.nthreads().values())
        if not width:
            raise BughuntError(f"The cluster at {scheduler} has no workers.", "Start one: `dask worker`.")
        yield Crew(client.get_executor(pure=False), width, client)
    finally:
        client.run(close_workbenches)
        client.close()


def carried_out(
    crew: Crew, plan: Plan, work: Callable[[Plan, T], dict[str, Any]], jobs: Iterable[Callable[[], T]]
) -> Iterator[dict[str, Any]]:
    """What `work` answers for each job, as the answers come in. A job is made when its turn is near."""
    handed = crew.handed(plan)
    waiting = iter(jobs)
    running: set[Future[dict[str, Any]]] = set()
    while True:
        for make in islice(waiting, 2 * crew.width - len(running)):
            running.add(crew.executor.submit(work, handed, make()))
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def crew_for(workers: int, scheduler: str | None) -> AbstractContextManager[Crew]:
    return cluster_crew(scheduler) if scheduler else local_crew(workers)
