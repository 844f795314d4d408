"""The dashboard of advocacy: friends brought, recommendation scores, what members publish.

Source: KPI-08.
"""

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _

from campaigns import words
from campaigns.admin import figures
from campaigns.admin.figures import Card, Moment
from campaigns.kpis import advocacy
from campaigns.kpis.advocacy import MonthOfAdvocacy
from campaigns.kpis.metrics import Unit
from config.base.admin import charts

MONTHS: Final = 13


def cards(seen: Moment) -> list[Card]:
    """Return the charts: friends, recommendation scores, and what members publish."""
    months = advocacy.by_month(seen.until, months=MONTHS)
    return [_friends(months), _scores(months), _published(months)]


def _friends(months: Sequence[MonthOfAdvocacy]) -> Card:
    labels = [f"{each.month:%Y-%m}" for each in months]
    return Card(
        _("Friends brought by month"),
        _("Friends by the month in which they joined by a member's code, and those of them for"
          " whose kept order the referrer holds the reward by now."),
        (_("Month"), _("Friends who joined"), _("Friends who bought")),
        [(label, f"{each.joined:,}", f"{each.converted:,}")
         for label, each in zip(labels, months, strict=True)],
        charts.bars(
            labels,
            [
                (_("Friends who joined"), [each.joined for each in months], charts.PALETTE[1]),
                (_("Friends who bought"), [each.converted for each in months], charts.PALETTE[0]),
            ],
        ),
    )  # fmt: skip


def _scores(months: Sequence[MonthOfAdvocacy]) -> Card:
    labels = [f"{each.month:%Y-%m}" for each in months]
    net = [each.net_promoter_score for each in months]
    shown = [None if score is None else figures.number(score * 100) for score in net]
    return Card(
        _("Net promoter score by month"),
        _("Share of promoters less the share of detractors among the members who gave a"
          " recommendation score in the month, the last one of each."),
        (_("Month"), _("Promoters"), _("Passives"), _("Detractors"), _("Net promoter score")),
        [
            (label, f"{each.promoters:,}", f"{each.passives:,}", f"{each.detractors:,}",
             words.shown(Unit.PERCENT, score))
            for label, each, score in zip(labels, months, net, strict=True)
        ],
        charts.lines(labels, [(_("Net promoter score"), shown, charts.PALETTE[0])]),
    )  # fmt: skip


def _published(months: Sequence[MonthOfAdvocacy]) -> Card:
    labels = [f"{each.month:%Y-%m}" for each in months]
    return Card(
        _("Published by members by month"),
        _("Reviews and other moderated interactions by the month in which they were written, as far"
          " as a moderator has let them pass, and how many members wrote them."),
        (_("Month"), _("Published by members"), _("Members")),
        [(label, f"{each.published:,}", f"{each.publishers:,}")
         for label, each in zip(labels, months, strict=True)],
        charts.bars(
            labels,
            [(_("Published by members"), [each.published for each in months], charts.PALETTE[3])],
        ),
    )  # fmt: skip
