"""A campaign meets members: who gets what, once for each occurrence, within limits and budget.

Accounts are locked first, in id order, then the campaign's row: whoever has it assigns newcomers,
counts limits and spends the budget, and nobody else meanwhile.

Source: CMP-01, CMP-02, CMP-15, CMP-16, RWD-14, SEG-07.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from campaigns.domain import assignment, effects, triggers
from campaigns.domain import budget as fitting
from campaigns.domain import meeting as deciding
from campaigns.domain.assignment import Variant
from campaigns.domain.effects import Cost, Effect, EffectKind
from campaigns.domain.meeting import Met, Skip, Terms
from campaigns.models import (
    Campaign,
    CampaignAct,
    CampaignBudget,
    CampaignVersion,
    OverBudget,
)
from campaigns.services import budgets, giving, meeting, messages
from campaigns.services.giving import Catalogue, Gift
from campaigns.services.messages import Wanted
from members.services import events
from members.services.events import NewEvent
from rewards.services import many_points

ACTED: Final = "campaign.acted"
_NEEDS_ACCOUNT: Final = frozenset({EffectKind.POINTS, EffectKind.REWARD})


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that has happened to a member, under a key that names it for ever.

    `context` holds values for messages, none of them personal; from `expires_at` on nothing is
    said of it any more.
    """

    member_id: int
    key: str
    at: datetime
    caused_by: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None


@dataclass(slots=True)
class Fired:
    """To how many something was given, and why not to the others."""

    acted: int = 0
    skipped: dict[str, int] = field(default_factory=dict)


def cause(campaign: Campaign) -> str:
    """Return how everything that a campaign brings about is marked."""
    return f"campaign:{campaign.code}"


def hold(*, members: Collection[int], campaigns: Collection[int]) -> None:
    """Lock what several campaigns need that act in one transaction, in the order of `fire`."""
    many_points.hold_accounts(members)
    rows = Campaign.objects.filter(pk__in=campaigns).order_by("pk")
    list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk"))


class _ReplacedError(Exception):
    """Another version was published since the running one was read."""


@transaction.atomic
def fire(*, campaign: Campaign, occurrences: Sequence[Occurrence], recorded_at: datetime) -> Fired:
    """Let a campaign act on what has happened, exactly once for each member and key.

    What is given is recorded with its ids; who is held out, or over a limit, leaves an act that
    says so. One that does not run does nothing.
    """
    unique = {(each.member_id, each.key): each for each in occurrences}
    ordered = sorted(unique.values(), key=lambda each: (each.at, each.member_id, each.key))
    while ordered:
        current = Campaign.objects.select_related("running").get(pk=campaign.pk)
        if current.running is None:
            return Fired(skipped={Skip.NOT_RUNNING.value: len(ordered)})
        try:
            # Undone, it lets go of the campaign's row: what comes next locks accounts first again.
            with transaction.atomic():
                return _Firing(current, current.running, recorded_at).run(ordered)
        except _ReplacedError:
            continue
    return Fired()


class _Firing:
    """One call of `fire`: the campaign's row is held from `run` to the end of the transaction."""

    def __init__(self, campaign: Campaign, version: CampaignVersion, at: datetime) -> None:
        self.campaign, self.version, self.at = campaign, version, at
        self.trigger = triggers.parse(version.trigger)
        self.effects = effects.parse(version.effects)
        self.variants: Sequence[Variant] = effects.parse_variants(version.variants)
        self.rows: list[CampaignAct] = []
        self.occurrences: list[Occurrence] = []
        self.gifts: list[Gift] = []
        self.skipped: Counter[str] = Counter()

    def run(self, occurrences: Sequence[Occurrence]) -> Fired:
        members = sorted({each.member_id for each in occurrences})
        if any(each.kind in _NEEDS_ACCOUNT for each in self.effects):
            many_points.hold_accounts(members)
        if not self._hold():
            return Fired(skipped={Skip.NOT_RUNNING.value: len(occurrences)})
        known = giving.catalogue(self.effects)
        budget = budgets.of_period(self.campaign, self.version, self.at)
        self._decide(occurrences, members, known, budget)
        CampaignAct.objects.bulk_create(self.rows)
        self._give(known, budget)
        self._tell()
        return Fired(sum(not row.skipped for row in self.rows), dict(self.skipped))

    def _hold(self) -> bool:
        """Lock the campaign's row and see whether it runs.

        Raises: _ReplacedError where it runs another version by now.
        """
        rows = Campaign.objects.select_for_update(no_key=True, of=("self",))
        held = rows.get(pk=self.campaign.pk)
        self.campaign = held
        if held.is_running and held.running_id != self.version.pk:
            raise _ReplacedError
        return held.is_running

    # Deciding

    def _decide(
        self,
        occurrences: Sequence[Occurrence],
        members: Sequence[int],
        known: Catalogue,
        budget: CampaignBudget,
    ) -> None:
        terms = Terms(
            self.version.starts_at, self.version.ends_at, self.version.limit_acts,
            timedelta(days=self.trigger.cooldown_days),
        )  # fmt: skip
        met = meeting.meet(
            campaign=self.campaign, version=self.version, variants=self.variants,
            members=members, keys={each.key for each in occurrences}, at=self.at,
        )  # fmt: skip
        purse, worth = budgets.purse_of(budget), known.worth()
        for each in occurrences:
            if each.member_id not in met:
                self.skipped[Skip.NOT_IN_AUDIENCE] += 1
                continue
            one = met[each.member_id]
            period = self._same_period(one, each.at)
            row = self._row(each, one, budget)
            given = effects.given(self.effects, row.variant)
            reason = deciding.refuse(one, terms, each.key, each.at, period)
            if not reason:
                reason = self._spend(row, given, purse, worth)
            self._keep(row, each, one, given, reason)

    def _same_period(self, one: Met, at: datetime) -> list[datetime]:
        """Return what the member was given in the period of the limit that an instant lies in."""
        kind = self.version.limit_period
        period = budgets.period_of(kind, at)
        return [when for when in one.acts if budgets.period_of(kind, when) == period]

    def _row(self, each: Occurrence, one: Met, budget: CampaignBudget) -> CampaignAct:
        variant, segment = assignment.choose(self.variants, one.variant, one.segments)
        return CampaignAct(
            campaign=self.campaign, version=self.version, member_id=each.member_id, key=each.key,
            occurred_at=each.at, at=self.at, variant=variant, period=budget.period,
            why={"segment": segment} if segment else {"drawn": one.variant} if variant else {},
            caused_by=each.caused_by[:80],
        )  # fmt: skip

    def _spend(
        self,
        row: CampaignAct,
        given: Sequence[Effect],
        purse: fitting.Purse,
        worth: giving.Worth,
    ) -> str:
        """Take an act out of the budget; returns what it does not fit into."""
        wanted = effects.cost(given, worth)
        is_partial = self.version.over_budget == OverBudget.PARTIAL
        cost, lacking = fitting.fit([purse], wanted, is_partial=is_partial)
        if cost is None:
            return f"budget_{lacking}"
        row.points, row.money = cost.points, cost.money
        return ""

    def _keep(
        self, row: CampaignAct, each: Occurrence, one: Met, given: Sequence[Effect], reason: str
    ) -> None:
        row.skipped = str(reason)
        if reason:
            self.skipped[str(reason)] += 1
        if reason in deciding.UNRECORDED:
            return
        one.keys.add(each.key)
        if not reason:
            one.acts.append(each.at)
            self.gifts.append(Gift(len(self.rows), each.member_id, row.points, given))
        self.rows.append(row)
        self.occurrences.append(each)

    # Giving

    def _give(self, known: Catalogue, budget: CampaignBudget) -> None:
        """Give, and write down with each act what was given or why not after all."""
        actor = cause(self.campaign)
        place = {self.rows[gift.number].pk: gift.number for gift in self.gifts}
        for gift in self.gifts:
            gift.number = self.rows[gift.number].pk
        refused = giving.give(self.gifts, known, at=self.at, actor=actor)
        for gift in self.gifts:
            row = self.rows[place[gift.number]]
            row.effects = gift.issued
            if gift.number in refused:
                row.skipped, row.points, row.money = refused[gift.number], 0, Decimal(0)
                self.skipped[row.skipped] += 1
        given = [self.rows[number] for number in place.values()]
        # Where a campaign only speaks, the row stands as it was written.
        changed = [row for row in given if row.effects or row.skipped]
        CampaignAct.objects.bulk_update(changed, ["effects", "skipped", "points", "money"])
        budgets.spend(budget, [Cost(row.points, row.money) for row in given if not row.skipped])

    def _tell(self) -> None:
        """Owe the messages, and append what has happened."""
        pairs = [
            (row, each)
            for row, each in zip(self.rows, self.occurrences, strict=True)
            if not row.skipped
        ]
        wanted = [one for row, each in pairs for one in self._messages(row, each)]
        messages.enqueue(wanted, at=self.at, recorded_at=self.at)
        events.append([self._event(row) for row, _each in pairs])

    def _messages(self, row: CampaignAct, each: Occurrence) -> list[Wanted]:
        expires_at = each.expires_at or each.at + self.trigger.stale_after
        if expires_at <= self.at:
            return []
        said = [
            item if isinstance(item, dict) else {"template": item} for item in self.version.messages
        ]
        templates = [
            str(item["template"])
            for item in said
            if not item.get("variants") or row.variant in item["variants"]
        ]
        context = {**each.context, "points": row.points}
        return [
            Wanted(
                row.member_id, template, cause(self.campaign),
                each.key if not number else f"{each.key}#{number}", self.at, expires_at, context,
            )
            for number, template in enumerate(templates)
        ]  # fmt: skip

    def _event(self, row: CampaignAct) -> NewEvent:
        payload = {
            "campaign": self.campaign.code, "key": row.key, "variant": row.variant,
            "points": row.points, "effects": [item["kind"] for item in row.effects],
            "act": row.pk,
        }  # fmt: skip
        return NewEvent(row.member_id, ACTED, self.at, self.at, payload, cause(self.campaign))
