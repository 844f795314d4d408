"""One piece of work in several processes."""

import pytest

from config.base import side_by_side

SHARES = [{"number": 3}, {"number": 40}]


def test_results_come_in_the_order_of_the_shares_and_progress_adds_up() -> None:
    heard: list[int] = []
    results = side_by_side.run(
        "tests.base.shares.count", SHARES, database="none", progress=heard.append
    )
    assert results == [3, 40]
    assert heard[-1] == 43


def test_a_share_that_fails_stops_the_others() -> None:
    with pytest.raises(side_by_side.ShareFailedError):
        side_by_side.run(
            "tests.base.shares.fail", SHARES, database="none", progress=lambda done: None
        )
