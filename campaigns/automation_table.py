"""The table of automations as people read it: in the console and in docs/automations.md."""

from collections.abc import Mapping

from django.utils import translation
from django.utils.translation import gettext

from campaigns import trigger_words
from campaigns.domain.automations import AUTOMATIONS, CHANNELS, SERVICE, Automation
from campaigns.domain.triggers import StopIf, Trigger
from campaigns.trigger_words import Labels

_INTRODUCTION = """# Automations

What the product tells members by itself once an automation is switched on (Campaigns →
Automations, or
`manage.py preset classic --automations`). From this table anybody can compute who is told what,
and when. It is written by
`manage.py automations --table`; a test holds it against the code.

- Addressed is every active member who has joined by the instant at which the automation acts.
  Nobody is held out.
- Days and hours are the programme's. "at once" is with the next sweep, seconds after the event.
- An order counts while it is paid and worth more than 0; its event is its placing. What happened
  before the automation was switched on starts nothing.
- "n days later at h:00" is n programme days after the day of the event; where an event acts
  "at h:00", that is the next h:00. "unless there has been an order by then": an order placed
  after the event, for an enrolment any order at all, means that nothing is said. An order that
  is cancelled or refunded in full by then is not followed up.
- A tier is about to lapse once a term, as many days before its last day as the ladder warns. A
  lifecycle stage begins with the first run that finds the member in it.
- A condition of the calendar is looked at when the scheduler goes through that day: points that
  are spent by then are not spoken of, who has bought by then is not dormant.
- A day of 29 February is 28 February in other years (`LOYALTY_LEAP_DAY`).
- Each occurrence is told once. After downtime the days missed are gone through in order; what is
  later than its time by more than "worth telling" is not told any more.
- A message goes out by the first channel, in the order of the delivery settings or of the
  member, that reaches the member and that consent allows; quiet hours and the caps on marketing
  hold as for every message. Marketing needs a consent to marketing, service messages go to
  whoever has not refused them.

"""

COLUMNS = (
    "automation", "starts with", "acts", "unless", "worth telling", "once in", "occurrence",
    "says or gives", "channels, in this order",
)  # fmt: skip

OCCURRENCES: Mapping[str, str] = {
    "order": "each order (of the n-th order: once)",
    "enrolment": "once",
    "tier_up": "tier and day",
    "tier_lapsing": "tier and its last day",
    "lifecycle": "each change",
    "points_expiring": "last valid day",
    "birthday": "year",
    "first_purchase": "number of years",
    "membership": "number of years",
    "festival": "festival and its day",
    "dormancy": "day of the last order",
    "score": "threshold, and day of the last order or of the crossing",
    "schedule": "day",
}


def table() -> str:
    """Return docs/automations.md."""
    with translation.override("en"):
        rows = [COLUMNS, ["---"] * len(COLUMNS), *(_cells(each) for each in AUTOMATIONS)]
        return _INTRODUCTION + "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _cells(each: Automation) -> list[str]:
    trigger = each.parsed
    said = f"{each.purpose} message `{each.template}`" if each.template else "a case for staff"
    return [
        f"`{each.code}` {each.name_en} · {each.name_zh}",
        trigger_words.what(trigger),
        trigger_words.when(trigger),
        "an order by then" if trigger.stop_if is StopIf.PURCHASE else "–",
        trigger_words.valid(trigger),
        f"{trigger.cooldown_days} days" if trigger.cooldown_days else "–",
        OCCURRENCES[trigger.kind.value],
        said,
        ", ".join(CHANNELS) if each.template else "–",
    ]


def purpose(each: Automation) -> str:
    """Return what an automation writes for, or that it only gives."""
    if not each.template:
        return gettext("Case")
    return gettext("Service") if each.purpose == SERVICE else gettext("Marketing")


def sentence(trigger: Trigger, labels: Labels) -> str:
    """Return the trigger of an automation in words."""
    return trigger_words.sentence(trigger, labels)
