"""Using benefits under the member's lock, with everything that is due settled first.

Source: BEN-08, BEN-14.
"""

from datetime import datetime
from uuid import UUID

from members.models import Touchpoint
from members.services import presence
from members.services.presence import NO_PROOF, Proof
from rewards.services.commands import command
from tiers.models import EntitlementUse
from tiers.services import entitlements
from tiers.services.entitlements import UseNotFoundError


def use(  # noqa: PLR0913 - what a use says
    *,
    member: int,
    code: str,
    uses: int,
    at: datetime,
    actor: str,
    touchpoint: Touchpoint | None = None,
    proof: Proof = NO_PROOF,
) -> list[EntitlementUse]:
    """Use a benefit of an active member; several rows where several claims give it.

    Raises: MemberNotFoundError, MemberFrozenError, BenefitNotFoundError, BenefitNotGrantedError,
    BenefitExhaustedError, PresenceError.
    """
    with command(member=member, at=at, actor=actor, touchpoint=touchpoint):
        presence.use_up(member=member, proof=proof, at=at)
        return entitlements.use(
            member=member, code=code, uses=uses, at=at, actor=actor, touchpoint=touchpoint
        )


def give_back(*, use: UUID, at: datetime, actor: str) -> EntitlementUse:
    """Give a use back; of a member of any status.

    Raises: UseNotFoundError, UseHeldError.
    """
    rows = EntitlementUse.objects.filter(public_id=use)
    member = rows.values_list("member_id", flat=True).first()
    if member is None:
        raise UseNotFoundError
    with command(member=member, at=at, actor=actor, needs_active=False):
        return entitlements.give_back(use=use, at=at, actor=actor)
