"""What segments can ask about the person, the orders and what else members did.

Amounts are net, after refunds. A window of so many days ends with the instant that is asked about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from django.apps import apps
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from config.base.conditions import Column, Family, Field, FieldType, Source, fields, sources

SCOPE: Final = "customer"
ATTRIBUTES: Final = "customer.attributes"
SEGMENTS: Final = "customer.segments"
WINDOWS: Final = (30, 90, 365)
CONSENT_CHANNELS: Final = (
    ("sms", _("SMS")),
    ("email", _("E-mail")),
    ("app", _("App")),
    ("wechat", _("WeChat")),
)

# Who is gone has no place in any segment: closed, erased and merged members are not here.
_POPULATION: Final = Source(
    "member",
    "SELECT m.id AS member_id, m.status, m.joined_at, m.channel, h.code AS home_store"
    " FROM members_member m LEFT JOIN members_store h ON h.id = m.home_store_id"
    " WHERE m.status IN ('active', 'frozen') AND m.joined_at <= %(at)s",
)
# What members that were merged away did is the survivor's; so is what those merged into them did.
_GONE: Final = """(
    WITH RECURSIVE gone AS (
        SELECT merged_into_id AS owner, id AS member FROM members_member
        WHERE merged_into_id IS NOT NULL
        UNION ALL
        SELECT m.merged_into_id, gone.member FROM gone JOIN members_member m ON m.id = gone.owner
        WHERE m.merged_into_id IS NOT NULL
    ) SELECT owner, member FROM gone
) gone"""


def _of_survivors(table: str, columns: str, where: str) -> str:
    """Return the rows of a table, those of members merged away as the survivor's as well."""
    return (
        f"SELECT r.member_id, {columns} FROM {table} r WHERE {where}"  # noqa: S608
        f" UNION ALL SELECT gone.owner, {columns} FROM {_GONE}"
        f" JOIN {table} r ON r.member_id = gone.member WHERE {where}"
    )


_COUNTED: Final = "status <> 'cancelled' AND net_amount > 0 AND placed_at <= %(at)s"
# What came back of a line is taken off it; what came back of an order without naming lines, off all
# of its lines in proportion.
_YEAR: Final = f"{_COUNTED} AND placed_at > %(at)s - interval '365 days'"
_LINES: Final = f"""
SELECT member_id, category, brand, rest * net_amount / nullif(whole, 0) AS net
FROM (
    SELECT w.*, sum(w.rest) OVER (PARTITION BY w.member_id, w.order_id) AS whole
    FROM (
        SELECT o.member_id, o.id AS order_id, o.net_amount, l.kind, l.category, l.brand,
               greatest(0, l.amount - coalesce(b.amount, 0)) AS rest
        FROM ({_of_survivors("members_order", "r.id, r.net_amount", _YEAR)}) o
        JOIN members_orderline l ON l.order_id = o.id
        LEFT JOIN (
            SELECT r.order_id, (x->>0)::int AS line_no,
                   sum((x->>2)::numeric) / %(minor_units)s::numeric AS amount
            FROM members_refund r, jsonb_array_elements(r.lines) x GROUP BY 1, 2
        ) b ON b.order_id = o.id AND b.line_no = l.line_no
    ) w
) s
WHERE kind IN ('goods', 'service')
"""  # noqa: S608
_DONE: Final = _of_survivors(
    "members_interaction", "r.kind, r.occurred_at", "occurred_at <= %(at)s"
)
_SOURCES: Final = (
    Source("profile", "members_memberprofile"),
    Source(
        "orders",
        _of_survivors("members_order", "r.placed_at, r.net_amount", _COUNTED),
        is_grouped=True,
    ),
    Source("lines", _LINES, is_grouped=True),
    Source(
        "interactions",
        "SELECT i.member_id, i.kind, i.occurred_at,"  # noqa: S608
        " coalesce(k.is_behaviour, false) AS is_behaviour"
        f" FROM ({_DONE}) i LEFT JOIN members_interactionkind k ON k.code = i.kind",
        is_grouped=True,
    ),
    Source(
        "consents",
        "SELECT id, member_id, purpose, channel, granted, given_at FROM members_consent"
        " WHERE given_at <= %(at)s",
        is_grouped=True,
    ),
    Source(
        "segments",
        "SELECT s.member_id, g.code FROM members_segmentmembership s"
        " JOIN members_segment g ON g.id = s.segment_id"
        " WHERE s.from_at <= %(at)s AND (s.to_at IS NULL OR s.to_at > %(at)s)",
        is_grouped=True,
    ),
)  # fmt: skip

_STATUSES: Final = (("active", _("Active")), ("frozen", _("Frozen")))
_LOCAL_DAY: Final = "(%(today)s - ({at} AT TIME ZONE %(zone)s)::date)"
# A decision for the channel goes before one for all channels, then the latest one counts.
_LATEST_CONSENT: Final = (
    "(array_agg(granted ORDER BY channel <> '' DESC, given_at DESC, id DESC) {within})[1]"
)
_MEAN_ORDER: Final = (
    f"(SELECT avg(net_amount) FROM members_order WHERE {_COUNTED}"  # noqa: S608
    " AND placed_at > %(at)s - interval '365 days')"
)

Defined = tuple[Field, Column]


def install() -> None:
    """Register fields and sources; doing it again changes nothing."""
    sources.set_population(_POPULATION)
    sources.register(*_SOURCES)
    for field, column in (*_of_the_person(), *_of_orders(), *_of_interactions(), *_of_consents()):
        fields.register(field)
        sources.define(column)
    for family, column in _families():
        fields.add_family(family)
        sources.define(column)


def _defined(  # noqa: PLR0913, PLR0917 - what a field is and where it comes from
    name: str, type_: FieldType, label: str | Promise, source: str, expression: str,
    rows: str = "", default: object = None, scale: int | None = None,
) -> Defined:  # fmt: skip
    field = Field(f"{SCOPE}.{name}", type_, label, scale=scale)
    return field, Column(field.name, source, expression, rows, default)


def _of_the_person() -> Iterator[Defined]:
    text, number = FieldType.STRING, FieldType.INTEGER
    status = Field("customer.status", FieldType.CHOICE, _("Status"), choices=_STATUSES)
    yield status, Column(status.name, "member", "status")
    yield _defined("channel", text, _("Enrolment channel"), "member", "channel")
    yield _defined("home_store", text, _("Home store"), "member", "home_store")
    tenure = _LOCAL_DAY.replace("{at}", "joined_at")
    yield _defined("tenure_days", number, _("Days since enrolment"), "member", tenure)
    month = _("Month of the birthday")
    yield _defined("birthday_month", number, month, "profile", "birth_month")
    segments = Field(SEGMENTS, FieldType.STRING_SET, _("Segments"))
    yield segments, Column(SEGMENTS, "segments", "array_agg(code)", default=frozenset())


def _of_orders() -> Iterator[Defined]:
    days = _LOCAL_DAY.replace("{at}", "max(placed_at)")
    number, amount = FieldType.INTEGER, FieldType.MONEY
    yield _defined("days_since_order", number, _("Days since the last order"), "orders", days)
    first = _("Day of the first order")
    yield _defined("first_order_on", FieldType.DATE, first, "profile", "first_purchase_on")
    since = "(%(today)s - first_purchase_on)"
    label = _("Days since the first order")
    yield _defined("days_since_first_order", number, label, "profile", since)
    for span, suffix, rows in _spans("placed_at"):
        yield _defined(
            f"orders{suffix}", number, _in(span, _("Orders")), "orders",
            "count(*) {within}", rows, 0,
        )  # fmt: skip
        yield _defined(
            f"spend{suffix}", amount, _in(span, _("Net spend")), "orders",
            "sum(net_amount) {within}", rows, 0,
        )  # fmt: skip
        yield _defined(
            f"average_order{suffix}", amount, _in(span, _("Average order value")), "orders",
            "avg(net_amount) {within}", rows,
        )  # fmt: skip
    year = _within("placed_at", WINDOWS[-1])
    yield _defined(
        "aov_above_mean", FieldType.BOOLEAN,
        _("Average order value above that of all members (365 days)"), "orders",
        f"avg(net_amount) {{within}} > {_MEAN_ORDER}", year, False,
    )  # fmt: skip
    yield _defined(
        "aov_to_mean", FieldType.DECIMAL,
        _("Average order value ÷ that of all members (365 days)"), "orders",
        f"avg(net_amount) {{within}} / {_MEAN_ORDER}", year, scale=3,
    )  # fmt: skip


def _of_interactions() -> Iterator[Defined]:
    for days in WINDOWS[1:]:
        within = _within("occurred_at", days)
        yield _defined(
            f"interactions_{days}d", FieldType.INTEGER, _in(days, _("Interactions")),
            "interactions", "count(*) {within}", f"{within} AND NOT is_behaviour", 0,
        )  # fmt: skip
        yield _defined(
            f"behaviour_{days}d", FieldType.INTEGER, _in(days, _("Behaviour events")),
            "interactions", "count(*) {within}", f"{within} AND is_behaviour", 0,
        )  # fmt: skip


def _of_consents() -> Iterator[Defined]:
    every = _("Consent to marketing: every channel")
    yield _consent("consent_marketing", every, "''")
    for code, label in CONSENT_CHANNELS:
        named = format_lazy(_("Consent to marketing: {channel}"), channel=label)
        yield _consent(f"consent_marketing_{code}", named, f"'{code}', ''")


def _consent(name: str, label: str | Promise, channels: str) -> Defined:
    rows = f"purpose = 'marketing' AND channel IN ({channels})"
    return _defined(name, FieldType.BOOLEAN, label, "consents", _LATEST_CONSENT, rows, False)


def _families() -> Iterator[tuple[Family, Column]]:
    consent = Field("customer.consent", FieldType.BOOLEAN, _("Consent (purpose.channel)"))
    rows = (
        "purpose = split_part({name}, '.', 1) AND channel IN (split_part({name}, '.', 2), '')"
    )  # fmt: skip
    yield (
        Family(consent, is_open=True),
        Column(consent.name, "consents", _LATEST_CONSENT, rows, default=False),
    )
    for days in WINDOWS[1:]:
        label = _in(days, _("Interactions of a kind"))
        kinds = Field(f"customer.interactions_{days}d_kind", FieldType.INTEGER, label)
        rows = f"{_within('occurred_at', days)} AND kind = {{name}}"
        count = Column(kinds.name, "interactions", "count(*) {within}", rows, default=0)
        yield Family(kinds, is_open=True), count
    shares = (
        ("category", _("Share of a category in the net spend (365 days, per cent)")),
        ("brand", _("Share of a brand in the net spend (365 days, per cent)")),
    )
    for name, label in shares:
        share = Field(f"customer.{name}_share", FieldType.DECIMAL, label, scale=1)
        part = f"100 * sum(CASE WHEN {name} = {{name}} THEN net ELSE 0 END) / nullif(sum(net), 0)"
        yield Family(share, is_open=True), Column(share.name, "lines", part, default=0)
    yield _attributes()


# A value that is not of the type that was declared for it counts as absent.
_ATTRIBUTE: Final = {
    FieldType.STRING: "CASE WHEN jsonb_typeof({v}) = 'string' THEN {v} #>> '{}' END",
    FieldType.DECIMAL: "CASE WHEN jsonb_typeof({v}) = 'number' THEN {v}::numeric END",
    FieldType.BOOLEAN: "CASE WHEN jsonb_typeof({v}) = 'boolean' THEN {v}::boolean END",
    FieldType.DATE: (
        "(jsonb_path_query_first({v}, '$.datetime(\"YYYY-MM-DD\")', '{}', true) #>> '{}')::date"
    ),
    FieldType.STRING_SET: (
        "CASE WHEN jsonb_typeof({v}) = 'array'"
        " THEN ARRAY(SELECT jsonb_array_elements_text({v})) END"
    ),
}


def _attributes() -> tuple[Family, Column]:
    family = Family(Field(ATTRIBUTES, FieldType.STRING, _("Member attribute")), typed=_declared)
    value = "(attributes -> {name})"
    texts = {type_: text.replace("{v}", value) for type_, text in _ATTRIBUTE.items()}
    return family, Column(ATTRIBUTES, "profile", texts)


def _declared(field: Field) -> Field:
    """Return the field of an attribute with the type that was declared for it."""
    definitions = apps.get_model("members", "AttributeDefinition").objects
    found = definitions.filter(code=field.member).first()
    if found is None:
        return field
    return replace(field, type=FieldType(found.field_type), label=str(found))


def _spans(column: str) -> Iterator[tuple[int | None, str, str]]:
    for days in WINDOWS:
        yield days, f"_{days}d", _within(column, days)
    yield None, "", ""


def _within(column: str, days: int) -> str:
    return f"{column} > %(at)s - interval '{days} days'"


def _in(days: int | None, label: Promise | str) -> Promise | str:
    if days is None:
        return label
    return format_lazy(_("{label} ({days} days)"), label=label, days=days)
