"""Members for the benches: some go through the product, the others are copies of their rows.

Copies have ids, member ids, order numbers and look-up hashes of their own. They carry the hashes of
the entries that they were copied from: no bench reads a chain from its beginning.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db.models import Field, Model

from config.bench import databases, loading
from rewards.domain.cart import Line
from rewards.domain.submission import MemberRef, OrderFact
from rewards.services import enrolment, intake
from rewards.services.joining_requests import EnrolmentRequest

SOURCE: Final = "bench"
MODELS: Final = (
    "members.Member", "members.MemberKey", "members.MemberProfile", "members.Identifier",
    "members.Order", "members.ReceivedFact", "members.OrderLine", "members.MemberEvent",
    "rewards.PointsAccount", "rewards.Evaluation", "rewards.Entry", "rewards.Lot",
    "rewards.FoldSnapshot", "tiers.ProgressEntry", "tiers.Standing",
)  # fmt: skip
"""What one order of one member leaves, rows that others point at first."""

_OWN_VALUES: Final = {
    "public_id": "gen_random_uuid()",
    "card_number": "left(x.card_number, 3) || lpad((x.id + n * {span})::text, 12, '0')",
    "value_hash": "sha256(x.value_hash || convert_to(n::text, 'UTF8'))",
    "tail4": "lpad(mod(n, {tails})::text, 4, '0')",
    "order_no": "x.order_no || '-' || n",
    "ref": "x.ref || '-' || n",
    "joined_at": "x.joined_at - n * interval '5 minutes'",
}
_OWN_CODES: Final = {"rewards_coupon": "x.code || '-' || n"}
TAILS: Final = 50
"""So few, that a page of those who share one is full among few members as among many."""

_COPY = "INSERT INTO {table} ({names}) SELECT {values} FROM {table} x, generate_series(1, %s) AS n"
_BOUNDS = "SELECT coalesce(min({key}), 0), coalesce(max({key}), 0) FROM {table}"
_SEQUENCE = "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"


def line(number: int, amount: int) -> Line:
    """Return a line of an order. Units: minor units."""
    return Line(number, f"SKU-{number:05}", "goods", "dairy", "house", 1000, amount)


def order(number: str, member: MemberRef, placed_at: datetime, lines: Sequence[Line]) -> OrderFact:
    """Return a paid order."""
    return OrderFact(
        source=SOURCE, order_no=number, version=1, changed_at=None, member=member, status="paid",
        placed_at=placed_at, currency=settings.LOYALTY_CURRENCY, lines=tuple(lines),
    )  # fmt: skip


def enrol(names: Sequence[str], at: datetime) -> None:
    """Enrol a member per external id."""
    requests = [
        EnrolmentRequest(identifiers=(("external", name, ""),), channel="import", joined_at=at)
        for name in names
    ]
    for done in enrolment.enrol_members(requests, touchpoint=None, at=at):
        if done.error is not None:
            raise done.error


def populate(orders: Sequence[tuple[datetime, int]], copies: int) -> int:
    """Fill an empty programme: a member for each order, placed then for that amount, and copies.

    Returns how many members there are. Units: minor units.
    """
    names = [f"first-{number}" for number in range(len(orders))]
    earliest = min(placed_at for placed_at, _amount in orders)
    enrol(names, earliest)
    facts = [
        order(name, MemberRef(kind="external", value=name), placed_at, [line(1, amount)])
        for name, (placed_at, amount) in zip(names, orders, strict=True)
    ]
    at = max(placed_at for placed_at, _amount in orders)
    intake.receive(facts, touchpoint=None, at=at, history=True)
    copy(MODELS, copies)
    return len(orders) * (copies + 1)


def copy(labels: Sequence[str], copies: int) -> None:
    """Copy all rows of the models so many times, whose rows others point at before those."""
    copied = [apps.get_model(label) for label in labels]
    spans = {model: _span(model) for model in copied}
    with loading.bare([model._meta.db_table for model in copied]):
        for model in copied:
            _copy(model, spans, copies)
    databases.settle()


def _span(model: type[Model]) -> int:
    """Return how far apart the ids of two copies are."""
    statement = _BOUNDS.format(key=model._meta.pk.column, table=model._meta.db_table)
    ((least, most),) = databases.execute(statement)
    return int(most - least + 1)


def _copy(model: type[Model], spans: dict[type[Model], int], count: int) -> None:
    fields = model._meta.concrete_fields
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(_value(field, spans) for field in fields)
    table = model._meta.db_table
    databases.execute(_COPY.format(table=table, names=names, values=values), [count])
    if model._meta.pk.column == "id":
        databases.execute(_SEQUENCE.format(table=table))


def _value(field: "Field[Any, Any]", spans: dict[type[Model], int]) -> str:
    related = field.related_model
    owner = field.model if field.primary_key and related is None else related
    if isinstance(owner, type) and owner in spans and field.column != "merged_into_id":
        return f'x."{field.column}" + n * {spans[owner]}'
    own = _OWN_VALUES.get(str(field.column), f'x."{field.column}"')
    if field.column == "code":
        own = _OWN_CODES.get(field.model._meta.db_table, own)
    return own.format(span=spans[field.model], tails=TAILS)
