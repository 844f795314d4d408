"""The next best offer on the page of a member, with every reason. Source: CMP-07."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext

from campaigns import offer_words
from campaigns.services import offers
from config.base.names import name_of
from config.base.panels import Visit
from members.admin import consents
from rewards.models import Reward

VIEW: Final = "members.view_memberinsight"
SHOWN: Final = 3


def offers_panel(visit: Visit) -> Mapping[str, Any] | None:
    """Show what suits the member best of what they can have now; nothing where they are gone."""
    decision = offers.decide([visit.subject.pk], at=visit.at).get(visit.subject.pk)
    if decision is None:
        return None
    rows = [
        {
            "reward": reward,
            "name": name_of(reward),
            "score": choice.score,
            "why": [(offer_words.sentence(each), each.score) for each in choice.reasons],
        }
        for reward, choice in decision.offers[:SHOWN]
    ]
    address = reverse("admin:member_consent", args=[visit.subject.pk])
    return {
        "rows": rows,
        "is_personal": decision.is_personal,
        "address": f"{address}?purpose={consents.PERSONALISATION}",
        "may_record": visit.may(consents.PERMISSION),
    }


def event_details(visit: Visit, payload: Mapping[str, Any]) -> Sequence[str]:
    """Say which reward was recommended in a message, and how it was chosen."""
    row = Reward.objects.filter(code=payload["reward"]).first()
    how = gettext("personalised") if payload["is_personal"] else gettext("not personalised")
    codes = [each["code"] for each in payload["reasons"]]
    known = [offer_words.TITLES[code] for code in codes if code in offer_words.TITLES]
    return [name_of(row) if row else str(payload["reward"]), how, *map(str, known)]
