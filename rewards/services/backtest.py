"""Past orders and interactions under draft rules, beside what they have earned. Writes nothing.

Every member is folded twice from the first fact: under the rules in force, and with the drafts in
place of their rules' own versions as if they had always held. Without drafts the first fold is held
against what was posted, to the point.

Source: design §3 (functional core), §7 (back-test); PTS-04.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from config.base import bulk, clock
from config.base.errors import DomainError
from rewards.domain.fold import MemberFold
from rewards.domain.programme import ProgrammeBook
from rewards.domain.rules import RuleSpec
from rewards.domain.subjects import INTERACTION, ORDER, Subject, SubjectState
from rewards.models import Rule, RuleVersion
from rewards.models.rule import RuleState
from rewards.services import recompute, rule_preview
from rewards.services.programme import current_book, rule_spec
from rewards.services.rule_drafts import TERMS

NAMES: Final = frozenset({"rule", "name_zh", "name_en"})
CAPPED: Final = "member_cap"
DECIMAL: Final = re.compile(r"\d{1,8}(\.\d{1,4})?")

# What the ledger says that rules have given for what happened in a period, less what was taken
# back; a transfer to another account gives and takes nothing.
_LEDGER: Final = """
SELECT r.code, sum(CASE WHEN e.source = 'issuance' THEN e.points ELSE -e.points END)::bigint
FROM rewards_entry e
JOIN rewards_ruleversion v ON v.id = e.rule_id JOIN rewards_rule r ON r.id = v.rule_id
LEFT JOIN members_order o ON o.id = e.order_id
LEFT JOIN members_interaction i ON i.fact_id = e.interaction_id
WHERE (e.source = 'issuance' OR e.target = 'reversed')
  AND coalesce(o.placed_at, i.occurred_at) >= %s AND coalesce(o.placed_at, i.occurred_at) < %s
GROUP BY r.code
"""


class BacktestError(DomainError):
    """These rules or days cannot be back-tested."""


@dataclass(frozen=True, slots=True)
class Period:
    """The programme days whose orders and interactions are looked at, the last one included."""

    first_on: date
    last_on: date

    @property
    def begin(self) -> datetime:
        """Return when it begins."""
        return clock.day_start(self.first_on)

    @property
    def end(self) -> datetime:
        """Return when the day after it begins."""
        return clock.day_start(self.last_on + timedelta(days=1))


@dataclass(slots=True)
class Side:
    """What one set of rules makes of the period: points by rule, limits met, members by tier."""

    points: Counter[str] = field(default_factory=Counter)
    capped: int = 0
    tiers: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Return the points of all rules."""
        return sum(self.points.values())


@dataclass(slots=True)
class Backtest:
    """The period under the rules in force and under the drafts.

    Units: `cost` in minor units, of the points that the drafts give more; `gained` in points by
    member. `ledger` is what was posted, by rule; `differing` are members whose orders the rules in
    force decide otherwise than was posted.
    """

    period: Period
    members: int = 0
    subjects: int = 0
    live: Side = field(default_factory=Side)
    draft: Side = field(default_factory=Side)
    ledger: Counter[str] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)
    gained: Counter[str] = field(default_factory=Counter)
    cost: int = 0

    @property
    def reproduces(self) -> bool:
        """Tell whether the rules in force give what was posted, to the point."""
        return not self.differing and +self.live.points == +self.ledger

    @property
    def winners(self) -> list[tuple[str, int]]:
        """Return who gains by the drafts, and how much, most first."""
        return [(who, points) for who, points in self.gained.most_common() if points > 0]

    @property
    def losers(self) -> list[tuple[str, int]]:
        """Return who loses by the drafts, and how much, most first."""
        lost = [(who, points) for who, points in self.gained.items() if points < 0]
        return sorted(lost, key=lambda pair: (pair[1], pair[0]))


def read_rules(text: bytes) -> list[RuleSpec]:
    """Return the rules of a file: a list of objects as reviews of drafts show them.

    Each has `rule` (a code; new ones are welcome) and of the columns of a rule version those that
    are not as a new version has them.
    Raises: BacktestError, ConditionError, RuleError.
    """
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, list) or not said:
        raise BacktestError("rules_unreadable", _("The file holds no JSON list of rules."))
    return [_read(number, each) for number, each in enumerate(said, start=1)]


def draft_of(code: str) -> list[RuleSpec]:
    """Return the draft of a rule. Raises: BacktestError where it has none."""
    drafts = RuleVersion.objects.filter(rule__code=code, state=RuleState.DRAFT)
    found = drafts.select_related("rule").order_by("-number").first()
    if found is None:
        raise BacktestError("draft_unknown", _("There is no such file, and no draft of this code."))
    return [rule_spec(found)]


def _read(number: int, said: Any) -> RuleSpec:
    if not isinstance(said, dict) or not said.get("rule"):
        raise BacktestError("rules_unreadable", _("A rule is an object with its code as “rule”."))
    unknown = sorted(said.keys() - NAMES - set(TERMS))
    if unknown:
        raise BacktestError("term_unknown", _("A rule does not say this."), names=unknown)
    rule = Rule(code=str(said["rule"]), name_zh=said.get("name_zh", ""))
    version = RuleVersion(rule=rule, number=1, created_at=clock.now())
    for name in said.keys() - NAMES:
        setattr(version, name, _value(name, said[name]))
    try:
        version.clean_fields(exclude=["rule", "created_by"])
    except ValidationError as wrong:
        raise BacktestError(
            "term_invalid", _("A rule says what no rule can."), names=sorted(wrong.message_dict)
        ) from wrong
    # Stored versions have keys above 0.
    return replace(rule_spec(version), key=-number)


def _value(name: str, value: Any) -> Any:
    """Return what a column is to hold; what it cannot hold is left for the checks to find."""
    if name in {"per_amount", "factor"} and DECIMAL.fullmatch(str(value)):
        return Decimal(str(value))
    if name in {"valid_from", "valid_until"} and isinstance(value, str):
        return parse_datetime(value)
    return value


def run(*, drafts: Sequence[RuleSpec], period: Period) -> Iterator[tuple[int, Backtest]]:
    """Fold all members; returns, slice by slice, how many more are done and what was found so far.

    All is read in one snapshot. Inside of no transaction.
    Raises: ProgrammeMissingError, BacktestError; RuleError where drafts contradict other rules.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield from in_snapshot(drafts=drafts, period=period)


def in_snapshot(*, drafts: Sequence[RuleSpec], period: Period) -> Iterator[tuple[int, Backtest]]:
    """Do what `run` does inside of the caller's transaction."""
    if period.last_on < period.first_on:
        raise BacktestError("period_empty", _("The last day lies before the first."))
    book = other = current_book()
    for draft in drafts:
        other = other.replacing(draft)
    found = Backtest(period)
    members = recompute.member_ids()
    for start in range(0, len(members), recompute.SLICE):
        ids = members[start : start + recompute.SLICE]
        for member in recompute.folded(ids, (book, other) if drafts else (book,)):
            _count(found, member)
        yield len(ids), found
    found.ledger = Counter(dict(bulk.fetch(_LEDGER, [period.begin, period.end])))
    found.cost = rule_preview.cost_of(book, period.end, found.draft.total - found.live.total)
    yield 0, found


def _count(found: Backtest, member: recompute.Folded) -> None:
    """Add one member's orders and interactions of the period."""
    found.members += 1
    live, *others = member.folds
    awards = _within(live, found.period)
    found.subjects += len(awards)
    before = _take(found.live, live, awards, found.period.end)
    if not others:
        posted = {key: member.posted.get(key, {}) for key in awards}
        if any(dict(posted[key]) != state.awards for key, state in awards.items()):
            found.differing.append(member.public_id)
        return
    (draft,) = others
    after = _take(found.draft, draft, _within(draft, found.period), found.period.end)
    if after != before:
        found.gained[member.public_id] += after - before


def _take(
    side: Side, fold: MemberFold, states: Mapping[Subject, SubjectState], end: datetime
) -> int:
    """Add what a fold says to one side; return the member's points."""
    total = 0
    for state in states.values():
        for key, points in state.awards.items():
            side.points[fold.book.ref(key).code] += points
            total += points
        side.capped += any(part.get("code") == CAPPED for part in state.explanation)
    side.tiers[_tier_at(fold.book, fold, end)] += 1
    return total


def _within(fold: MemberFold, period: Period) -> dict[Subject, SubjectState]:
    states: dict[Subject, SubjectState] = {(ORDER, key): s for key, s in fold.orders.items()}
    states |= {(INTERACTION, key): state for key, state in fold.interactions.items()}
    return {
        key: state for key, state in states.items() if period.begin <= state.placed_at < period.end
    }


def _tier_at(book: ProgrammeBook, fold: MemberFold, end: datetime) -> str:
    """Return the tier that a member has earned by an instant; who is not there yet has the first.

    What staff have laid over it is the same under all rules.
    """
    ranks = [change.rank for change in fold.tiers.changes if change.at < end]
    return book.tier_at(end, ranks[-1] if ranks else 0).code
