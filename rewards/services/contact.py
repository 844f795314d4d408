"""A new phone or card, and the facts that have waited for it."""

from datetime import datetime

from members.models import Member
from members.services import contact
from rewards.services import intake


def change_phone(
    *, member: int, phone: str, verified_by: str, reason: str, actor: str, at: datetime
) -> Member:
    """Change a member's phone; purchases that were reported for the new one are the member's now.

    Raises: IdentifierInvalid, IdentifierTakenError, ContactError.
    Source: STF-06, design §5.1 (6).
    """

    def attempt() -> Member:
        changed = contact.change_phone(
            member_id=member, phone=phone, verified_by=verified_by, reason=reason, actor=actor,
            at=at,
        )  # fmt: skip
        intake.attach_awaiting(members=[member], at=at, actor=actor)
        return changed

    return intake.insist(attempt)


def replace_card(
    *, member: int, card_number: str, verified_by: str, reason: str, actor: str, at: datetime
) -> Member:
    """Replace a member's card; purchases that were reported for the new one are the member's now.

    Raises: IdentifierInvalid, IdentifierTakenError, ContactError.
    Source: STF-06.
    """

    def attempt() -> Member:
        changed = contact.replace_card(
            member_id=member, card_number=card_number, verified_by=verified_by, reason=reason,
            actor=actor, at=at,
        )  # fmt: skip
        intake.attach_awaiting(members=[member], at=at, actor=actor)
        return changed

    return intake.insist(attempt)
