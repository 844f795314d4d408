"""What coupons ask of whoever uses them: whose they are, how often, and whether for the first time.

Members who were merged count as one. A fixed number of statements, whatever the number of members.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from config.base import bulk
from members.services import identity
from rewards.models import Coupon

_USES: Final = """
SELECT l.survivor, c.template_id, count(*)
FROM unnest(%s::bigint[], %s::bigint[]) AS l (survivor, member)
JOIN rewards_couponuse u ON u.member_id = l.member AND u.status <> 'returned'
JOIN rewards_coupon c ON c.id = u.coupon_id
WHERE c.template_id = ANY(%s::bigint[])
GROUP BY l.survivor, c.template_id
"""

_EARLIER: Final = """
SELECT DISTINCT p.place
FROM unnest(%s::int[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[])
     AS p (place, member, placed_at, source, order_no)
WHERE EXISTS (
    SELECT 1 FROM members_order o
    WHERE o.member_id = p.member AND o.status <> 'cancelled' AND o.net_amount > 0
      AND (o.placed_at, o.source, o.order_no) < (p.placed_at, p.source, p.order_no))
"""


@dataclass(frozen=True, slots=True)
class Purchase:
    """One order of a member, or one that is about to be made (without a number)."""

    member: int
    placed_at: datetime
    source: str = ""
    order_no: str = ""


@dataclass(slots=True)
class Shoppers:
    """What is known of the members of some purchases, as far as the coupons in hand ask."""

    lines: dict[int, list[int]] = field(default_factory=dict)
    uses: dict[tuple[int, int], int] = field(default_factory=dict)
    later: set[Purchase] = field(default_factory=set)

    def owns(self, member: int | None, coupon: Coupon) -> bool:
        """Say whether a coupon may be used by a member, or by whoever has it."""
        if coupon.template.is_bearer or coupon.member_id is None:
            return coupon.template.is_bearer
        return member is not None and coupon.member_id in self.all_of(member)

    def all_of(self, member: int) -> Sequence[int]:
        """Return the member and all that were merged into it."""
        return self.lines.get(member, (member,))

    def uses_of(self, member: int | None, coupon: Coupon) -> int:
        """Return how many coupons of the template the member has in use, held ones too."""
        return 0 if member is None else self.uses.get((member, coupon.template_id), 0)

    def count(self, member: int, coupon: Coupon) -> None:
        """Note that the member has one more of the template in use."""
        key = (member, coupon.template_id)
        self.uses[key] = self.uses.get(key, 0) + 1

    def is_first(self, purchase: Purchase | None) -> bool:
        """Say whether no order of the member that counts was placed before."""
        return purchase is not None and purchase not in self.later


def about(purchases: Collection[Purchase], coupons: Collection[Coupon]) -> Shoppers:
    """Return what these coupons ask of these members; statements only where they ask.

    Source: RWD-06.
    """
    members = {purchase.member for purchase in purchases}
    limited = {c.template_id for c in coupons if c.template.uses_per_member is not None}
    is_first_asked = any(coupon.template.is_first_order_only for coupon in coupons)
    owners = {c.member_id for c in coupons if not c.template.is_bearer} - {None}
    shoppers = Shoppers()
    if not members or not (limited or is_first_asked or owners - members):
        return shoppers
    shoppers.lines = identity.lineages(members)
    if limited:
        shoppers.uses = _uses(shoppers.lines, limited)
    if is_first_asked:
        shoppers.later = _later(list(purchases), shoppers.lines)
    return shoppers


def about_to_buy(member: int, at: datetime) -> Purchase:
    """Return the purchase that comes after every order placed until now."""
    return Purchase(member, at + timedelta(microseconds=1))


def _uses(lines: dict[int, list[int]], templates: Iterable[int]) -> dict[tuple[int, int], int]:
    pairs = [(survivor, member) for survivor, line in lines.items() for member in line]
    survivors, members = zip(*pairs, strict=True)
    rows = bulk.fetch(_USES, [list(survivors), list(members), sorted(templates)])
    return {(survivor, template): count for survivor, template, count in rows}


def _later(purchases: Sequence[Purchase], lines: dict[int, list[int]]) -> set[Purchase]:
    """Return the purchases before which another one was made."""
    rows = [
        (place, member, purchase.placed_at, purchase.source, purchase.order_no)
        for place, purchase in enumerate(purchases)
        for member in lines[purchase.member]
    ]
    found = bulk.fetch(_EARLIER, [list(column) for column in zip(*rows, strict=True)])
    return {purchases[place] for (place,) in found}
