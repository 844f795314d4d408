"""Bespoke services: asked for by members who have the benefit, kept as a case with owner and clock.

Source: BEN-10.
"""

from datetime import datetime
from typing import Final

from django.db import transaction

from members.models import Case, CaseKind
from members.services import cases
from members.services.cases import NewCase
from rewards.services import benefit_uses

BENEFIT: Final = "bespoke_service"


@transaction.atomic
def request_service(
    *, new: NewCase, at: datetime, actor: str, owner_id: int | None = None, is_favour: bool = False
) -> Case:
    """Open a case for a bespoke service and count it as a use of the benefit, both or neither.

    A favour is for a member without the benefit, and counts as no use of it.
    Raises: CaseError, BenefitNotGrantedError, BenefitExhaustedError, MemberFrozenError.
    """
    assert new.kind == CaseKind.SERVICE_REQUEST
    if not is_favour:
        benefit_uses.use(member=new.member_id, code=BENEFIT, uses=1, at=at, actor=actor)
    return cases.register(new=new, at=at, actor=actor, owner_id=owner_id)
