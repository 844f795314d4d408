"""Whether a message goes out now, how, and why not: decided from facts, by nobody's clock.

Source: MEM-07, MEM-11, CMP-08.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

MARKETING: Final = "marketing"
SERVICE: Final = "service"
SECURITY: Final = "security"
CHANNELS: Final = ("wechat", "push", "sms", "email", "inbox")
YOUNGEST: Final = 14

STALE: Final = "stale"
NOT_ACTIVE: Final = "member_not_active"
MINOR: Final = "minor"
NO_CONSENT: Final = "no_consent"
NO_CHANNEL: Final = "no_channel"
NO_TEXT: Final = "no_text"
FREQUENCY_CAP: Final = "frequency_cap"
QUIET_HOURS: Final = "quiet_hours"


@dataclass(frozen=True, slots=True)
class Policy:
    """When and how often members are written to. `quiet_from` = `quiet_until`: no quiet hours."""

    channel_order: Sequence[str] = CHANNELS
    quiet_from: time = time(21)
    quiet_until: time = time(9)
    quiet_purposes: Collection[str] = (MARKETING,)
    marketing_per_day: int | None = 2
    marketing_per_week: int | None = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """The latest word of a member about a purpose on a channel ("" = on every one)."""

    granted: bool
    given_at: datetime


Consents = Mapping[tuple[str, str], Decision]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a message is due: about it, its member, and what could carry it."""

    purpose: str
    needs_consent: bool
    is_stale: bool
    is_active: bool
    is_minor: bool
    consents: Consents
    preferred: Sequence[str] | None
    reachable: Collection[str]
    with_text: Collection[str]
    sent_in_day: int = 0
    sent_in_week: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Send on a channel, or do not and say why; with `until` it is tried again then."""

    channel: str = ""
    reason: str = ""
    until: datetime | None = None


def decide(facts: Facts, policy: Policy, local: datetime) -> Verdict:
    """Return what becomes of a message at an instant, given in the programme's time."""
    if reason := _refusal(facts):
        return Verdict(reason=reason)
    channel, reason = choose(facts, policy)
    if not channel:
        return Verdict(reason=reason)
    if facts.purpose == MARKETING and _is_capped(facts, policy):
        return Verdict(reason=FREQUENCY_CAP)
    until = quiet_until(local, policy) if facts.purpose in policy.quiet_purposes else None
    return Verdict(reason=QUIET_HOURS, until=until) if until else Verdict(channel)


def _refusal(facts: Facts) -> str:
    if facts.is_stale:
        return STALE
    if not facts.is_active:
        return NOT_ACTIVE
    if facts.is_minor and facts.purpose == MARKETING:
        return MINOR
    return ""


def choose(facts: Facts, policy: Policy) -> tuple[str, str]:
    """Return the first channel that may be used, or why there is none.

    The member's own order counts before the programme's, and names all that the member allows;
    a security notice goes to whatever reaches the member.
    """
    order = list(policy.channel_order)
    if facts.preferred is not None:
        # Even a member who wants no messages has to hear of what happens to the account.
        rest = [each for each in order if each not in facts.preferred]
        order = [*facts.preferred, *(rest if facts.purpose == SECURITY else [])]
    possible = [each for each in order if each in facts.reachable]
    allowed = [each for each in possible if is_allowed(facts, each)]
    for channel in allowed:
        if channel in facts.with_text:
            return channel, ""
    return "", NO_TEXT if allowed else NO_CONSENT if possible else NO_CHANNEL


def is_allowed(facts: Facts, channel: str) -> bool:
    """Tell whether consents let a message of its purpose go on a channel."""
    if facts.purpose == SECURITY:
        return True
    own = in_force(facts.consents, facts.purpose, channel)
    if facts.purpose == MARKETING:
        return own is True
    if own is not None or not facts.needs_consent:
        return own is not False
    return in_force(facts.consents, MARKETING, channel) is True


def in_force(consents: Consents, purpose: str, channel: str) -> bool | None:
    """Return what was last said about a purpose on a channel; None where nothing was.

    What was said for every channel counts like what was said for this one; of two words of one
    instant the refusal counts.
    """
    said = [each for key in {(purpose, channel), (purpose, "")} if (each := consents.get(key))]
    if not said:
        return None
    return max(said, key=lambda each: (each.given_at, not each.granted)).granted


def _is_capped(facts: Facts, policy: Policy) -> bool:
    day, week = policy.marketing_per_day, policy.marketing_per_week
    return (day is not None and facts.sent_in_day >= day) or (
        week is not None and facts.sent_in_week >= week
    )


def quiet_until(local: datetime, policy: Policy) -> datetime | None:
    """Return when the quiet hours end that an instant lies in; None where it lies in none."""
    start, end, now = policy.quiet_from, policy.quiet_until, local.time()
    if start == end:
        return None
    is_quiet = start <= now < end if start < end else now >= start or now < end
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1 if now >= end else 0)
    return datetime.combine(day, end, tzinfo=local.tzinfo)
