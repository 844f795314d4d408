"""Limits of requests as the API applies and tells them.

Source: IETF draft-ietf-httpapi-ratelimit-headers (RateLimit-Policy, RateLimit), RFC 9110
(Retry-After).
"""

import functools
import os
import time
from collections.abc import Mapping

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from config.base.rate_limits import WINDOW_SECONDS, Counters, Verdict

FILE = "rate_limits"


class RateLimitedError(DomainError):
    """More requests within a minute than the caller may send."""

    def __init__(self, policy: str, verdict: Verdict) -> None:
        super().__init__(
            "rate_limited",
            _("Too many requests; try again later."),
            429,
            limit=verdict.limit,
            retry_after_seconds=verdict.reset_seconds,
        )
        self.headers = {**told(policy, verdict), "Retry-After": str(verdict.reset_seconds)}


@functools.lru_cache(maxsize=2)
def _counters(process: int) -> Counters:
    return Counters(settings.LOYALTY_DATA_DIR / FILE)


def counters() -> Counters:
    """Return the counters of this host; a forked process opens them anew, for locks of its own."""
    return _counters(os.getpid())


def take(policy: str, name: str, limit: int) -> Verdict | None:
    """Count one request; None where there is no limit.

    Raises: RateLimitedError.
    """
    share = _share(limit)
    if not share:
        return None
    verdict = counters().take(_named(policy, name), share, time.time())
    if not verdict.is_allowed:
        raise RateLimitedError(policy, verdict)
    return verdict


def give_back(policy: str, name: str, limit: int) -> None:
    """Take back one request that turned out not to count."""
    if share := _share(limit):
        counters().give_back(_named(policy, name), share, time.time())


def told(policy: str, verdict: Verdict) -> Mapping[str, str]:
    """Return the headers that tell a caller what is left."""
    return {
        "RateLimit-Policy": f'"{policy}";q={verdict.limit};w={WINDOW_SECONDS}',
        "RateLimit": f'"{policy}";r={verdict.remaining};t={verdict.reset_seconds}',
    }


def _share(limit: int) -> int:
    """Return this host's part of a limit, rounded up; 0 = no limit."""
    hosts: int = settings.LOYALTY_WEB_HOSTS
    return -(-limit // hosts)


def _named(policy: str, name: str) -> str:
    # One host may serve several databases.
    return f"{connection.settings_dict['NAME']}/{policy}/{name}"
