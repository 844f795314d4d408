"""The dashboards: members, tiers, points, purchases, rewards and stock, advocacy.

Source: KPI-01 to KPI-06, KPI-08, KPI-09, KPI-11, KPI-13, TIR-06.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from campaigns import words
from campaigns.admin import advocacy_cards, figures
from campaigns.admin.figures import Card, Moment
from campaigns.domain.month_end import Column
from campaigns.kpis import month_end, reading, registry, series
from campaigns.kpis.metrics import Group, Unit
from campaigns.kpis.series import Cohort
from config.base import clock
from config.base.admin import charts, site
from config.base.admin.kept import kept
from config.base.names import in_active_language, name_of
from rewards.supply import running_out
from tiers import lint
from tiers.models import LadderVersion, Tier

PERMISSION: Final = "campaigns.view_metricvalue"
MONTHS: Final = 13
TEAL, INDIGO, AMBER, PINK, SKY, LIME, SLATE = charts.PALETTE


def dashboard_page(request: HttpRequest, group: str = Group.MEMBERS) -> HttpResponse:
    """Show one group of figures with its charts, now or as of the end of an earlier day."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if group not in _CARDS:
        raise Http404
    chosen = Group(group)
    seen = figures.moment(request.GET.get("on", ""), clock.now())
    context = {
        **site.current().each_context(request),
        "title": words.GROUPS[chosen],
        "groups": [(code, name) for code, name in words.GROUPS.items()],
        "group": chosen,
        "seen": seen,
        "compared_with": figures.compared_with(seen),
        "figures": figures.figures(registry.of_group(chosen), seen),
        "cards": _kept_cards(chosen, seen, request),
        "cohorts": _kept_cohorts(seen) if chosen is Group.COMMERCE else None,
        "warnings": _ladder_warnings() if chosen is Group.TIERS else (),
    }
    return TemplateResponse(request, "admin/campaigns/dashboard.html", context)


def _kept_cards(group: Group, seen: Moment, request: HttpRequest) -> Sequence[Card]:
    """Return the charts of a page as they were read within the last minute."""
    moment = f"now:{seen.day}" if seen.is_now else seen.until.isoformat()
    language = getattr(request, "LANGUAGE_CODE", "")
    key = f"dashboard:{group}:{moment}:{language}"
    return kept(key, lambda: _CARDS[group](seen), seconds=registry.KEPT_SECONDS)


def _kept_cohorts(seen: Moment) -> Sequence[Cohort]:
    key = f"cohorts:{seen.day}:{seen.is_now}"
    return kept(
        key, lambda: series.cohorts(seen.until, months=MONTHS), seconds=registry.KEPT_SECONDS
    )


def _ladder_warnings() -> Sequence[Any]:
    ladder = LadderVersion.objects.order_by("-number").first()
    return lint.warnings_of(ladder) if ladder else ()


def _members(seen: Moment) -> list[Card]:
    joined = series.joined(seen.until, months=MONTHS)
    sales = series.sales(seen.until, months=MONTHS)
    rows = [
        (f"{month.month:%Y-%m}", f"{joined[month.month]:,}", f"{month.buyers:,}") for month in sales
    ]
    chart = charts.bars(
        [row[0] for row in rows],
        [
            (_("New members"), [joined[month.month] for month in sales], INDIGO),
            (_("Members who bought"), [month.buyers for month in sales], TEAL),
        ],
    )
    return [
        Card(
            _("New and buying members by month"),
            _("Members by the month in which they joined; members with at least one net order in"
              " the month."),
            (_("Month"), _("New members"), _("Members who bought")), rows, chart,
        )
    ]  # fmt: skip


def _tiers(seen: Moment) -> list[Card]:
    return [_tier_report(seen), _tier_mix(seen), _tier_moves(seen)]


def _tier_mix(seen: Moment) -> Card:
    tiers = list(Tier.objects.order_by("rank"))
    mix = series.tier_mix(seen.until, months=MONTHS)
    labels = [f"{month:%Y-%m}" for month in mix]
    colours = dict(zip((tier.rank for tier in tiers), charts.PALETTE * 2, strict=False))
    chart = charts.bars(
        labels,
        [
            (name_of(tier), [held.get(tier.rank, 0) for held in mix.values()], colours[tier.rank])
            for tier in tiers
        ],
        is_stacked=True,
    )
    rows = [
        (f"{month:%Y-%m}", *(f"{held.get(tier.rank, 0):,}" for tier in tiers))
        for month, held in mix.items()
    ]
    return Card(
        _("Tier mix by month"), _("Members by the earned tier that they hold when the month ends."),
        (_("Month"), *(name_of(tier) for tier in tiers)), rows, chart,
    )  # fmt: skip


def _tier_moves(seen: Moment) -> Card:
    moves = series.tier_moves(seen.until, months=MONTHS)
    rows = [(f"{month:%Y-%m}", f"{up:,}", f"{down:,}") for month, (up, down) in moves.items()]
    chart = charts.bars(
        [row[0] for row in rows],
        [
            (_("Upgrades"), [up for up, _down in moves.values()], TEAL),
            (_("Downgrades"), [down for _up, down in moves.values()], AMBER),
        ],
    )
    return Card(
        _("Tier movement by month"),
        _("Standings that began in the month above or below the one before. A standing of no"
          " length is passed through and is no movement."),
        (_("Month"), _("Upgrades"), _("Downgrades")), rows, chart,
    )  # fmt: skip


def _tier_report(seen: Moment) -> Card:
    shares = series.tier_shares(seen.until, seen.since(365))
    members = sum(tier.members for tier in shares) or 1
    net = sum((tier.net for tier in shares), Decimal()) or Decimal(1)
    rows = [
        (
            tier.name,
            f"{tier.members:,}",
            words.shown(Unit.PERCENT, Decimal(tier.members) / members),
            words.shown(Unit.PERCENT, tier.net / net),
            words.written(Unit.MONEY, tier.spend_per_buyer),
            words.written(Unit.TIMES, tier.frequency),
        )
        for tier in shares
    ]
    return Card(
        _("Distribution over the tiers"),
        _("Members who hold the tier now; net sales, spend per buyer and orders per buyer of the"
          " last 365 days by the tier held before each order. Tiers that differ little here do not"
          " tell members apart."),
        (_("Tier"), _("Members"), _("Share of members"), _("Share of net sales"),
         _("Spend per buyer"), _("Purchase frequency")),
        rows, is_open=True,
    )  # fmt: skip


def _points(seen: Moment) -> list[Card]:
    calendar = reading.months_back(seen.until, MONTHS)
    months = month_end.month_ends(calendar, until=seen.until, known_at=clock.now())
    labels = [f"{month.month:%Y-%m}" for month in months]
    shown = (Column.ISSUED, Column.USED, Column.EXPIRED)
    flows = charts.bars(
        labels,
        [
            (str(words.COLUMNS[column]), [month.columns[column] for month in months], colour)
            for column, colour in zip(shown, (TEAL, INDIGO, AMBER), strict=True)
        ],
    )
    outstanding = charts.lines(
        labels, [(_("Points outstanding"), [month.closing for month in months], TEAL)]
    )
    return [
        Card(
            _("Points issued, used and expired by month"),
            _("Issued before claw-backs; used and expired less what was given back. Source: entries"
              " of the ledger by the instant at which they act."),
            (_("Month"), *(str(words.COLUMNS[column]) for column in shown)),
            [(label, *(f"{month.columns[column]:,}" for column in shown))
             for label, month in zip(labels, months, strict=True)],
            flows,
        ),
        Card(
            _("Points outstanding by month"),
            _("Pending, available and reserved points when the month ends."),
            (_("Month"), _("Points outstanding"), _("Points debt")),
            [(label, f"{month.closing:,}", f"{month.closing_debt:,}")
             for label, month in zip(labels, months, strict=True)],
            outstanding,
        ),
    ]  # fmt: skip


def _commerce(seen: Moment) -> list[Card]:
    sales = series.sales(seen.until, months=MONTHS)
    labels = [f"{month.month:%Y-%m}" for month in sales]
    values = charts.lines(
        labels,
        [
            (_("Spend per buyer"),
             [figures.number(month.spend_per_buyer) for month in sales], TEAL),
            (_("Average order value"),
             [figures.number(month.order_value) for month in sales], INDIGO),
        ],
    )  # fmt: skip
    counts = series.frequencies(seen.until, seen.since(365))
    frequency = charts.bars(series.FREQUENCIES, [(_("Members"), counts, TEAL)])
    return [
        Card(
            _("Spend per buyer and average order value by month"),
            _("Spend per buyer: net spend ÷ members who bought in the month. Average order value:"
              " net spend ÷ net orders of the month."),
            (_("Month"), _("Net sales"), _("Orders"), _("Members who bought"),
             _("Spend per buyer"), _("Average order value")),
            [
                (label, words.written(Unit.MONEY, month.net), f"{month.orders:,}",
                 f"{month.buyers:,}", words.written(Unit.MONEY, month.spend_per_buyer),
                 words.written(Unit.MONEY, month.order_value))
                for label, month in zip(labels, sales, strict=True)
            ],
            values,
        ),
        Card(
            _("Members by number of orders"),
            _("Members who bought in the last 365 days, by how many net orders they had."),
            (_("Orders"), _("Members")),
            [(name, f"{count:,}") for name, count in zip(series.FREQUENCIES, counts, strict=True)],
            frequency,
        ),
    ]  # fmt: skip


def _running_out() -> Card:
    return Card(
        _("Rewards that run out"),
        _("Stock at or below the limit set for the reward, or that lasts for fewer days than it"
          " should at the pace of the last 30 days. Of this moment, whatever day is chosen."),
        (_("Reward"), _("Free"), _("Taken in 30 days"), _("Lasts for (days)")),
        [
            (in_active_language(zh=supply.name_zh, en=supply.name_en),
             f"{supply.free:,}", f"{supply.taken:,}",
             words.NOTHING if supply.cover_days is None else f"{supply.cover_days:,}")
            for supply in running_out(clock.now())
        ],
        is_open=True, nothing=_("Every reward lasts."),
    )  # fmt: skip


def _rewards(seen: Moment) -> list[Card]:
    taken = series.rewards_taken(seen.until, seen.since(30))
    top = [reward for reward in taken if reward.pieces][:10]
    chart = charts.bars(
        [reward.name for reward in top], [(_("Pieces"), [each.pieces for each in top], TEAL)]
    )
    return [
        _running_out(),
        Card(
            _("Rewards: stock and what was taken"),
            _("Stock on hand and held now; pieces and points of redemptions requested in the last"
              " 30 days that are not cancelled."),
            (_("Reward"), _("On hand"), _("Held"), _("Pieces taken"), _("Points")),
            [
                (each.name, f"{each.on_hand:,}", f"{each.held:,}", f"{each.pieces:,}",
                 f"{each.points:,}")
                for each in taken
            ],
            chart if top else None, is_open=True,
        )
    ]  # fmt: skip


_CARDS: Final[dict[Group, Callable[[Moment], list[Card]]]] = {
    Group.MEMBERS: _members,
    Group.TIERS: _tiers,
    Group.POINTS: _points,
    Group.COMMERCE: _commerce,
    Group.REWARDS: _rewards,
    Group.ADVOCACY: advocacy_cards.cards,
}
