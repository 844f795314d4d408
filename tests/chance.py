"""Negative controls get more than one try: they show that something can happen, by chance.

With the lock taken away a race has to show. A machine that does other things may let it not show
once; a control that never shows it in five tries fails. What holds for every try is never retried.
"""

import pytest
from _pytest.runner import runtestprotocol

TRIES = 5


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a control until its race shows, each time with everything set up anew."""
    if item.get_closest_marker("chance") is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for tries_left in reversed(range(TRIES)):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if not tries_left or all(report.outcome != "failed" for report in reports):
            break
        item._initrequest()  # type: ignore[attr-defined]  # fixtures are made anew
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
