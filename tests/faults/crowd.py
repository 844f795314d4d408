"""Processes that all start at one moment, each with a connection of its own."""

import multiprocessing
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from django.db import connection, connections

PROCESSES = 16
# Long enough for a machine that does other things; nobody waits that long in a healthy run.
PATIENCE_SECONDS = 120

# Forked, so that a worker begins with everything imported and what a test has taken away.
_processes = multiprocessing.get_context("fork")


@dataclass
class Report:
    """What one process has come back with: a result, or how it failed."""

    result: Any = None
    failure: str = ""


def gate(processes: int) -> Any:
    """Return what that many processes pass together, again and again."""
    return _processes.Barrier(processes, timeout=PATIENCE_SECONDS)


def at_once(work: Callable[[int], Any], processes: int = PROCESSES) -> list[Report]:
    """Run the work in that many processes, all starting together; the tables must be committed."""
    connections.close_all()
    barrier = _processes.Barrier(processes)
    lines = [_processes.Pipe(duplex=False) for _ in range(processes)]
    crowd = [
        _processes.Process(target=_one, args=(work, number, barrier, sending))
        for number, (_receiving, sending) in enumerate(lines)
    ]
    for process in crowd:
        process.start()
    reports = []
    for receiving, _sending in lines:
        heard = receiving.poll(PATIENCE_SECONDS)
        reports.append(receiving.recv() if heard else Report(failure="no answer"))
    for process in crowd:
        process.join(PATIENCE_SECONDS)
        if process.is_alive():
            process.kill()
    return reports


def _one(work: Callable[[int], Any], number: int, barrier: Any, sending: Connection) -> None:
    try:
        connection.ensure_connection()
        barrier.wait(PATIENCE_SECONDS)
        sending.send(Report(work(number)))
    except BaseException:
        sending.send(Report(failure=traceback.format_exc(limit=-6)))
    finally:
        connections.close_all()


def failures(reports: list[Report]) -> list[str]:
    """Return how processes failed."""
    return [report.failure for report in reports if report.failure]


def results(reports: list[Report]) -> list[Any]:
    """Return what all processes came back with; none may have failed."""
    assert not failures(reports), "\n".join(failures(reports))
    return [report.result for report in reports]
