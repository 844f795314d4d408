"""The programme as the engine sees it: ladders, rules and point policies of all times.

Compiled once from the stored configuration and shared by every member that is folded.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from rewards.domain import validity
from rewards.domain.evaluation import RuleBook, compile_rulebook
from rewards.domain.explanation import MemberTier
from rewards.domain.grants import GrantBook
from rewards.domain.paying import PayTerms
from rewards.domain.rules import Programme, RuleSpec
from rewards.domain.transfers import RuleRef
from rewards.domain.validity import ExpiryPolicy
from tiers.domain.ladder import LadderBook, Metric


@dataclass(frozen=True)
class Policy:
    """How points behave from an instant on; None = since ever."""

    effective_from: datetime | None
    expiry: ExpiryPolicy
    programme: Programme
    return_window_days: dict[str, int] = field(default_factory=dict)
    activates_on_completion: bool = False
    late_fact_days: int | None = 35
    claim_days: int = 30
    give_back_min_days: int = 0
    paying: PayTerms = field(default_factory=PayTerms)

    def expires_at(self, at: datetime) -> datetime | None:
        """Return when points that belong to an instant expire."""
        return validity.expires_at(self.expiry, at)

    def available_at(self, placed_at: datetime, channel: str) -> datetime:
        """Return when points of an order become available."""
        return validity.available_at(placed_at, self.return_window_days.get(channel, 0))


class ProgrammeBook:
    """All that decides, by instant."""

    def __init__(  # noqa: PLR0913 - one for each part of the programme
        self,
        ladders: LadderBook,
        rules: Sequence[RuleSpec],
        policies: Sequence[Policy],
        tier_ids: Mapping[str, int] | None = None,
        behaviours: Collection[str] = (),
        grants: GrantBook | None = None,
        *,
        moderated: Collection[str] = (),
    ) -> None:
        """Compile the rules once per policy; policies come in the order of their instants.

        `tier_ids` are the stored tiers by code: a version of the ladder may leave some out.
        `behaviours` are the kinds of interaction that never earn or qualify, `moderated` those that
        do so once a moderator has agreed.
        """
        self.moderated = frozenset(moderated)
        self.behaviours = frozenset(behaviours)
        self.grants = grants or GrantBook()
        self.tier_ids = tier_ids or {}
        self.ladders = ladders
        self.counts_points = any(
            figure.metric is Metric.POINTS_EARNED
            for version in ladders.versions
            for figure in version.plan.figures
        )
        self._policies = list(policies)
        self._starts = [p.effective_from for p in policies[1:] if p.effective_from is not None]
        self._rules = {rule.key: rule for rule in rules}
        self._refs = {r.key: RuleRef(r.key, r.code, r.version) for r in rules}
        self._books: list[RuleBook] = [compile_rulebook(rules, p.programme) for p in policies]
        self._tier = lru_cache(maxsize=256)(self._make_tier)

    def policy_at(self, at: datetime) -> Policy:
        """Return the point policy in force."""
        return self._policies[bisect_right(self._starts, at) if self._starts else 0]

    def rules_at(self, at: datetime) -> RuleBook:
        """Return the rules as compiled for the policy in force."""
        return self._books[bisect_right(self._starts, at) if self._starts else 0]

    def replacing(self, draft: RuleSpec) -> "ProgrammeBook":
        """Return the programme as if a draft had always held in place of its rule's versions.

        Raises: RuleError where the draft contradicts another rule.
        """
        always = replace(draft, valid_from=None, valid_until=None)
        others = [rule for rule in self._rules.values() if rule.code != draft.code]
        return ProgrammeBook(
            self.ladders, [*others, always], self._policies, self.tier_ids, self.behaviours,
            self.grants, moderated=self.moderated,
        )  # fmt: skip

    def rule(self, key: int) -> RuleSpec | None:
        """Return a rule version by its key, None where it is unknown."""
        return self._rules.get(key)

    @property
    def rules(self) -> list[RuleSpec]:
        """Return all rule versions of all times."""
        return list(self._rules.values())

    def ref(self, key: int) -> RuleRef:
        """Return how entries name a rule version."""
        return self._refs[key]

    def tier_at(self, at: datetime, rank: int) -> MemberTier:
        """Return a tier with its multiplier under the ladder in force."""
        return self._tier(self.ladders.at(at).version, rank)

    def _make_tier(self, version: int, rank: int) -> MemberTier:
        ladder = self.ladders.version(version)
        tier = ladder.tier(min(rank, ladder.top_rank))
        numerator, denominator = tier.multiplier
        return MemberTier(tier.code, tier.rank, numerator, denominator)
