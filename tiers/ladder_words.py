"""What a version of the ladder says, part by part, for people."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from config.base.admin import formats
from config.base.names import name_of
from tiers import words
from tiers.models import Purpose, QualificationRule, Tier

if TYPE_CHECKING:
    from tiers.services.ladder_content import Rows

Facet = tuple[str, str]


def facets(rows: "Rows") -> list[Facet]:
    """Return all that a version says as pairs of what and text, to be compared."""
    return [*_terms(rows), *_worth(rows), *_asks(rows)]


def _terms(rows: "Rows") -> Iterator[Facet]:
    version = rows.version
    for name in (
        "validity_days", "grace_days", "review", "refund_policy", "withdraw_days", "warning_days",
        "growth_spend_weight", "growth_interaction_weight", "qualifying_kinds",
        "tenure_counts_suspension",
    ):  # fmt: skip
        column = version._meta.get_field(name)
        value = getattr(version, name)
        shown = getattr(version, f"get_{name}_display", lambda value=value: value)()
        yield str(column.verbose_name), _shown(shown)  # type: ignore[union-attr]  # a column


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(sorted(map(str, value)))
    return formats.plain(value)


def _worth(rows: "Rows") -> Iterator[Facet]:
    for term in rows.terms:
        name = name_of(term.tier)
        yield f"{name}: {_('points multiplier')}", f"× {formats.plain(term.multiplier)}"
        yield f"{name}: {_('tier discount (%)')}", f"{formats.plain(term.discount_percent)}%"


def _asks(rows: "Rows") -> Iterator[Facet]:
    for term in rows.terms:
        for purpose in Purpose:
            found = [r for r in rows.rules if (r.tier, r.purpose) == (term.tier, purpose)]
            if found:
                yield f"{name_of(term.tier)}: {purpose.label}", sentence(found)


def sentence(rules: Iterable[QualificationRule]) -> str:
    """Return what conditions ask for: groups of which any is enough, in each all of them."""
    groups: dict[tuple[Tier | None, int], list[str]] = {}
    for rule in rules:
        groups.setdefault((rule.from_tier, rule.group), []).append(condition(rule))
    told = []
    for (from_tier, _group), parts in groups.items():
        text = _(" and ").join(parts)
        if from_tier is not None:
            text = _("from %(tier)s: %(text)s") % {"tier": name_of(from_tier), "text": text}
        told.append(text)
    return _("; or ").join(told)


def condition(rule: QualificationRule) -> str:
    """Return what one condition asks for."""
    if rule.metric == "attribute":
        return f"{rule.attribute} = {rule.value}"
    amount = words.amount(rule.metric, rule.threshold, rule.unit)
    if rule.metric == "tenure":
        return f"{words.metric(rule.metric)} ≥ {amount}"
    period = words.window(rule.window, rule.window_days)
    return f"{words.metric(rule.metric)} ≥ {amount} ({period})"
