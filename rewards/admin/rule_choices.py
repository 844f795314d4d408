"""What conditions of earning rules can ask for, with the values that the programme has."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy

from config.base.admin.condition_form import Asked, Choices
from config.base.conditions import Field, FieldType
from config.base.conditions.rows import Shorthands
from config.base.names import name_of
from members.models import Channel, InteractionKind, OrderLine, Segment, SegmentKind, Source, Store
from rewards import programme_words, rule_words
from rewards.domain.fields import (
    INTERACTION_FIELDS,
    LINE_FIELDS,
    MEMBER_FIELDS,
    ORDER_FIELDS,
)
from rewards.models.rule import RuleTrigger
from tiers.models import Tier

BIRTHDAY: Final = "order.birthday_month"
ATTRIBUTES: Final = "member.attributes"
LINES_LOOKED_AT: Final = 2_000
MOST_STORES: Final = 500

# A rule meets the audiences of campaigns only, and campaigns write those rules themselves: who is
# in another segment changes at instants at which purchases have been decided already.
_HIDDEN: Final = frozenset({"member.segments"})

SHORTHANDS: Final[Shorthands] = {BIRTHDAY: programme_words.BIRTHDAY_MONTH}

_TOPICS: Final[Mapping[str, Promise]] = {
    "order": pgettext_lazy("topic", "Order"),
    "interaction": pgettext_lazy("topic", "Interaction"),
    "member": pgettext_lazy("topic", "Member"),
    "line": pgettext_lazy("topic", "Line"),
}


class RuleChoices:
    """The values that fields can have, read once for a page."""

    def __init__(self) -> None:
        """Read tiers, shops and kinds of interaction; what lines hold only when asked for."""
        tiers = [(tier.code, name_of(tier)) for tier in Tier.objects.order_by("rank")]
        stores = [
            (store.code, str(store)) for store in Store.objects.order_by("code")[:MOST_STORES]
        ]
        kinds = [(kind.code, name_of(kind)) for kind in InteractionKind.objects.order_by("code")]
        audiences = Segment.objects.filter(kind=SegmentKind.CAMPAIGN)
        segments = [(segment.code, name_of(segment)) for segment in audiences]
        channels = [(str(code), str(label)) for code, label in Channel.choices]
        sources = [(code, code) for code in Source.objects.values_list("code", flat=True)[:100]]
        self.of: dict[str, Choices] = {
            "member.tier": tiers,
            "member.segments": segments,
            "order.channel": channels,
            "order.store": stores,
            "order.source": sources,
            "interaction.source": sources,
            "interaction.kind": kinds,
            "order.weekday": rule_words.weekdays(),
            "interaction.weekday": rule_words.weekdays(),
            "order.month": rule_words.months(),
            "interaction.month": rule_words.months(),
            "member.birthday_month": rule_words.months(),
            "order.day": [(str(number), str(number)) for number in range(1, 32)],
            "order.hour": [(str(hour), f"{hour:02}:00–{hour:02}:59") for hour in range(24)],
        }

    @property
    def labels(self) -> rule_words.Labels:
        """Return the names of values, for sentences."""
        named = (
            "member.tier",
            "member.segments",
            "order.channel",
            "order.store",
            "interaction.kind",
            "order.hour",
        )
        return {name: dict(self.of[name]) for name in named}

    def for_rule(self, trigger: str) -> list[Asked]:
        """Return what the conditions of a rule can ask for."""
        own = INTERACTION_FIELDS if trigger == RuleTrigger.INTERACTION else ORDER_FIELDS
        found = [self._asked(field) for field in (*own, *MEMBER_FIELDS)]
        if own is ORDER_FIELDS:
            found.append(
                Asked(
                    BIRTHDAY, gettext("In the month of the birthday"), FieldType.BOOLEAN,
                    str(_TOPICS["order"]), is_shorthand=True,
                )
            )  # fmt: skip
        family = Asked(
            ATTRIBUTES, gettext("Member attribute"), FieldType.STRING,
            str(_TOPICS["member"]), is_family=True,
        )  # fmt: skip
        return [each for each in found if each.name not in _HIDDEN] + [family]

    def for_lines(self) -> list[Asked]:
        """Return what line conditions can ask for; categories and brands as lately sold."""
        latest = OrderLine.objects.order_by("-pk").values_list("category", "brand")
        sold = list(latest[:LINES_LOOKED_AT])
        self.of["line.category"] = _distinct(category for category, _brand in sold)
        self.of["line.brand"] = _distinct(brand for _category, brand in sold)
        return [self._asked(field) for field in LINE_FIELDS]

    def _asked(self, field: Field) -> Asked:
        choices = self.of.get(field.name)
        if choices is None and field.choices:
            choices = [(code, str(label)) for code, label in field.choices]
        is_open = field.name in {"line.category", "line.brand", "order.store"}
        topic = str(_TOPICS[field.scope])
        return Asked(
            field.name, str(field.label), field.type, topic, choices or None, is_open=is_open
        )


def _distinct(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in sorted(set(values)) if value]
