"""Keeping what is said of members as customers, for whole batches at once.

The number of statements does not depend on how many members there are. The same facts, day and
policy give the same rows again.

Source: SEG-01, SEG-02, SEG-08, SEG-09, SEG-13, SEG-15.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from django.db import connection, transaction

from config.base import clock, money
from members.domain import insight as rules
from members.domain.insight import Insight, Stage
from members.domain.value import MODEL_VERSION
from members.models import InsightPolicy, MemberInsight, ValueScore
from members.services import events, insight_figures, insight_policy
from members.services.events import NewEvent

STAGE_CHANGED: Final = "lifecycle.changed"
CLASS_CHANGED: Final = "customer_class.changed"
CAUSE: Final = "insight"
CENT: Final = Decimal("0.0001")

_WRITTEN: Final = tuple(
    column.name for column in MemberInsight._meta.concrete_fields if not column.primary_key
)
_SCORED: Final = ("current", "potential", "total", "policy", "model")

_MOVES: Final = """ROWS FROM (
    json_to_recordset(%(moves)s::json) AS (stage text, entered bigint, gone bigint)
) s"""
_ADD: Final = f"""
UPDATE members_stageday d
SET members = greatest(0, d.members + s.entered - s.gone), entered = d.entered + s.entered,
    "left" = d."left" + s.gone
FROM {_MOVES} WHERE d."on" = %(on)s AND d.stage = s.stage
"""  # noqa: S608
# Once a day they are counted again: sums of movements alone would never heal.
_COUNT: Final = f"""
INSERT INTO members_stageday ("on", stage, members, entered, "left")
SELECT %(on)s, s.stage, (SELECT count(*) FROM members_memberinsight i WHERE i.stage = s.stage),
       s.entered, s.gone
FROM {_MOVES}
ON CONFLICT ("on", stage) DO UPDATE SET members = EXCLUDED.members,
    entered = members_stageday.entered + EXCLUDED.entered,
    "left" = members_stageday."left" + EXCLUDED."left"
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Moves:
    """How many members a refresh looked at, and how many entered and left each stage."""

    members: int
    entered: Mapping[str, int]
    left: Mapping[str, int]


NO_MOVES: Final = Moves(0, {}, {})


@dataclass(frozen=True, slots=True)
class Look:
    """When members are looked at and by which policy; `tells` of changes by events.

    Who is looked at for the first time has changed only if the member is new: `tells_new`.
    """

    at: datetime
    recorded_at: datetime
    policy: InsightPolicy
    tells_new: bool = True

    @property
    def today(self) -> date:
        """Return the programme day."""
        return clock.local_day(self.at)


@transaction.atomic
def refresh(
    member_ids: Sequence[int], *, at: datetime, recorded_at: datetime,
    policy: InsightPolicy | None = None, tells_new: bool = True,
) -> Moves:  # fmt: skip
    """Look at members as of the programme day of an instant, and keep what is to be said.

    Members that no longer stand for a person lose their row. Events tell who changed.
    Source: SEG-08, SEG-13.
    """
    look = Look(at, recorded_at, policy or insight_policy.in_force(), tells_new)
    terms = insight_policy.terms_of(look.policy)
    before = MemberInsight.objects.in_bulk(sorted(set(member_ids)))
    rows = [
        _row(member, rules.assess(history, look.today, terms), before.get(member), look)
        for member, history in insight_figures.read(member_ids)
    ]
    _write(rows, before)
    gone = before.keys() - {row.member_id for row in rows}
    if gone:
        MemberInsight.objects.filter(pk__in=gone).delete()
    events.append([event for row in rows for event in _news(row, before.get(row.member_id), look)])
    return _moves(rows, before, look)


@transaction.atomic
def refresh_history(
    member_ids: Sequence[int], days: Sequence[date], *, policy: InsightPolicy | None = None
) -> int:
    """Write what members' value would have been on past days; return the scores written.

    For a year that was loaded at once: it tells nobody, and a score that is there stays.
    Source: SEG-09.
    """
    chosen = policy or insight_policy.in_force()
    terms = insight_policy.terms_of(chosen)
    scores, stages = [], Counter[tuple[date, str]]()
    for member, history in insight_figures.read(member_ids):
        for day in (each for each in days if each >= history.joined_on):
            said = rules.assess(history, day, terms)
            stages[day, said.stage.value] += 1
            value = said.value
            found = (value.current, value.potential, value.total, chosen.number, MODEL_VERSION)
            scores.append(_score(member, day, found))
    ValueScore.objects.bulk_create(scores, ignore_conflicts=True, batch_size=5_000)
    _add_days(stages)
    return len(scores)


def count_stages(on: date, moves: Moves, *, is_recount: bool = False) -> None:
    """Keep how many members are in each stage, after a run of a day has moved some.

    All are counted where nothing is kept of that day yet, and after a recount that put members into
    a stage without a move; else the moves are added.
    Source: SEG-13.
    """
    rows = [
        {"stage": stage, "entered": moves.entered.get(stage, 0), "gone": moves.left.get(stage, 0)}
        for stage in (each.value for each in Stage)
    ]
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {"on": on, "moves": orjson.dumps(rows).decode()}
        if not is_recount:
            cursor.execute(_ADD, parameters)
            if cursor.rowcount:
                return
        cursor.execute(_COUNT, parameters)


def _add_days(stages: Mapping[tuple[date, str], int]) -> None:
    with connection.cursor() as cursor:
        rows = [
            {"on": day, "stage": stage, "members": number}
            for (day, stage), number in sorted(stages.items())
        ]
        cursor.execute(
            'INSERT INTO members_stageday ("on", stage, members, entered, "left")'
            " SELECT r.on, r.stage, r.members, 0, 0 FROM json_to_recordset(%s::json)"
            ' AS r ("on" date, stage text, members bigint)'
            ' ON CONFLICT ("on", stage) DO UPDATE'
            " SET members = members_stageday.members + EXCLUDED.members",
            [orjson.dumps(rows).decode()],
        )


def _row(member: int, said: Insight, before: MemberInsight | None, look: Look) -> MemberInsight:
    stays = before is not None and before.stage == said.stage
    keeps = before is not None and before.customer_class == said.customer_class
    stage_since = said.stage_on or look.today
    if stays and before is not None and said.stage_on is None:
        stage_since = before.stage_since
    spent, average = money.from_minor(said.spent), None
    if said.orders:
        average = (spent / said.orders).quantize(CENT)
    return MemberInsight(
        member_id=member, computed_at=look.at, computed_on=look.today,
        policy=look.policy.number, model=MODEL_VERSION, stage=said.stage.value,
        stage_since=stage_since, customer_class=said.customer_class.value,
        class_since=before.class_since if keeps and before is not None else look.today,
        frequency_band=said.frequency_band.value, monetary_band=said.monetary_band.value,
        orders_total=said.orders_total, spent_total=money.from_minor(said.spent_total),
        margin_total=None if said.margin_total is None else money.from_minor(said.margin_total),
        orders=said.orders, spent=spent, average_order=average, first_order_on=said.first_on,
        last_order_on=said.last_on, median_gap_days=said.rhythm.median_gap,
        dormant_from=said.rhythm.dormant_on, value_current=said.value.current,
        value_potential=said.value.potential, value_total=said.value.total,
        scores=dict(said.value.parts), review_on=said.review_on,
    )  # fmt: skip


def _score(member: int, day: date, found: tuple[int, ...]) -> ValueScore:
    return ValueScore(member_id=member, on=day, **dict(zip(_SCORED, found, strict=True)))


def _write(rows: Sequence[MemberInsight], before: Mapping[int, MemberInsight]) -> None:
    """Write the rows, and a score for every member whose value is another one than before."""
    MemberInsight.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["member"], update_fields=_WRITTEN
    )
    scores = [
        _score(row.member_id, row.computed_on, _scores_of(row))
        for row in rows
        if _scores_of(row) != _scores_of(before.get(row.member_id))
    ]
    ValueScore.objects.bulk_create(
        scores, update_conflicts=True, unique_fields=["member", "on"], update_fields=_SCORED
    )


def _scores_of(row: MemberInsight | None) -> tuple[int, ...]:
    if row is None:
        return ()
    return row.value_current, row.value_potential, row.value_total, row.policy, row.model


def _news(row: MemberInsight, before: MemberInsight | None, look: Look) -> list[NewEvent]:
    """Return what has changed. Nobody was anything before the first look but new."""
    if before is None and not look.tells_new:
        return []
    was = (before.stage, before.customer_class) if before else (Stage.ACQUIRE.value, "new")
    found = (
        (STAGE_CHANGED, was[0], row.stage),
        (CLASS_CHANGED, was[1], row.customer_class),
    )
    return [
        NewEvent(
            row.member_id, kind, look.at, look.recorded_at, {"from": old, "to": new}, CAUSE
        )
        for kind, old, new in found
        if old != new
    ]  # fmt: skip


def _moves(rows: Sequence[MemberInsight], before: Mapping[int, MemberInsight], look: Look) -> Moves:
    entered, left = Counter[str](), Counter[str]()
    now = {row.member_id: row.stage for row in rows}
    for member in now.keys() | before.keys():
        old = before[member].stage if member in before else None
        new = now.get(member)
        if old != new and (old is not None or look.tells_new):
            left.update([old] if old else [])
            entered.update([new] if new else [])
    return Moves(len(now), entered, left)
