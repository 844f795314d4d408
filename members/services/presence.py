"""Whether the member is there, when a command spends what is theirs.

Each touchpoint says what shows it, and up to how many points nothing has to. What was shown is used
up in the transaction of the command: a command that is refused leaves it as it was.

Source: MEM-15, design §6.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import SpendNeeds, Touchpoint
from members.services import member_codes, one_time_passwords
from members.services.one_time_passwords import CountedTry


@dataclass(frozen=True, slots=True)
class Proof:
    """What a command shows of the member's presence, if anything."""

    member_code: str = field(default="", repr=False)
    otp: CountedTry | None = field(default=None, repr=False)


NO_PROOF: Final = Proof()


class PresenceError(DomainError):
    """The member has not been shown to be there; why a code does not hold is not told."""


def require(
    *,
    touchpoint: Touchpoint | None,
    member: int,
    points: int,
    proof: Proof = NO_PROOF,
    at: datetime,
) -> None:
    """Use up what shows that the member is there, where it is given; refuse where it is needed.

    In the caller's transaction. A one-time password shows as much as a member code does, not the
    other way round. Without a touchpoint (staff, the programme itself) nothing is needed.
    Raises: PresenceError.
    """
    shown = use_up(member=member, proof=proof, at=at)
    if touchpoint is None or touchpoint.spend_needs == SpendNeeds.NONE:
        return
    if points <= touchpoint.spend_free_points:
        return
    enough = {SpendNeeds.OTP} if touchpoint.spend_needs == SpendNeeds.OTP else set(SpendNeeds)
    if not shown & enough:
        raise PresenceError(
            "presence_required",
            _("Show that the member is there."),
            403,
            needs=touchpoint.spend_needs,
            free_points=touchpoint.spend_free_points,
        )


def use_up(*, member: int, proof: Proof, at: datetime) -> set[str]:
    """Use up what was shown and return what it was. In the caller's transaction.

    Raises: PresenceError for what was shown and does not hold: expired, used and wrong alike.
    """
    shown: set[str] = set()
    if proof.member_code:
        if not member_codes.consume(proof.member_code, member=member, at=at):
            raise PresenceError("member_code_invalid", _("The member code does not hold."), 403)
        shown.add(SpendNeeds.MEMBER_CODE)
    if proof.otp is not None:
        if not one_time_passwords.consume(proof.otp, member=member, at=at):
            raise PresenceError("otp_invalid", _("The one-time password does not hold."), 403)
        shown.add(SpendNeeds.OTP)
    return shown
