"""What the audit proves of the ledger, of decisions, and of where members' folds stand.

Source: design §4 (Ledger), §5.3; ORG-06, PTS-11.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base import audit
from members.services.audit import minor_units
from rewards.domain.buckets import ALLOWED

FOLDER: Final = Path(__file__).resolve().parent.parent / "sql" / "audit"

TEXTS: Final[dict[str, Promise]] = {
    "grant_given": _("A gift gave what it holds; one taken back leaves nothing."),
    "grant_of_rule": _("A gift is of a version and a step of its rule."),
    "account_balances": _("Every balance is the sum of its entries."),
    "account_buckets": _("The buckets of an account sum to what was earned."),
    "account_head_hash": _("An account knows the hash of its last entry."),
    "account_last_fact": _("An account remembers its member's last fact."),
    "account_last_seq": _("An account knows the number of its last entry."),
    "account_lifetime": _("Every lifetime counter is the sum of its entries."),
    "account_lots": _("The lots of an account hold its pending, available and expired points."),
    "account_next_due": _("An account is due no later than its first lot or reservation."),
    "account_reserved": _("Reserved points are those of the reservations held."),
    "adjustment_budget": _("A touchpoint's budgets hold no more than it has adjusted."),
    "check_in_days": _("A check-in counts days in a row that were all checked in."),
    "coupon_counted": _("A coupon is held and used as often as its uses say."),
    "coupon_held": _("A coupon is set aside for an open reservation of its user."),
    "coupon_issued": _("A template has issued as many coupons as there are."),
    "coupon_member_limit": _("No member uses more coupons of a template than each may."),
    "coupon_on_order": _("A coupon is used on an order of its user that is worth something."),
    "entry_has_lot": _("An entry that brings points in makes one lot of as many points."),
    "entry_hash_chain": _("Every entry is sealed by its hash on top of the one before."),
    "entry_owner": _("An entry belongs to the member of its account."),
    "entry_references": _("Everything that an entry names exists."),
    "entry_seq_dense": _("The entries of an account are numbered without a gap."),
    "entry_transfer_allowed": _("An entry moves points between buckets that allow it."),
    "entry_uses": _("The lots that an entry took from sum to its points."),
    "evaluation_points": _("The points of an evaluation are its awards."),
    "evaluation_subject": _("An evaluation is of one order or one interaction."),
    "fact_is_decided": _("An applied fact has an evaluation."),
    "first_purchase": _("The first purchase is the oldest order that counts."),
    "lot_expired": _("A lot has no more expired points than entries expired of it."),
    "lot_over": _("A lot that is over has nothing left."),
    "lot_owner": _("A lot belongs to the account and order of the entry that made it."),
    "lot_pending": _("Points wait until the instant that their lot names."),
    "lot_remaining": _("What is left of a lot is its points less its uses."),
    "lot_use_owner": _("An entry takes points from lots of its own account only."),
    "lot_use_sign": _("Within one entry all lots give or all lots get."),
    "member_has_account": _("Every member has one points account."),
    "merged_empty": _("A merged member's account holds and owes nothing."),
    "merged_lot": _("A lot taken over in a merge is of the order and rule it came from."),
    "merged_points": _("Points that leave one account in a merge reach the other."),
    "order_as_counted": _("An order counts with its qualifying amount."),
    "posted_as_decided": _("The points of an order are what its newest evaluation awards."),
    "progress_as_counted": _("The progress of an order is what its newest evaluation counts."),
    "redemption_codes": _("A redemption of codes has one for each piece."),
    "redemption_points": _("The points of a redemption are those of its reservation."),
    "redemption_stock": _("A redemption has taken its quantity of its stock."),
    "reservation_entries": _("A reservation says what its entries say."),
    "reservation_over": _("A reservation that is over is no longer held."),
    "reservation_owner": _("A reservation belongs to the member of its account."),
    "shop_message": _("A message from a shop has become facts, or has a case."),
    "snapshot_position": _("A member's fold stands at the last of its facts."),
    "snapshot_progress": _("The totals of a fold are the sums of the member's progress."),
    "snapshot_standing": _("A fold stands on the tier that the member holds."),
    "stock_held": _("What is held of a stock is what held redemptions set aside."),
    "stock_on_hand": _("What is on hand of a stock is what its movements add up to."),
}


def _allowed() -> Mapping[str, Any]:
    return {"allowed": [f"{source}→{target}" for source, target in sorted(ALLOWED)]}


def _time_zone() -> Mapping[str, Any]:
    return {"time_zone": settings.LOYALTY_TIME_ZONE}


def checks() -> list[audit.Check]:
    """Return the checks of this app."""
    return audit.load(
        FOLDER,
        TEXTS,
        {
            "adjustment_budget": _time_zone,
            "entry_transfer_allowed": _allowed,
            "first_purchase": _time_zone,
            "order_as_counted": minor_units,
            "progress_as_counted": minor_units,
            "snapshot_progress": minor_units,
        },
    )
