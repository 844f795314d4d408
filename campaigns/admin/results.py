"""What a campaign has changed, on a page that a manager can read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext, pgettext

from campaigns import campaign_words, message_words
from campaigns.domain.lift import Estimate
from campaigns.domain.results import Comparison, Results
from campaigns.kpis import campaign_results
from campaigns.kpis.campaign_results import Acts, Sent
from campaigns.models import Arm, Campaign
from config.base import clock, names
from config.base.admin import formats, site
from config.base.admin.kept import kept

VIEW: Final = "campaigns.view_campaign"
KEPT_SECONDS: Final = 60
# The picture of an interval: its width, and the space left at both ends.
_WIDTH, _MARGIN = 200.0, 8.0

Show = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Read:
    """All that the page shows of one campaign."""

    results: Results
    acts: Acts
    sent: Sent
    arms: dict[str, int]
    coupons: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate as it is drawn: places of its bounds, its value and of zero."""

    shown: str
    tone: str
    low: float
    high: float
    value: float
    zero: float


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of one comparison: both sides, and the difference."""

    label: str
    treated: str
    holdout: str
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Part:
    """A comparison as a card shows it."""

    title: str
    members: str
    is_alone: bool
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Step:
    """A step from the audience to the till. Units: `percent` of the first step."""

    label: str
    count: str
    percent: int


def results_page(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Show whom a campaign reached, what they did beyond the hold-out, and what it has cost.

    Source: KPI-10, KPI-15.
    """
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    campaign = get_object_or_404(Campaign.objects.select_related("running"), pk=campaign_id)
    read = kept(f"campaign:{campaign.pk}", lambda: _read(campaign), seconds=KEPT_SECONDS)
    context = {
        **site.current().each_context(request),
        "title": gettext("Results: %(campaign)s") % {"campaign": names.name_of(campaign)},
        "campaign": campaign,
        "verdict": verdict(read.results),
        "warning": warning(read.results),
        "figures": figures(read),
        "steps": steps(read),
        "overall": part(gettext("Everybody addressed"), read.results.overall),
        "variants": [part(each.variant, each) for each in read.results.variants],
        "costs": costs(read),
        "skipped": [
            (campaign_words.skipped(code), count)
            for code, count in sorted(read.acts.skipped.items())
        ],
        "not_sent": [
            (message_words.reason(code), count) for code, count in sorted(read.sent.reasons.items())
        ],
    }
    return TemplateResponse(request, "admin/campaigns/results.html", context)


def _read(campaign: Campaign) -> Read:
    at = clock.now()
    until = min(at, campaign.ended_at or at)
    return Read(
        campaign_results.assess(campaign, at=at),
        campaign_results.acts(campaign, until=until),
        campaign_results.messages(campaign, until=until),
        campaign_results.arms(campaign, until=until),
        campaign_results.coupons(campaign, until=until),
    )


def verdict(results: Results) -> str:
    """Return in one sentence what the campaign has changed."""
    buying = results.overall.buying
    if buying is None:
        return gettext(
            "Nobody was held out, so nothing can be said of what the campaign has changed."
        )
    bounds = {
        "low": _signed(buying.low), "high": _signed(buying.high),
        "value": percentage_points(buying.value),
    }  # fmt: skip
    if buying.low > 0:
        text = gettext("More members bought: %(value)s against the hold-out (%(low)s to %(high)s).")
    elif buying.high < 0:
        text = gettext(
            "Fewer members bought: %(value)s against the hold-out (%(low)s to %(high)s)."
        )
    else:
        text = gettext(
            "No difference that chance would not show as well: %(value)s (%(low)s to %(high)s)."
        )
    return text % bounds


def warning(results: Results) -> str:
    """Return why the result must not be believed; nothing where it may be."""
    if not results.is_ratio_wrong:
        return ""
    return gettext(
        "The hold-out is not as large as it was planned. Something divides members by more than "
        "chance, so the comparison below is not to be believed."
    )


def figures(read: Read) -> list[tuple[str, str, str]]:
    """Return what stands on top: label, figure, and what it is to be read with."""
    treated, arms = read.results.overall.treated, read.arms
    addressed, held = arms.get(Arm.TREATED, 0), arms.get(Arm.HOLDOUT, 0)
    points = gettext("%(points)s points") % {"points": formats.points(read.acts.points)}
    return [
        (gettext("Addressed"), formats.points(addressed),
         f"{gettext('Hold-out')} {formats.points(held)}"),
        (gettext("Reached by a message"), formats.points(read.sent.reached),
         f"{formats.share(read.sent.reached, addressed)} %"),
        (gettext("Bought"), formats.points(treated.buyers), _share(treated.buying)),
        (gettext("Cost in all"), formats.money(read.results.cost), points),
    ]  # fmt: skip


def steps(read: Read) -> list[Step]:
    """Return the way from the audience to the till."""
    members = sum(read.arms.values()) - read.arms.get(Arm.EXCLUDED, 0)
    given, redeemed = read.coupons
    rows = [
        (gettext("In the audience"), members),
        (gettext("Addressed"), read.arms.get(Arm.TREATED, 0)),
        (gettext("Reached by a message"), read.sent.reached),
        (gettext("Given something"), read.acts.members),
        (gettext("Bought"), read.results.overall.treated.buyers),
    ]
    if given:
        rows.append((gettext("Coupons redeemed"), redeemed))
    return [
        Step(label, formats.points(count), formats.share(count, members)) for label, count in rows
    ]


def costs(read: Read) -> list[tuple[str, str]]:
    """Return what the campaign has given, what that has cost and what it has returned."""
    results = read.results
    rows = [
        (gettext("Times that something was given"), formats.points(read.acts.acts)),
        (gettext("Points"), formats.points(read.acts.points)),
        (gettext("Coupons and gifts"), formats.money(read.acts.money)),
        (gettext("Cost in all"), formats.money(results.cost)),
        (gettext("Added turnover"), _money(results.added_spend)),
        (gettext("Added margin"), _money(results.added_margin)),
        (gettext("Return on cost"), _percent(results.returned)),
    ]
    if results.added_margin is None:
        share = round(results.known_cost_share * 100)
        note = gettext("The cost of goods is known for %(share)s %% of the turnover.")
        rows.append((gettext("Why there is no margin"), note % {"share": share}))
    return rows


def part(title: str, compared: Comparison) -> Part:
    """Return a comparison as a card shows it."""
    treated, holdout = compared.treated, compared.holdout
    return Part(
        title,
        gettext("%(treated)s addressed, %(holdout)s held out")
        % {"treated": formats.points(treated.members), "holdout": formats.points(holdout.members)},
        not holdout.members,
        (
            Line(gettext("Members who bought"), _share(treated.buying), _share(holdout.buying),
                 interval_of_shares(compared.buying)),
            Line(gettext("Net spend per member"), formats.money(treated.spend),
                 formats.money(holdout.spend), interval(compared.spend, _amount)),
        ),
    )  # fmt: skip


def interval(
    estimate: Estimate | None, show: Show, show_bound: Show | None = None
) -> Interval | None:
    """Return an estimate as it is drawn and written; nothing of none."""
    bound = show_bound or show
    if estimate is None:
        return None
    reach = max(abs(estimate.low), abs(estimate.high)) or 1.0

    def place(value: float) -> float:
        return round(_WIDTH / 2 + value / reach * (_WIDTH / 2 - _MARGIN), 1)

    tone = ""
    if estimate.is_certain:
        tone = "is-good" if estimate.value > 0 else "is-bad"
    text = pgettext("interval", "%(value)s (%(low)s to %(high)s)") % {
        "value": show(estimate.value), "low": bound(estimate.low), "high": bound(estimate.high),
    }  # fmt: skip
    return Interval(text, tone, place(estimate.low), place(estimate.high), place(estimate.value),
                    _WIDTH / 2)  # fmt: skip


def interval_of_shares(estimate: Estimate | None) -> Interval | None:
    """Return a difference of shares as it is drawn and written; the unit is said once."""
    return interval(estimate, percentage_points, _signed)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


def percentage_points(value: float) -> str:
    """Return a difference of shares as people write it."""
    return gettext("%(value)s percentage points") % {"value": _signed(value)}


def _signed(value: float) -> str:
    return f"{value * 100:+.1f}".replace("-", "−")


def _amount(value: float) -> str:
    return ("−" if value < 0 else "+") + formats.money(abs(_decimal(value)))


def _money(estimate: Estimate | None) -> str:
    return "–" if estimate is None else _bounded(estimate, _amount)


def _percent(estimate: Estimate | None) -> str:
    return "–" if estimate is None else _bounded(estimate, lambda value: f"{value * 100:+.0f} %")


def _bounded(estimate: Estimate, show: Show) -> str:
    drawn = interval(estimate, show)
    return "" if drawn is None else drawn.shown


def _decimal(value: float) -> Decimal:
    return Decimal(value).quantize(Decimal("0.01"))
