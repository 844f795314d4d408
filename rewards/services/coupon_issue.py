"""Coupons given to members: made for them, or taken out of a pool of codes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.domain.public_id import new_public_id
from members.services import events
from members.services.events import NewEvent
from rewards.domain import coupon_codes
from rewards.models import Coupon, CouponTemplate, Grant, Redemption
from rewards.services.coupon_terms import first_end


class CouponTemplateNotFoundError(DomainError):
    """There is no coupon template with this code."""

    def __init__(self, template: str) -> None:
        super().__init__(
            "coupon_template_not_found",
            _("There is no such coupon template."),
            404,
            template=template,
        )


class CouponTemplateInactiveError(DomainError):
    """The template is switched off, or its time is over: nothing of it is given out."""

    def __init__(self, template: str) -> None:
        super().__init__(
            "coupon_template_inactive",
            _("Coupons of this template are not given out."),
            409,
            template=template,
        )


class CouponTemplateExhaustedError(DomainError):
    """As many coupons as there may be, or as there are codes for, have been given out."""

    def __init__(self, template: str) -> None:
        super().__init__(
            "coupon_template_exhausted",
            _("All coupons of this template have been given out."),
            409,
            template=template,
        )


# The row of the template is the turnstile: who has it counts, and nobody else meanwhile.
_COUNT = """
UPDATE rewards_coupontemplate t SET issued = t.issued + %(count)s
WHERE t.id = %(template)s AND t.is_active AND (t.valid_until IS NULL OR t.valid_until > %(at)s)
  AND (t.max_issued IS NULL OR t.issued + %(count)s <= t.max_issued)
RETURNING NOT t.is_bearer
          AND EXISTS (SELECT 1 FROM rewards_couponbatch b WHERE b.template_id = t.id)
"""

# Codes that another one is taking are passed over, so that takers do not wait for each other.
_TAKE = """
SELECT id FROM rewards_coupon
WHERE template_id = %(template)s AND member_id IS NULL AND issued_at IS NULL
  AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %(at)s)
ORDER BY id LIMIT %(count)s
FOR NO KEY UPDATE SKIP LOCKED
"""


def lock_templates(templates: Collection[CouponTemplate]) -> None:
    """Lock templates in id order, for who issues of several in one transaction."""
    ids = {template.pk for template in templates}
    rows = CouponTemplate.objects.filter(pk__in=ids).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def issue(  # noqa: PLR0913 - what for and by whom are part of what was issued
    *,
    template: CouponTemplate,
    member: int,
    count: int,
    at: datetime,
    actor: str,
    valid_days: int | None = None,
    grant: Grant | None = None,
    redemption: Redemption | None = None,
) -> list[Coupon]:
    """Give coupons of a template to a member, all or none, also where a refusal is caught.

    A template with a pool of codes gives those, and no others. `valid_days` replaces the
    template's days: a coupon is good to the end of the n-th local day after its issue, and never
    longer than its template.
    Raises: CouponTemplateInactiveError, CouponTemplateExhaustedError.
    Source: RWD-01, PTS-03.
    """
    found = issue_each(
        template=template, counts={member: count}, at=at, actor=actor, valid_days=valid_days,
        grant=grant, redemption=redemption,
    )  # fmt: skip
    return found[member]


@transaction.atomic
def issue_each(  # noqa: PLR0913 - what for and by whom are part of what was issued
    *,
    template: CouponTemplate,
    counts: Mapping[int, int],
    at: datetime,
    actor: str,
    valid_days: int | None = None,
    grant: Grant | None = None,
    redemption: Redemption | None = None,
) -> dict[int, list[Coupon]]:
    """Give each of many members so many coupons of a template, all or none; a few statements.

    Raises: CouponTemplateInactiveError, CouponTemplateExhaustedError.
    """
    members = [member for member in sorted(counts) for _number in range(counts[member])]
    is_pooled = count_issued(template, len(members), at)
    coupons = (_take if is_pooled else _made)(template, len(members), at)
    expires_at = expiry_of(template, at, valid_days)
    found: dict[int, list[Coupon]] = {member: [] for member in counts}
    for coupon, member in zip(coupons, members, strict=True):
        coupon.member_id, coupon.issued_at = member, at
        coupon.grant, coupon.redemption = grant, redemption
        coupon.expires_at = first_end(coupon.expires_at, expires_at)
        found[member].append(coupon)
    if is_pooled:
        fields = ["member", "grant", "redemption", "issued_at", "expires_at"]
        Coupon.objects.bulk_update(coupons, fields)
    else:
        Coupon.objects.bulk_create(coupons)
    events.append([_issued(coupon, actor) for coupon in coupons])
    return found


def expiry_of(template: CouponTemplate, at: datetime, valid_days: int | None) -> datetime | None:
    """Return the instant at which a coupon that is issued now is over."""
    days = template.expires_after_days if valid_days is None else valid_days
    if days is None:
        return template.valid_until
    last = clock.local_day(at) + timedelta(days=days)
    return first_end(template.valid_until, clock.day_start(last + timedelta(days=1)))


def count_issued(template: CouponTemplate, count: int, at: datetime) -> bool:
    """Count coupons as issued, within the template's limit; tell whether it has a pool of codes.

    Raises: CouponTemplateInactiveError, CouponTemplateExhaustedError.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"template": template.pk, "count": count, "at": at})
        row = cursor.fetchone()
    if row is None:
        template.refresh_from_db()
        if not template.is_active or not _goes_on(template, at):
            raise CouponTemplateInactiveError(template.code)
        raise CouponTemplateExhaustedError(template.code)
    template.issued += count
    return bool(row[0])


def new_coupon(template: CouponTemplate, at: datetime) -> Coupon:
    """Return a coupon with a new code, not stored yet."""
    return Coupon(
        public_id=new_public_id(at),
        template=template,
        code=coupon_codes.generate(),
        max_uses=template.uses_per_code,
        valid_from=template.valid_from,
    )


def _goes_on(template: CouponTemplate, at: datetime) -> bool:
    return template.valid_until is None or template.valid_until > at


def _made(template: CouponTemplate, count: int, at: datetime) -> list[Coupon]:
    return [new_coupon(template, at) for _number in range(count)]


def _take(template: CouponTemplate, count: int, at: datetime) -> list[Coupon]:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"template": template.pk, "count": count, "at": at})
        ids = [row[0] for row in cursor.fetchall()]
    if len(ids) < count:
        raise CouponTemplateExhaustedError(template.code)
    return _in_order(ids, template)


def _in_order(ids: Sequence[int], template: CouponTemplate) -> list[Coupon]:
    coupons = list(Coupon.objects.filter(pk__in=ids).order_by("pk"))
    for coupon in coupons:
        coupon.template = template
    return coupons


def _issued(coupon: Coupon, actor: str) -> NewEvent:
    assert coupon.member_id is not None
    assert coupon.issued_at is not None
    until = coupon.expires_at
    payload = {
        "coupon": str(coupon.public_id),
        "template": coupon.template.code,
        "expires_at": None if until is None else until.isoformat(),
        "actor": actor,
    }
    return NewEvent(coupon.member_id, "coupon.issued", coupon.issued_at, coupon.issued_at, payload)
