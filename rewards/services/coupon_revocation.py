"""Coupons taken away before they were used."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.services import events
from members.services.events import NewEvent
from rewards.models import Coupon

OF_GRANT: Final = "grant_revoked"
MAX_REASON: Final = 40


class CouponNotRevocableError(DomainError):
    """The coupon is used or set aside, or was revoked before."""

    def __init__(self) -> None:
        super().__init__(
            "coupon_not_revocable", _("The coupon is used, set aside, or revoked already."), 409
        )


@transaction.atomic
def revoke(*, coupons: Collection[int], reason: str, at: datetime, actor: str) -> int:
    """Take coupons away that nobody has used, all or none; returns how many.

    Raises: CouponNotRevocableError.
    """
    locked = _locked(Coupon.objects.filter(pk__in=coupons))
    if not all(_is_revocable(coupon) for coupon in locked):
        raise CouponNotRevocableError
    return _revoke(locked, reason, at, actor)


@transaction.atomic
def revoke_of_grants(
    *, grants: Collection[int], at: datetime, actor: str
) -> tuple[int, list[Coupon]]:
    """Take away what gifts have given; returns how many were, and those that are used already.

    One that is set aside or partly used counts as used.
    """
    locked = _locked(Coupon.objects.filter(grant__in=grants, revoked_at=None))
    unused = [coupon for coupon in locked if _is_revocable(coupon)]
    used = [coupon for coupon in locked if not _is_revocable(coupon)]
    return _revoke(unused, OF_GRANT, at, actor), used


def _locked(rows: QuerySet[Coupon]) -> list[Coupon]:
    ordered = rows.select_related("template").order_by("pk")
    return list(ordered.select_for_update(of=("self",), no_key=True))


def _is_revocable(coupon: Coupon) -> bool:
    return coupon.revoked_at is None and not coupon.used and not coupon.held


def _revoke(coupons: Iterable[Coupon], reason: str, at: datetime, actor: str) -> int:
    news = list[NewEvent]()
    ids = list[int]()
    for coupon in coupons:
        ids.append(coupon.pk)
        if coupon.member_id is not None:
            payload = {
                "coupon": str(coupon.public_id), "template": coupon.template.code,
                "reason": reason, "actor": actor,
            }  # fmt: skip
            news.append(NewEvent(coupon.member_id, "coupon.revoked", at, at, payload))
    if ids:
        reason = reason[:MAX_REASON]
        Coupon.objects.filter(pk__in=ids).update(revoked_at=at, revoke_reason=reason)
    events.append(news)
    return len(ids)
