"""Do one piece of work in several processes at once, each with a share of it.

Each process sets the site up for itself and uses the database of the one that started it. What the
shares are, and that they do not touch each other, is the caller's business.
"""

import multiprocessing
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any

import django

Share = Mapping[str, Any]
Report = Callable[[int], None]
"""Told by a process how much of its share is done."""


class ShareFailedError(RuntimeError):
    """A process ended without having finished its share; its own output says why."""


def run(work: str, shares: Sequence[Share], *, database: str, progress: Report) -> list[Any]:
    """Call the function of that dotted name with each share, all at once, and return the results.

    The function takes its share as keywords and `report`, to be called with what is done of it.
    `progress` hears the sum. When one share fails the others are stopped.
    Raises: ShareFailedError.
    """
    context = multiprocessing.get_context("spawn")
    children = []
    for share in shares:
        ours, theirs = context.Pipe(duplex=False)
        # Packed, because what is in a share can only be unpacked once the site is set up.
        packed = pickle.dumps(dict(share))
        child = context.Process(target=_child, args=(work, packed, database, theirs))
        child.start()
        theirs.close()
        children.append((child, ours))
    try:
        return _gather([ours for _child, ours in children], progress)
    finally:
        for child, ours in children:
            ours.close()
            child.terminate()
            child.join()


def _gather(pipes: Sequence[Connection], progress: Report) -> list[Any]:
    done, results = dict.fromkeys(pipes, 0), dict[Connection, Any]()
    while len(results) < len(pipes):
        for pipe in wait([pipe for pipe in pipes if pipe not in results]):
            assert isinstance(pipe, Connection)
            try:
                is_result, value = pipe.recv()
            except EOFError as error:
                raise ShareFailedError from error
            if is_result:
                results[pipe] = value
            else:
                done[pipe] = value
                progress(sum(done.values()))
    return [results[pipe] for pipe in pipes]


def _child(work: str, packed: bytes, database: str, pipe: Connection) -> None:
    django.setup()
    share = pickle.loads(packed)  # noqa: S301 - packed by the process that started this one
    connections = import_module("django.db").connections
    connections["default"].settings_dict["NAME"] = database
    module, _dot, name = work.rpartition(".")
    result = getattr(import_module(module), name)(
        **share, report=lambda done: pipe.send((False, done))
    )
    connections.close_all()
    pipe.send((True, result))
    pipe.close()


def cores() -> int:
    """Return how many processes can run at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
