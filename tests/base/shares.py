"""Work for processes of a test."""

from config.base.side_by_side import Report


def count(*, number: int, report: Report) -> int:
    """Count to a number."""
    for done in range(1, number + 1):
        report(done)
    return number


def fail(*, number: int, report: Report) -> int:
    """Give up half-way."""
    report(number // 2)
    raise RuntimeError("half-way")
