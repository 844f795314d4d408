"""From draft to the end of a campaign: reviewed, piloted, widened, paused, ended.

What runs was agreed to by a second person, as it stood when it was sent; widening, pausing and
ending what is agreed takes one. Everything that tills must know is written down when a state
changes: the audience as intervals of a segment, multipliers as earning rules.

Source: CMP-09, CMP-12, CMP-14.
"""

import logging
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, CampaignState, CampaignVersion, VersionState
from campaigns.models.campaign import RUNNING
from campaigns.services import (
    assigning,
    budgets,
    campaign_drafts,
    campaign_rules,
    multipliers,
    triggering,
)
from campaigns.services.campaign_drafts import PUBLISH, CampaignError, content
from members.models import Approval, Segment
from members.models.segment import SegmentKind
from members.services import drafts

SYSTEM: Final = "system"
WHOLE: Final = 100

logger = logging.getLogger(__name__)


@transaction.atomic
def submit(*, version_id: int, percent: int, reason: str, actor: str, at: datetime) -> Approval:
    """Send a draft for review, with the share of the audience that it begins with.

    Raises: CampaignError where it is no draft or could not run; DraftError, ApprovalError.
    """
    _check_percent(percent)
    draft = campaign_drafts.locked(version_id)
    _check_open(draft, at)
    campaign_drafts.check(draft, at)
    approval = drafts.submit(
        kind=PUBLISH, draft_id=draft.pk, content={**content(draft), "percent": percent},
        reason=reason, actor=actor, at=at,
    )  # fmt: skip
    if draft.campaign.state == CampaignState.DRAFT:
        draft.campaign.state = CampaignState.REVIEW
        draft.campaign.save(update_fields=["state"])
    return approval


@transaction.atomic
def withdraw(*, version_id: int, actor: str, at: datetime) -> None:
    """Take a draft back from review.

    Raises: DraftError where it is not there.
    """
    draft = campaign_drafts.locked(version_id)
    if not campaign_drafts.take_back(draft, actor=actor, at=at):
        raise drafts.DraftError("draft_not_in_review", _("This draft is not in review."), 409)


def drop(approval: Approval) -> None:
    """Let a campaign whose review came to nothing be a draft again."""
    rows = Campaign.objects.filter(versions=approval.payload[drafts.SUBJECT])
    rows.filter(state=CampaignState.REVIEW).update(state=CampaignState.DRAFT)


@transaction.atomic
def publish(approval: Approval, at: datetime) -> None:
    """Let a version run as it was sent for review, in place of the one before.

    Raises: CampaignError, DraftChangedError; RuleError where its multipliers contradict others.
    """
    draft = campaign_drafts.locked(int(approval.payload[drafts.SUBJECT]))
    percent = int(approval.payload["content"]["percent"])
    drafts.check_unchanged(approval, {**content(draft), "percent": percent})
    start(version=draft, percent=percent, actor=approval.requested_by, at=at)


@transaction.atomic
def start(*, version: CampaignVersion, percent: int, actor: str, at: datetime) -> Campaign:
    """Let a draft run that is agreed to, or that is a preset of the product.

    Raises: CampaignError where it could not run; RuleError.
    """
    campaign = locked(version.campaign_id)
    _check_open(version, at)
    campaign_drafts.check(version, at)
    version.state, version.published_at = VersionState.PUBLISHED, at
    version.save(update_fields=["state", "published_at"])
    campaign.running = version
    campaign.started_at = campaign.started_at or at
    campaign.stage_percent = max(campaign.stage_percent, percent)
    if campaign.state != CampaignState.PAUSED:
        campaign.state = _stage(campaign)
    campaign.save(update_fields=["running", "started_at", "stage_percent", "state"])
    _open_segment(campaign, actor, at)
    _set_limits(campaign, version, at)
    _write_down(campaign, actor=actor, at=at)
    return campaign


@transaction.atomic
def widen(*, campaign_id: int, percent: int, actor: str, at: datetime) -> Campaign:
    """Address a larger share of the audience; who was addressed stays so.

    Raises: CampaignError where it does not run, or the share is no larger.
    """
    _check_percent(percent)
    campaign = _in_state(campaign_id, RUNNING)
    if percent <= campaign.stage_percent:
        raise CampaignError(
            "stage_not_larger", _("A stage can only become larger."), 409,
            percent=campaign.stage_percent,
        )  # fmt: skip
    campaign.stage_percent = percent
    campaign.state = _stage(campaign)
    campaign.save(update_fields=["stage_percent", "state"])
    refresh(campaign=campaign, at=at)
    return campaign


@transaction.atomic
def pause(*, campaign_id: int, actor: str, at: datetime) -> Campaign:
    """Stop addressing members for a while; everybody stays in their arm.

    Raises: CampaignError where it does not run.
    """
    campaign = _in_state(campaign_id, RUNNING)
    campaign.state = CampaignState.PAUSED
    campaign.save(update_fields=["state"])
    _write_down(campaign, actor=actor, at=at)
    return campaign


@transaction.atomic
def resume(*, campaign_id: int, actor: str, at: datetime) -> Campaign:
    """Go on after a pause.

    Raises: CampaignError where it is not paused, or over.
    """
    campaign = _in_state(campaign_id, [CampaignState.PAUSED])
    _check_open(_running(campaign), at)
    campaign.state = _stage(campaign)
    campaign.save(update_fields=["state"])
    _write_down(campaign, actor=actor, at=at)
    return campaign


@transaction.atomic
def end(*, campaign_id: int, actor: str, at: datetime) -> Campaign:
    """End a campaign for good; what it has given stays given.

    Raises: CampaignError where it has not begun or is over already.
    """
    campaign = _in_state(campaign_id, [*RUNNING, CampaignState.PAUSED])
    campaign.state, campaign.ended_at = CampaignState.ENDED, at
    campaign.save(update_fields=["state", "ended_at"])
    _write_down(campaign, actor=actor, at=at)
    return campaign


def refresh(*, campaign: Campaign, at: datetime) -> int:
    """Bring the audience of a campaign, locked, up to date; returns how many have come."""
    return assigning.refresh(campaign=campaign, version=_running(campaign), at=at)


def keep_going(*, at: datetime) -> int:
    """End what is over and bring the audiences of the rest up to date; returns how many campaigns.

    Each is a transaction of its own; one that fails keeps no other from it.
    """
    rows = Campaign.objects.filter(state__in=[*RUNNING, CampaignState.PAUSED])
    done = 0
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        try:
            done += _keep_going(pk, at)
        except Exception:
            logger.exception("campaign %s could not be kept going", pk)
    return done


@transaction.atomic
def _keep_going(campaign_id: int, at: datetime) -> bool:
    campaign = locked(campaign_id)
    version = campaign.running
    if version is None or campaign.state == CampaignState.ENDED:
        return False
    if version.ends_at is not None and version.ends_at <= at:
        end(campaign_id=campaign_id, actor=SYSTEM, at=at)
    elif campaign.is_running:
        refresh(campaign=campaign, at=at)
    return True


def locked(campaign_id: int) -> Campaign:
    """Return a campaign, locked, with the version that it runs."""
    rows = Campaign.objects.select_related("running")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)


def _in_state(campaign_id: int, states: object) -> Campaign:
    campaign = locked(campaign_id)
    if campaign.state not in list(states):  # type: ignore[call-overload]  # any states
        raise CampaignError(
            "campaign_state", _("The campaign does not stand where this can be done."), 409,
            state=campaign.state,
        )  # fmt: skip
    return campaign


def _running(campaign: Campaign) -> CampaignVersion:
    assert campaign.running is not None, "a campaign that has begun says what it does"
    return campaign.running


def _stage(campaign: Campaign) -> CampaignState:
    return CampaignState.LIVE if campaign.stage_percent == WHOLE else CampaignState.PILOT


def _check_percent(percent: int) -> None:
    if not 0 < percent <= WHOLE:
        raise CampaignError("stage_out_of_range", _("A stage is between 1 and 100 per cent."))


def _check_open(version: CampaignVersion, at: datetime) -> None:
    if version.campaign.state == CampaignState.ENDED:
        raise CampaignError("campaign_ended", _("This campaign is over."), 409)
    if version.ends_at is not None and version.ends_at <= at:
        raise CampaignError("campaign_over", _("The period of this campaign is over already."))


def _open_segment(campaign: Campaign, actor: str, at: datetime) -> None:
    Segment.objects.get_or_create(
        code=campaign.segment_code,
        defaults={
            "kind": SegmentKind.CAMPAIGN, "name_zh": campaign.name_zh,
            "name_en": campaign.name_en, "created_at": at, "created_by": actor,
        },
    )  # fmt: skip


def _set_limits(campaign: Campaign, version: CampaignVersion, at: datetime) -> None:
    try:
        with transaction.atomic():
            budgets.set_limits(campaign, version, at)
    except IntegrityError as error:
        raise CampaignError(
            "budget_below_given", _("More than this budget has been given already."), 409
        ) from error


def _write_down(campaign: Campaign, *, actor: str, at: datetime) -> None:
    """Publish what tills must know of a campaign, or take it back where it does not run."""
    version = _running(campaign)
    if campaign.is_running:
        multipliers.begin(campaign, version, actor=actor, at=at)
    else:
        campaign_rules.end(campaign, at=at)
    triggering.follow_wanted()
    refresh(campaign=campaign, at=at)
