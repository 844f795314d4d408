"""What the conditions of a segment can ask for, with the values that the programme has."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy

from config.base import conditions
from config.base.admin.condition_form import Asked, Choices
from config.base.conditions import Field, FieldType, sources
from config.base.names import name_of
from members.models import AttributeDefinition, Channel, Segment, Store
from members.services.segment_reading import SCOPES
from rewards import rule_words
from tiers.models import Tier

ATTRIBUTES: Final = "customer.attributes"
MOST_STORES: Final = 500

_FAMILIES: Final[Mapping[str, str]] = {
    "customer.category_share": "orders",
    "customer.brand_share": "orders",
    "customer.interactions_90d_kind": "interactions",
    "customer.interactions_365d_kind": "interactions",
    "customer.consent": "consents",
    ATTRIBUTES: "member",
}
_TOPICS: Final[Mapping[str, Promise]] = {
    "member": pgettext_lazy("topic", "Member"),
    "orders": pgettext_lazy("topic", "Orders"),
    "interactions": pgettext_lazy("topic", "Interactions"),
    "consents": pgettext_lazy("topic", "Consents"),
    "tier": pgettext_lazy("topic", "Tier"),
    "points": pgettext_lazy("topic", "Points"),
    "insight": pgettext_lazy("topic", "Insight"),
}
# Sources of the fields, by the topic under which they stand.
_TOPIC_OF: Final[Mapping[str, str]] = {
    "profile": "member", "member": "member", "segments": "member", "orders": "orders",
    "lines": "orders", "interactions": "interactions", "consents": "consents", "tier": "tier",
    "account": "points", "lots": "points",
}  # fmt: skip


class SegmentChoices:
    """The values that fields of members can have, read once for a page."""

    def __init__(self, without: str = "") -> None:
        """Read tiers, shops, segments and declared attributes; `without` is left out itself."""
        self._declared = list(AttributeDefinition.objects.all())
        segments = Segment.objects.filter(Q(retired_at=None) & ~Q(code=without))
        self.of: dict[str, Choices] = {
            "customer.tier": [(t.code, name_of(t)) for t in Tier.objects.order_by("rank")],
            "customer.channel": [(str(code), str(label)) for code, label in Channel.choices],
            "customer.home_store": [
                (s.code, str(s)) for s in Store.objects.order_by("code")[:MOST_STORES]
            ],
            "customer.birthday_month": rule_words.months(),
            "customer.segments": [(s.code, name_of(s)) for s in segments],
            **{
                f"{ATTRIBUTES}.{each.code}": [(value, value) for value in each.choices]
                for each in self._declared
                if each.has_choices
            },
        }

    @property
    def labels(self) -> Mapping[str, Mapping[str, str]]:
        """Return the names of values, for sentences."""
        return {name: dict(choices) for name, choices in self.of.items()}

    def asked(self) -> list[Asked]:
        """Return what conditions can ask for: fields, declared attributes, families."""
        known = [f for f in conditions.fields.in_scopes(SCOPES) if sources.knows(f)]
        found = [self._asked(field) for field in known]
        found += [self._attribute(each) for each in self._declared]
        found += [self._family(name, topic) for name, topic in _FAMILIES.items()]
        order = list(_TOPICS.values())
        return sorted(found, key=lambda each: [str(topic) for topic in order].index(each.topic))

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return conditions as a sentence."""
        return rule_words.condition(data, self.labels)

    def value(self, field: Field, value: object) -> str:
        """Return a fact as people name it."""
        if value is None:
            return gettext("unknown")
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        items = value if isinstance(value, list) else [value]
        own = {code: str(label) for code, label in field.choices or ()}
        labels = self.labels.get(field.name) or own
        return ", ".join(str(labels.get(str(item), item)) for item in items) or gettext("none")

    def _asked(self, field: Field) -> Asked:
        choices = self.of.get(field.name)
        if choices is None and field.choices:
            choices = [(code, str(label)) for code, label in field.choices]
        topic = _TOPIC_OF.get(sources.column(field).source, "insight")
        is_open = field.name == "customer.home_store"
        return Asked(
            field.name, str(field.label), field.type, str(_TOPICS[topic]), choices or None,
            is_open=is_open,
        )  # fmt: skip

    def _attribute(self, declared: AttributeDefinition) -> Asked:
        name = f"{ATTRIBUTES}.{declared.code}"
        topic = str(_TOPICS["member"])
        type_ = FieldType(declared.field_type)
        return Asked(name, name_of(declared), type_, topic, self.of.get(name))

    def _family(self, name: str, topic: str) -> Asked:
        field = conditions.fields.family_field(name)
        return Asked(name, str(field.label), field.type, str(_TOPICS[topic]), is_family=True)
