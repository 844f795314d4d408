"""Stories of members on a ladder of one's own; each is proven when it is over.

Days count from 2 March 2026, a Monday, at local noon.
"""

from collections.abc import Callable, Iterator
from typing import Any

from config.base import audit
from config.wiring import audits
from members.models import Member
from rewards.services import enrolment, recompute
from rewards.services.joining_requests import EnrolmentRequest
from tests.engine.shop import Shop, day
from tests.factories import ladders
from tests.factories.ladders import Way
from tiers.models import LadderVersion

SECOND = 1 / 86_400
THREE_YEARS = 1096

Story = Callable[[Shop, Member], object]


def proven_shop() -> Iterator[Shop]:
    """Give a shop; afterwards folding from zero gives what is stored, and the audit is silent."""
    yield Shop()
    ids = list(Member.objects.values_list("id", flat=True))
    assert [str(difference) for _member, difference in recompute.recompute_slice(ids)] == []
    audits.install()
    results = [audit.run_one(check) for check in audit.registered()]
    found = [f"{r.check.code}: {violation}" for r in results for violation in r.violations]
    assert found == []


def silver_for(*groups: list[Way], **terms: Any) -> LadderVersion:
    """Let a new ladder give silver for any of these groups, and nothing else."""
    version = ladders.replace(**terms)
    ladders.ask(version, "silver", *groups)
    return version


def buys(*orders: tuple[float, int | str]) -> Story:
    """Return a story of orders: the day and the amount of each."""

    def happens(shop: Shop, who: Member) -> None:
        for number, (on, amount) in enumerate(orders):
            shop.buy(who, f"{who.pk}-{number}", amount, on=on)

    return happens


def does(*deeds: tuple[float, str]) -> Story:
    """Return a story of interactions: the day and the kind of each."""

    def happens(shop: Shop, who: Member) -> None:
        for number, (on, kind) in enumerate(deeds):
            shop.do(who, f"{who.pk}-{number}", kind, on=on)

    return happens


def both(*stories: Story) -> Story:
    """Return the stories one after the other."""

    def happens(shop: Shop, who: Member) -> None:
        for story in stories:
            story(shop, who)

    return happens


def join(shop: Shop, name: str, on: float = 0, **values: Any) -> Member:
    """Enrol a member with whatever else is known, on a day."""
    request = EnrolmentRequest(identifiers=(("external", name, ""),), **values)
    (made,) = enrolment.enrol_members([request], touchpoint=shop.touchpoint, at=day(on))
    shop.now = max(shop.now, day(on))
    assert made.member_id is not None
    return Member.objects.get(pk=made.member_id)
