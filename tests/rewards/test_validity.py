"""How long points are valid and when they become available, in the programme's own days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.domain.validity import (
    ExpiryKind,
    ExpiryPolicy,
    available_at,
    end_of_day_after,
    expires_at,
    last_valid_day,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.req("PTS-07")
@pytest.mark.parametrize(
    ("policy", "earned", "over"),
    [
        (ExpiryPolicy(ExpiryKind.MONTH_END, 12), "2026-03-01T00:00", "2027-04-01T00:00"),
        (ExpiryPolicy(ExpiryKind.MONTH_END, 12), "2026-03-31T23:59:59", "2027-04-01T00:00"),
        (ExpiryPolicy(ExpiryKind.MONTH_END, 12), "2026-04-01T00:00", "2027-05-01T00:00"),
        (ExpiryPolicy(ExpiryKind.MONTH_END, 1), "2026-01-31T12:00", "2026-03-01T00:00"),
        (ExpiryPolicy(ExpiryKind.MONTH_END, 0), "2026-12-05T12:00", "2027-01-01T00:00"),
        (ExpiryPolicy(ExpiryKind.ROLLING_DAYS, 30), "2026-03-01T18:00", "2026-04-01T00:00"),
        (ExpiryPolicy(ExpiryKind.ROLLING_DAYS, 0), "2026-03-01T18:00", "2026-03-02T00:00"),
        (ExpiryPolicy(ExpiryKind.ROLLING_MONTHS, 12), "2026-03-15T18:00", "2027-03-16T00:00"),
        (ExpiryPolicy(ExpiryKind.ROLLING_MONTHS, 1), "2026-01-31T18:00", "2026-03-01T00:00"),
        (ExpiryPolicy(ExpiryKind.SLIDING, 6), "2026-03-15T18:00", "2026-09-16T00:00"),
        (ExpiryPolicy(ExpiryKind.FIXED_DATE), "2026-03-15T18:00", "2027-01-01T00:00"),
        (ExpiryPolicy(ExpiryKind.FIXED_DATE), "2026-12-31T18:00", "2027-01-01T00:00"),
        (ExpiryPolicy(ExpiryKind.FIXED_DATE, 12), "2026-03-15T18:00", "2028-01-01T00:00"),
        (ExpiryPolicy(ExpiryKind.FIXED_DATE, 0, (3, 14)), "2026-03-15T18:00", "2027-03-15T00:00"),
        (ExpiryPolicy(ExpiryKind.FIXED_DATE, 0, (2, 29)), "2026-01-15T18:00", "2026-03-01T00:00"),
        (ExpiryPolicy(ExpiryKind.FIXED_DATE, 0, (2, 29)), "2028-01-15T18:00", "2028-03-01T00:00"),
    ],
)
def test_points_are_valid_to_the_end_of_a_local_day(
    policy: ExpiryPolicy, earned: str, over: str
) -> None:
    assert expires_at(policy, local(earned)) == local(over)


def test_points_never_expire_when_the_policy_says_so() -> None:
    assert expires_at(ExpiryPolicy(ExpiryKind.NEVER), local("2026-03-15T18:00")) is None


@pytest.mark.req("PTS-07")
def test_an_earning_of_march_ends_with_march_a_year_later() -> None:
    policy = ExpiryPolicy(ExpiryKind.MONTH_END, 12)
    assert last_valid_day(policy, date(2026, 3, 9)) == date(2027, 3, 31)
    assert expires_at(policy, local("2026-03-09T10:00")) == datetime(2027, 3, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "days", "expected"),
    [
        ("2026-03-01T10:00", 0, "2026-03-01T10:00"),
        ("2026-03-01T10:00", 1, "2026-03-03T00:00"),
        ("2026-03-01T10:00", 7, "2026-03-09T00:00"),
        ("2026-03-01T00:00", 7, "2026-03-09T00:00"),
        ("2026-03-01T23:59:59.999999", 7, "2026-03-09T00:00"),
    ],
)
def test_the_full_days_of_the_return_window_begin_the_day_after(
    at: str, days: int, expected: str
) -> None:
    assert available_at(local(at), days) == local(expected)


def test_the_end_of_the_nth_day_after() -> None:
    assert end_of_day_after(local("2026-03-01T10:00"), 0) == local("2026-03-02T00:00")
    assert end_of_day_after(local("2026-03-01T10:00"), 30) == local("2026-04-01T00:00")


@given(
    st.sampled_from(ExpiryKind),
    st.integers(0, 60),
    st.dates(date(2000, 1, 1), date(2060, 1, 1)),
    st.integers(0, 1500),
)
def test_later_points_never_expire_earlier(
    kind: ExpiryKind, count: int, day: date, later: int
) -> None:
    policy = ExpiryPolicy(kind, count)
    first = last_valid_day(policy, day)
    second = last_valid_day(policy, day + timedelta(days=later))
    if first is not None and second is not None:
        assert day <= first <= second


@pytest.mark.parametrize("terms", [(-1, None), (0, (2, 30)), (0, (13, 1))])
def test_impossible_terms_are_refused(terms: tuple[int, tuple[int, int] | None]) -> None:
    with pytest.raises(ValueError, match=r"."):
        ExpiryPolicy(ExpiryKind.FIXED_DATE, *terms)


def test_a_date_belongs_to_fixed_date_only() -> None:
    with pytest.raises(ValueError, match="fixed_date"):
        ExpiryPolicy(ExpiryKind.NEVER, 0, (1, 1))
