"""A shop with running campaigns: time passes by the programme's own clock, events are followed."""

from datetime import datetime
from typing import Any

from campaigns.domain.triggers import instant
from campaigns.models import Campaign, CampaignAct, Message, MessageTemplate, Purpose
from campaigns.services import trigger_calendar, trigger_waiting, triggering
from campaigns.services.message_templates import TemplateTerms, Texts, create, publish, save_draft
from config.base import clock
from config.wiring import followers
from members.services import delivery
from rewards.services import due
from tests.engine.shop import Shop, day
from tests.factories import campaigns

HELLO = "hello"


class World(Shop):
    """A shop, and what its campaigns have done."""

    def __init__(self) -> None:
        super().__init__()
        followers.install()
        clock.advance_programme_time(day(0))
        self.template()

    def template(self, code: str = HELLO, purpose: Purpose = Purpose.SERVICE) -> MessageTemplate:
        """Make a published template."""
        terms = TemplateTerms(code, code, code, purpose)
        made = create(terms=terms, actor="t", at=self.now)
        said = {"zh": {"inbox": {"subject": "Hello", "body": "Hello"}}}
        save_draft(template_id=made.pk, texts=Texts(said, []), actor="t", at=self.now)
        publish(template_id=made.pk, actor="t", at=self.now)
        return made

    def run(self, trigger: dict[str, Any], *, at: float = 0, **terms: Any) -> Campaign:
        """Start a campaign that says hello."""
        said = {"messages": [HELLO], **terms}
        return campaigns.running(at=day(at), trigger=trigger, **said)

    def follow(self, at: datetime | None = None) -> None:
        """Hand campaigns the events that are waiting."""
        while delivery.deliver(follower=triggering.FOLLOWER, at=at or self.now):
            pass

    def pass_to(self, at: datetime) -> None:
        """Let the scheduler run at an instant."""
        self.now = max(self.now, at)
        due.settle_due(at=at, recorded_at=at)
        clock.advance_programme_time(at)
        self.follow(at)
        trigger_waiting.fire_waiting(at=at, recorded_at=at)
        trigger_calendar.fire_calendar(at=at, recorded_at=at)


def hour(number: int, of_day: int) -> datetime:
    """Return an hour of a day of the shop."""
    return instant(clock.local_day(day(number)), of_day)


def acts(campaign: Campaign) -> list[tuple[int, str]]:
    """Return the members and occurrences for which a campaign has acted, in order."""
    rows = CampaignAct.objects.filter(campaign=campaign, skipped="").order_by("id")
    return list(rows.values_list("member_id", "key"))


def keys(campaign: Campaign) -> list[str]:
    """Return the occurrences for which a campaign has acted, in order."""
    return [key for _member, key in acts(campaign)]


def told(campaign: Campaign) -> list[str]:
    """Return the occurrences of which members are told."""
    rows = Message.objects.filter(trigger=f"campaign:{campaign.code}").order_by("id")
    return list(rows.values_list("occurrence", flat=True))
