"""What the fold works on: facts as one member sees them, and what each order has become.

Source: design §5.1, §5.6.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from config.base import clock
from rewards.domain.cart import OrderVersion, Refund
from rewards.domain.explanation import MemberTier
from rewards.domain.netting import NetOrder
from tiers.domain.progress import NOTHING, Contribution, ProgressDelta
from tiers.domain.qualification import MergedStanding

ORDER: Final = "order"
REFUND: Final = "refund"
INTERACTION: Final = "interaction"
KIND_RANK: Final = {ORDER: 0, REFUND: 1, INTERACTION: 2}
TIME_RANK: Final = -1
"""What time alone does at an instant comes before every fact of that instant."""

Position = tuple[Any, ...]
"""(instant, kind, source, ref, version); a refund that waits for its order follows that order's."""

Subject = tuple[str, int]
"""Whose points: ("order", id) or ("interaction", id)."""


@dataclass(frozen=True, slots=True)
class OpeningTier:
    """The tier that a member brings along, if any, and until when it is kept."""

    code: str
    kept_until_on: date | None


@dataclass(frozen=True, slots=True)
class Merging:
    """Progress that comes with a member merged into this one, changes later, or goes again."""

    progress: tuple[ProgressDelta, ...]
    standing: MergedStanding | None = None


@dataclass(frozen=True, slots=True)
class InteractionContent:
    """What was done, as the rules and the ladder see it.

    With `opening` or `merging` it is no doing at all.

    `streak` counts the days in a row of a check-in, `is_verified` says that the system that sent
    it has seen it happen. One that `is_held` waits for a moderator and counts for nothing; a
    withdrawal takes back what its subject has counted for.
    """

    kind: str
    opening: OpeningTier | None = None
    streak: int | None = None
    is_verified: bool = False
    is_held: bool = False
    is_withdrawal: bool = False
    merging: Merging | None = None


Content = OrderVersion | Refund | InteractionContent


@dataclass(slots=True)
class FoldFact:
    """One fact as the fold of one member sees it.

    `subject` is the id of the order or interaction. `is_mine` is false for a version that names
    another member, `earns` for one that was received while the account was closed. `hold` is the
    reservation that an order pays with, `hold_points` how many of its points, if not all.
    """

    key: int
    kind: str
    source: str
    ref: str
    version: int
    acts_at: datetime
    subject: int
    content: Content
    placed_at: datetime
    is_mine: bool = True
    earns: bool = True
    hold: int | None = None
    hold_points: int | None = None

    @property
    def own_position(self) -> Position:
        """Return the place in business order, other facts left aside."""
        return (self.acts_at, KIND_RANK[self.kind], self.source, self.ref, self.version)


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """An attribute was given a value at an instant, or lost it (None)."""

    key: int
    at: datetime
    name: str
    value: Any

    @property
    def text(self) -> str | None:
        """Return the value as the ladder compares it."""
        if self.value is None or isinstance(self.value, str):
            return self.value
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


class Override(NamedTuple):
    """A tier laid over the computed one for a time; as a floor only where it ranks higher."""

    from_at: datetime
    until_at: datetime
    code: str
    is_floor: bool = False


class Stay(NamedTuple):
    """The member was in a segment from an instant until another (None: still is)."""

    from_at: datetime
    to_at: datetime | None
    code: str


NO_SEGMENTS: Final[frozenset[str]] = frozenset()


@dataclass(slots=True)
class MemberFacts:
    """What may be known of a member besides the facts, each with the instants it held.

    `overrides` come latest first, `suspensions` hold from and end (None: goes on), `changes` what
    became of the attributes, in order, `stays` the segments that the member was in.
    """

    joined_at: datetime
    birthday_month: int | None = None
    overrides: Sequence[Override] = ()
    suspensions: Sequence[tuple[datetime, datetime | None]] = ()
    changes: Sequence[AttributeChange] = ()
    stays: Sequence[Stay] = ()

    def override_at(self, at: datetime) -> str | None:
        """Return the tier that staff have set for an instant; the latest set counts."""
        for each in self.overrides:
            if not each.is_floor and each.from_at <= at < each.until_at:
                return each.code
        return None

    def floors_at(self, at: datetime) -> list[str]:
        """Return the tiers that count at least, those bought, at an instant."""
        return [
            each.code
            for each in self.overrides
            if each.is_floor and each.from_at <= at < each.until_at
        ]

    def segments_at(self, at: datetime) -> frozenset[str]:
        """Return the segments that the member was in at an instant."""
        if not self.stays:
            return NO_SEGMENTS
        return frozenset(
            stay.code
            for stay in self.stays
            if stay.from_at <= at and (stay.to_at is None or at < stay.to_at)
        )

    def attributes_at(self, at: datetime) -> dict[str, Any]:
        """Return the attributes as they were at an instant."""
        known = {change.name: change.value for change in self.changes if change.at <= at}
        return {name: value for name, value in known.items() if value is not None}


def condition_facts(member: MemberFacts, tier: MemberTier, at: datetime) -> dict[str, object]:
    """Return what conditions may ask of a member at an instant, with the tier that counts."""
    tenure = clock.local_day(at) - clock.local_day(member.joined_at)
    facts: dict[str, object] = {
        "member.tier": tier.code,
        "member.rank": tier.rank,
        "member.segments": member.segments_at(at),
        "member.birthday_month": member.birthday_month,
        "member.tenure_days": tenure.days,
    }
    for name, value in member.attributes_at(at).items():
        facts[f"member.attributes.{name}"] = value
    return facts


@dataclass(slots=True)
class OrderState:
    """One order of one member as it stands in the fold."""

    key: int
    source: str
    order_no: str
    placed_at: datetime
    tier: MemberTier
    version: OrderVersion | None = None
    is_mine: bool = False
    refunds: list[Refund] = field(default_factory=list)
    was_paid: bool = False
    awards: dict[int, int] = field(default_factory=dict)
    allowances: dict[int, int] = field(default_factory=dict)
    counted: Contribution = NOTHING
    net: NetOrder | None = None
    explanation: tuple[dict[str, Any], ...] = ()
    hold: int | None = None
    hold_points: int | None = None

    @property
    def sort_key(self) -> tuple[datetime, str, str]:
        """Return the place among other orders when differences are posted."""
        return (self.placed_at, self.source, self.order_no)

    def to_json(self) -> dict[str, Any]:
        """Return what a later fact of this order needs besides the facts themselves."""
        tier = self.tier
        state: dict[str, Any] = {
            "tier": [tier.code, tier.rank, tier.multiplier_num, tier.multiplier_den],
            "paid": self.was_paid,
            "counted": [self.counted.spend, self.counted.counts],
        }
        if self.allowances:
            state["allow"] = {str(key): points for key, points in self.allowances.items()}
        if self.hold is not None:
            state["hold"], state["hold_points"] = self.hold, self.hold_points
        return state


@dataclass(slots=True)
class InteractionState:
    """One interaction of one member; with `is_merging` it is what a merge has brought."""

    key: int
    source: str
    ref: str
    placed_at: datetime
    awards: dict[int, int] = field(default_factory=dict)
    explanation: tuple[dict[str, Any], ...] = ()
    counted: tuple[ProgressDelta, ...] = ()
    is_merging: bool = False

    @property
    def sort_key(self) -> tuple[datetime, str, str]:
        """Return the place among other subjects when differences are posted."""
        return (self.placed_at, self.source, self.ref)


SubjectState = OrderState | InteractionState


@dataclass(slots=True)
class Step:
    """What folding one fact did to its own subject."""

    subject: Subject
    state: SubjectState
    before: dict[int, int]
    progress: tuple[ProgressDelta, ...]
    is_superseded: bool = False


def positions(facts: Sequence[FoldFact]) -> dict[int, Position]:
    """Return where each fact folds, by fact key: a refund never before its order's first version.

    Source: design §5.6.
    """
    first: dict[int, Position] = {}
    for fact in facts:
        if fact.kind == ORDER:
            own = fact.own_position
            if fact.subject not in first or own < first[fact.subject]:
                first[fact.subject] = own
    return {
        fact.key: _refund_position(fact, first.get(fact.subject))
        if fact.kind == REFUND
        else fact.own_position
        for fact in facts
    }


def _refund_position(refund: FoldFact, order: Position | None) -> Position:
    own = refund.own_position
    return own if order is None or own > order else (*order, refund.acts_at, refund.ref)


def oldest_instant(facts: Iterable[FoldFact]) -> datetime | None:
    """Return when the first fact of a member acts; a refund is never the first.

    Source: design §5.6 (the first standing).
    """
    mine = (fact.acts_at for fact in facts if fact.is_mine and fact.kind != REFUND)
    return min(mine, default=None)


def write_position(position: Position) -> list[Any]:
    """Return a position fit for JSON."""
    return [part.isoformat() if isinstance(part, datetime) else part for part in position]


def read_position(position: Sequence[Any] | None) -> Position | None:
    """Read a position back."""
    if position is None:
        return None
    parts = list(position)
    for index in (0, 5):
        if index < len(parts):
            parts[index] = datetime.fromisoformat(parts[index])
    return tuple(parts)
