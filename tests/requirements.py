"""Which requirement is proved by which test.

A test says what it proves by `@pytest.mark.req("TIR-02")`; an ID that the register does not hold
stops the run. `pytest --requirements` prints the register with what this run has proved.
"""

import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

REGISTER = Path(__file__).with_name("requirements.toml")
PROPERTY = "requirement"

_passed: dict[str, set[str]] = defaultdict(set)
_failed: dict[str, set[str]] = defaultdict(set)


def register() -> dict[str, str]:
    """Return every requirement's title by its ID."""
    titles: dict[str, str] = tomllib.loads(REGISTER.read_text())
    return titles


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--requirements`."""
    parser.addoption(
        "--requirements", action="store_true", help="print which requirements this run has proved"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note on each test what it proves. Raises: UsageError for an ID that does not exist."""
    known = register()
    for item in items:
        for marker in item.iter_markers("req"):
            for requirement in marker.args:
                if requirement not in known:
                    raise pytest.UsageError(f"{item.nodeid}: no requirement {requirement!r}")
                item.user_properties.append((PROPERTY, requirement))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the test, wherever it ran."""
    for name, value in report.user_properties:
        if name == PROPERTY and report.failed:
            _failed[str(value)].add(report.nodeid)
        elif name == PROPERTY and report.when == "call" and report.passed:
            _passed[str(value)].add(report.nodeid)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the register, when asked to."""
    if not config.getoption("--requirements"):
        return
    terminalreporter.section("requirements")
    titles = register()
    for requirement, title in titles.items():
        terminalreporter.line(f"{state(requirement):>9}  {requirement}  {title}")
    proved = sum(state(requirement).endswith("passed") for requirement in titles)
    terminalreporter.line(f"{proved} of {len(titles)} proved by this run")


def state(requirement: str) -> str:
    """Return how the tests of a requirement went."""
    if _failed[requirement]:
        return "failed"
    return f"{len(_passed[requirement])} passed" if _passed[requirement] else "–"
