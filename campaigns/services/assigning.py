"""Who is in a campaign's audience now, and in which arm: written down for rules, tills and firing.

The audience are the active members of the named segments, or all, without those excluded. The
caller holds the campaign's row. Intervals of the campaign's segment begin and end where no purchase
has been decided yet, as rules do.

Source: CMP-02, CMP-09, SEG-07.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Count

from campaigns.domain import assignment, effects
from campaigns.domain.assignment import Assigned, Candidate, Held, Variant
from campaigns.models import Arm, Campaign, CampaignMember, CampaignVersion, GlobalHoldout
from config.base import clock
from members.models import Segment
from rewards.services import rule_publication

BY_SEGMENT: Final = "segment"
BY_GLOBAL_HOLDOUT: Final = "global_holdout"
CHUNK: Final = 5_000

_IN_SEGMENTS = """EXISTS (
    SELECT FROM members_segmentmembership {alias} WHERE {alias}.member_id = m.id
    AND {alias}.segment_id = ANY(%({name})s) AND {alias}.from_at <= %(at)s
    AND ({alias}.to_at IS NULL OR {alias}.to_at > %(at)s))"""

_LEFT = """
UPDATE campaigns_campaignmember c SET left_at = %(at)s
WHERE c.campaign_id = %(campaign)s AND c.left_at IS NULL AND c.arm <> 'excluded'
  AND NOT EXISTS (SELECT FROM ({audience}) a WHERE a.member_id = c.member_id AND NOT a.excluded)
"""
_BACK = """
UPDATE campaigns_campaignmember c SET left_at = NULL
WHERE c.campaign_id = %(campaign)s AND c.left_at IS NOT NULL
  AND EXISTS (SELECT FROM ({audience}) a WHERE a.member_id = c.member_id AND NOT a.excluded)
"""
_NEWCOMERS = """
SELECT a.member_id, a.public_id, a.stratum, a.excluded, c.id
FROM ({audience}) a
LEFT JOIN campaigns_campaignmember c
       ON c.member_id = a.member_id AND c.campaign_id = %(campaign)s
WHERE c.id IS NULL OR (c.arm = 'excluded' AND NOT a.excluded AND c.reason = 'segment')
ORDER BY a.member_id
"""
_OPEN = """
INSERT INTO members_segmentmembership (segment_id, member_id, from_at)
SELECT %(segment)s, c.member_id, %(begins)s FROM campaigns_campaignmember c
WHERE c.campaign_id = %(campaign)s AND c.arm = 'treated' AND c.left_at IS NULL
  AND (%(only)s::bigint[] IS NULL OR c.member_id = ANY(%(only)s))
  AND NOT EXISTS (SELECT FROM members_segmentmembership o
                  WHERE o.segment_id = %(segment)s AND o.member_id = c.member_id
                    AND o.to_at IS NULL)
ORDER BY c.member_id
"""
_CLOSE = """
UPDATE members_segmentmembership o SET to_at = greatest(o.from_at, %(begins)s)
WHERE o.segment_id = %(segment)s AND o.to_at IS NULL
  AND (NOT %(running)s OR NOT EXISTS (
      SELECT FROM campaigns_campaignmember c
      WHERE c.campaign_id = %(campaign)s AND c.member_id = o.member_id
        AND c.arm = 'treated' AND c.left_at IS NULL))
"""


# Who has looked at all counts them; a few newcomers are added to the size that there was.
_NOTE = """
WITH sized AS (
    UPDATE members_segment SET counted_at = %(at)s, size = CASE
        WHEN %(few)s AND size IS NOT NULL THEN size + %(entered)s
        ELSE (SELECT count(*) FROM members_segmentmembership o
              WHERE o.segment_id = %(segment)s AND o.to_at IS NULL) END
    WHERE id = %(segment)s RETURNING size
)
INSERT INTO members_segmentday (segment_id, "on", size, entries, exits)
SELECT %(segment)s, %(today)s, size, %(entered)s, %(left)s FROM sized
ON CONFLICT (segment_id, "on") DO UPDATE
SET size = EXCLUDED.size, entries = members_segmentday.entries + EXCLUDED.entries,
    exits = members_segmentday.exits + EXCLUDED.exits
"""


@dataclass(frozen=True, slots=True)
class Audience:
    """The statement that reads an audience, with what it needs.

    It gives `member_id`, `public_id`, `stratum` (the tier) and `excluded`.
    """

    statement: str
    parameters: Mapping[str, Any]


def audience_of(
    version: CampaignVersion, at: datetime, members: Collection[int] | None = None
) -> Audience:
    """Return how the audience of a version is read, of all members or some."""
    where = ["m.status = 'active'"]
    if version.audience:
        where.append(_IN_SEGMENTS.format(alias="i", name="included"))
    if members is not None:
        where.append("m.id = ANY(%(only)s)")
    excluded = _IN_SEGMENTS.format(alias="x", name="excluded") if version.excluded else "false"
    statement = f"""SELECT m.id member_id, m.public_id, coalesce(t.code, '') stratum,
           {excluded} excluded
    FROM members_member m
    LEFT JOIN tiers_standing s ON s.member_id = m.id AND s.ended_at IS NULL
    LEFT JOIN tiers_tier t ON t.id = s.tier_id
    WHERE {" AND ".join(where)}"""  # noqa: S608 - constants
    only = None if members is None else list(members)
    ids = {
        name: list(Segment.objects.filter(code__in=codes).values_list("pk", flat=True))
        for name, codes in (("included", version.audience), ("excluded", version.excluded))
    }
    return Audience(statement, {"at": at, "only": only, **ids})


def refresh(*, campaign: Campaign, version: CampaignVersion, at: datetime) -> int:
    """Bring the audience up to date: who has left, come back, or come; returns how many came.

    Where the campaign does not run its segment is emptied.
    """
    came = 0
    if campaign.is_running:
        audience = audience_of(version, at)
        parameters = {**audience.parameters, "campaign": campaign.pk}
        with connection.cursor() as cursor:
            for statement in (_LEFT, _BACK):
                cursor.execute(statement.format(audience=audience.statement), parameters)
        newcomers = _newcomers(campaign, audience)
        _assign(campaign, version, at, newcomers)
        came = len(newcomers)
    publish_segment(campaign=campaign, at=at)
    return came


def welcome(
    *, campaign: Campaign, version: CampaignVersion, members: Collection[int], at: datetime
) -> None:
    """Assign those of some members that are new in the audience; others stay as they are."""
    audience = audience_of(version, at, members)
    newcomers = _newcomers(campaign, audience)
    if newcomers:
        promoted = _assign(campaign, version, at, newcomers)
        segment = Segment.objects.get(code=campaign.segment_code)
        only = [*promoted, *(each.member for each in newcomers)]
        with connection.cursor() as cursor:
            cursor.execute(_OPEN, _intervals(campaign, segment, at, only))
            _note(segment, at, entered=cursor.rowcount, is_few=True)


def _intervals(
    campaign: Campaign, segment: Segment, at: datetime, only: Sequence[int] | None = None
) -> dict[str, Any]:
    return {
        "segment": segment.pk, "campaign": campaign.pk, "only": only,
        "running": campaign.is_running, "begins": rule_publication.earliest(at),
    }  # fmt: skip


def publish_segment(*, campaign: Campaign, at: datetime) -> None:
    """Write the members that are addressed down as intervals of the campaign's segment."""
    segment = Segment.objects.get(code=campaign.segment_code)
    parameters, entered = _intervals(campaign, segment, at), 0
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, parameters)
        left = cursor.rowcount
        if campaign.is_running:
            cursor.execute(_OPEN, parameters)
            entered = cursor.rowcount
    _note(segment, at, entered=entered, left=left)


def _note(
    segment: Segment, at: datetime, *, entered: int, left: int = 0, is_few: bool = False
) -> None:
    """Keep how large the segment is and what has moved on this day, as other segments do."""
    parameters: dict[str, Any] = {
        "segment": segment.pk, "at": at, "today": clock.local_day(at), "entered": entered,
        "left": left, "few": is_few,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, parameters)


def global_holdout() -> GlobalHoldout | None:
    """Return the share of members that no campaign addresses, if there is one."""
    return GlobalHoldout.objects.first()


def is_held_out(setting: GlobalHoldout | None, public_id: object) -> bool:
    """Tell whether a member is in the global hold-out."""
    if setting is None or not setting.percent:
        return False
    return assignment.position(setting.salt, str(public_id)) * 100 < float(setting.percent)


@dataclass(frozen=True, slots=True)
class _Newcomer:
    member: int
    public_id: str
    stratum: str
    excluded: bool
    row: int | None


def _assign(
    campaign: Campaign, version: CampaignVersion, at: datetime, newcomers: Sequence[_Newcomer]
) -> list[int]:
    """Put newcomers into arms, and top up the stage from those who wait; returns who of these."""
    writer = _Writer(campaign, effects.parse_variants(version.variants), at)
    setting = global_holdout()
    fresh: dict[str, dict[int, _Newcomer]] = defaultdict(dict)
    for each in newcomers:
        if each.excluded or is_held_out(setting, each.public_id):
            writer.add(each, Arm.EXCLUDED, BY_SEGMENT if each.excluded else BY_GLOBAL_HOLDOUT)
        else:
            fresh[each.stratum][each.member] = each
    promoted: list[int] = []
    held = _held(campaign)
    for stratum in sorted(fresh.keys() | held.keys()):
        arms = _choose(campaign, version, stratum, held.get(stratum, Held()), fresh[stratum])
        promoted += [member for member in arms.treated if member not in fresh[stratum]]
        for arm in (Arm.TREATED, Arm.HOLDOUT, Arm.WAITING):
            for member in set(getattr(arms, arm.value)) & fresh[stratum].keys():
                writer.add(fresh[stratum][member], arm)
    writer.write(promoted)
    return promoted


def _choose(
    campaign: Campaign,
    version: CampaignVersion,
    stratum: str,
    held: Held,
    fresh: Mapping[int, _Newcomer],
) -> Assigned:
    """Choose who of one stratum goes where."""
    wants = assignment.wanted(
        held, len(fresh), holdout_percent=version.holdout_percent,
        stage_percent=campaign.stage_percent,
    )  # fmt: skip
    candidates = [
        Candidate(each.member, assignment.position(campaign.code, each.public_id))
        for each in fresh.values()
    ]
    return assignment.assign(wants, candidates, _waiting(campaign, stratum, wants.treated))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the members of one campaign."""

    campaign: Campaign
    variants: Sequence[Variant]
    at: datetime
    new: list[CampaignMember] = field(default_factory=list)
    changed: list[CampaignMember] = field(default_factory=list)

    def add(self, each: _Newcomer, arm: Arm, reason: str = "") -> None:
        """Take a newcomer into an arm; one who was excluded has a row already."""
        salt = self.campaign.code
        drawn = assignment.draw(
            self.variants, assignment.position(f"{salt}:variant", each.public_id)
        )
        row = CampaignMember(
            pk=each.row, campaign=self.campaign, member_id=each.member, arm=arm, variant=drawn,
            stratum=each.stratum, position=assignment.position(salt, each.public_id),
            entered_at=self.at, treated_at=self.at if arm == Arm.TREATED else None, reason=reason,
        )  # fmt: skip
        (self.new if each.row is None else self.changed).append(row)

    def write(self, promoted: Sequence[int]) -> None:
        """Write the newcomers, and address those who have waited."""
        CampaignMember.objects.bulk_update(
            self.changed, ["arm", "variant", "stratum", "entered_at", "treated_at", "reason"],
            batch_size=CHUNK,
        )  # fmt: skip
        CampaignMember.objects.bulk_create(self.new, batch_size=CHUNK)
        if promoted:
            CampaignMember.objects.filter(campaign=self.campaign, member__in=promoted).update(
                arm=Arm.TREATED, treated_at=self.at
            )


def _newcomers(campaign: Campaign, audience: Audience) -> list[_Newcomer]:
    parameters = {**audience.parameters, "campaign": campaign.pk}
    with connection.cursor() as cursor:
        cursor.execute(_NEWCOMERS.format(audience=audience.statement), parameters)
        return [_Newcomer(row[0], str(row[1]), *row[2:]) for row in cursor.fetchall()]


def _held(campaign: Campaign) -> dict[str, Held]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for stratum, arm, count in _counts(campaign):
        found[stratum][arm] = count
    return {stratum: Held(**counts) for stratum, counts in found.items()}


def _counts(campaign: Campaign) -> Iterator[tuple[str, str, int]]:
    """Yield how many members are in each arm of each stratum, those who have left too."""
    rows = CampaignMember.objects.filter(campaign=campaign).exclude(arm=Arm.EXCLUDED)
    counted = rows.values_list("stratum", "arm").annotate(members=Count("pk")).order_by()
    yield from counted


def _waiting(campaign: Campaign, stratum: str, count: int) -> list[Candidate]:
    """Return the first of those who wait."""
    if not count:
        return []
    rows = CampaignMember.objects.filter(
        campaign=campaign, arm=Arm.WAITING, stratum=stratum, left_at=None
    )
    first = rows.order_by("position", "member_id").values_list("member_id", "position")[:count]
    return [Candidate(member, place) for member, place in first]
