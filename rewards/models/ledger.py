"""The points ledger: accounts are caches, entries are the truth.

One entry is one transfer of a positive number of points between two buckets of one account, so
every row is balanced by construction.
"""

from django.contrib.postgres.indexes import BTreeIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models.append_only import AppendOnly
from rewards.domain.buckets import ALLOWED, Bucket


class PointsAccount(models.Model):
    """A member's balances: what the entries add up to, kept for reading and for locking."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="accounts", db_index=False,
        verbose_name=_("member"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=16, default="points")
    pending = models.BigIntegerField(_("pending"), default=0)
    available = models.BigIntegerField(_("available"), default=0)
    reserved = models.BigIntegerField(_("reserved"), default=0)
    debt = models.BigIntegerField(_("debt"), default=0)
    earned = models.BigIntegerField(_("earned"), default=0)
    redeemed = models.BigIntegerField(_("redeemed"), default=0)
    expired = models.BigIntegerField(_("expired"), default=0)
    reversed = models.BigIntegerField(_("reversed"), default=0)
    adjusted = models.BigIntegerField(_("adjusted"), default=0)
    seq = models.BigIntegerField(_("last entry"), default=0)
    head_hash = models.BinaryField(_("head hash"), max_length=32)
    settled_at = models.DateTimeField(_("settled until"), null=True, blank=True)
    next_due_at = models.DateTimeField(_("next due"), null=True, blank=True)
    last_fact_at = models.DateTimeField(_("last fact"), null=True, blank=True)

    class Meta:
        verbose_name = _("points account")
        verbose_name_plural = _("points accounts")
        constraints = [
            models.UniqueConstraint(fields=["member", "kind"], name="account_unique"),
            models.CheckConstraint(
                condition=Q(pending__gte=0)
                & Q(available__gte=0)
                & Q(reserved__gte=0)
                & Q(debt__gte=0),
                name="account_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(debt=0) | Q(available=0), name="account_debt_settled_first"
            ),
            models.CheckConstraint(
                condition=Q(
                    earned=F("pending")
                    + F("available")
                    + F("reserved")
                    + F("redeemed")
                    + F("expired")
                    + F("reversed")
                    + F("adjusted")
                    - F("debt")
                ),
                name="account_buckets_sum_to_issued",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_due_at"], condition=Q(next_due_at__isnull=False), name="account_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.member_id}/{self.kind}"


def _allowed_transfers() -> Q:
    condition = Q(pk__in=[])
    for source, target in sorted(ALLOWED):
        condition |= Q(source=source, target=target)
    return condition


class Entry(AppendOnly):
    """One transfer of points between two buckets of an account, chained by its hash.

    No constraint ties it to what it names: whoever posts has just read or written those rows and
    holds the account's lock, and the audit proves them (`entry_references`). Deferred checks, six a
    row, cost a third of a night's expiry and something of every order.
    """

    account = models.ForeignKey(
        PointsAccount, models.PROTECT, related_name="entries", db_index=False, db_constraint=False,
        verbose_name=_("account"),
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, db_constraint=False,
        verbose_name=_("member"),
    )  # fmt: skip
    seq = models.BigIntegerField(_("sequence"))
    source = models.CharField(_("from"), max_length=12, choices=Bucket.choices())
    target = models.CharField(_("to"), max_length=12, choices=Bucket.choices())
    points = models.BigIntegerField(_("points"))
    fact = models.ForeignKey(
        "members.ReceivedFact", models.PROTECT, null=True, blank=True, db_index=False,
        db_constraint=False, related_name="+", verbose_name=_("fact"),
    )  # fmt: skip
    rule = models.ForeignKey(
        "rewards.RuleVersion", models.PROTECT, null=True, blank=True, db_index=False,
        db_constraint=False, related_name="+", verbose_name=_("rule"),
    )  # fmt: skip
    order = models.ForeignKey(
        "members.Order", models.PROTECT, null=True, blank=True, db_index=False,
        db_constraint=False, related_name="entries", verbose_name=_("order"),
    )  # fmt: skip
    interaction = models.ForeignKey(
        "members.Interaction", models.PROTECT, null=True, blank=True, db_index=False,
        db_constraint=False, related_name="entries", verbose_name=_("interaction"),
    )  # fmt: skip
    reservation = models.ForeignKey(
        "rewards.Reservation", models.PROTECT, null=True, blank=True, db_index=False,
        db_constraint=False, related_name="entries", verbose_name=_("reservation"),
    )  # fmt: skip
    reason = models.CharField(_("reason"), max_length=32)
    actor = models.CharField(_("actor"), max_length=80)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    hash = models.BinaryField(_("hash"), max_length=32)

    class Meta(AppendOnly.Meta):
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        permissions = [
            ("approve_adjustment", _("Can decide adjustments beyond the limits of others")),
            ("release_own_till", _("Can release points earned at one's own till")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "seq"], name="entry_seq_unique"),
            models.CheckConstraint(condition=Q(points__gt=0), name="entry_points_positive"),
            models.CheckConstraint(condition=_allowed_transfers(), name="entry_transfer_allowed"),
        ]
        indexes = [
            BTreeIndex(fields=["order"], condition=Q(order__isnull=False), name="entry_order"),
            BTreeIndex(
                fields=["interaction"],
                condition=Q(interaction__isnull=False),
                name="entry_interaction",
            ),
            BTreeIndex(
                fields=["reservation"],
                condition=Q(reservation__isnull=False),
                name="entry_reservation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.source} → {self.target} {self.points}"


class Lot(models.Model):
    """Points of one issue with one expiry; what is left of them is spent oldest expiry first."""

    account = models.ForeignKey(
        PointsAccount, models.PROTECT, related_name="lots", db_index=False,
        verbose_name=_("account"),
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, db_constraint=False,
        verbose_name=_("member"),
    )  # fmt: skip
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="lot", verbose_name=_("entry"))
    order = models.ForeignKey(
        "members.Order", models.PROTECT, null=True, blank=True, db_index=False,
        related_name="lots", verbose_name=_("order"),
    )  # fmt: skip
    interaction = models.ForeignKey(
        "members.Interaction", models.PROTECT, null=True, blank=True, db_index=False,
        related_name="lots", verbose_name=_("interaction"),
    )  # fmt: skip
    rule = models.ForeignKey(
        "rewards.RuleVersion", models.PROTECT, null=True, blank=True, db_index=False,
        related_name="+", verbose_name=_("rule"),
    )  # fmt: skip
    points = models.BigIntegerField(_("points"))
    remaining = models.BigIntegerField(_("remaining"))
    expired = models.BigIntegerField(_("expired"), default=0)
    is_pending = models.BooleanField(_("pending"), default=False)
    is_opening = models.BooleanField(_("opening balance"), default=False)
    earned_at = models.DateTimeField(_("earned at"))
    available_at = models.DateTimeField(_("available at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    class Meta:
        verbose_name = _("point lot")
        verbose_name_plural = _("point lots")
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gt=0)
                & Q(remaining__gte=0)
                & Q(expired__gte=0)
                & Q(points__gte=F("remaining") + F("expired")),
                name="lot_remaining_within_points",
            )
        ]
        indexes = [
            models.Index(
                fields=["account", "expires_at", "earned_at", "id"],
                condition=Q(remaining__gt=0),
                name="lot_open",
            ),
            models.Index(fields=["order"], condition=Q(order__isnull=False), name="lot_order"),
            models.Index(
                fields=["interaction"],
                condition=Q(interaction__isnull=False),
                name="lot_interaction",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining}/{self.points}"


class LotUse(AppendOnly):
    """An entry took points from a lot (positive) or gave them back (negative).

    No constraint ties it to its entry and lot, for the same reasons as an entry; the audit proves
    both (`lot_use_owner`).
    """

    entry = models.ForeignKey(
        Entry, models.PROTECT, related_name="uses", db_index=False, db_constraint=False,
        verbose_name=_("entry"),
    )  # fmt: skip
    lot = models.ForeignKey(
        Lot, models.PROTECT, related_name="uses", db_index=False, db_constraint=False,
        verbose_name=_("lot"),
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="+", db_index=False, db_constraint=False,
        verbose_name=_("member"),
    )  # fmt: skip
    points = models.BigIntegerField(_("points"))

    class Meta(AppendOnly.Meta):
        verbose_name = _("lot use")
        verbose_name_plural = _("lot uses")
        constraints = [models.CheckConstraint(condition=~Q(points=0), name="lot_use_not_zero")]
        indexes = [models.Index(fields=["entry"], name="lot_use_entry")]

    def __str__(self) -> str:
        return f"{self.points:+}"


class MergedLot(AppendOnly):
    """A lot of a survivor that was made of what a merged member had left of one.

    It says what goes back when the merge is undone.
    """

    merge = models.ForeignKey(
        "members.MemberMerge", models.PROTECT, related_name="lots", verbose_name=_("merge")
    )
    from_lot = models.ForeignKey(
        Lot, models.PROTECT, related_name="merged_into", db_index=False,
        verbose_name=_("lot of the merged member"),
    )  # fmt: skip
    lot = models.OneToOneField(
        Lot, models.PROTECT, related_name="merged_from", verbose_name=_("lot of the survivor")
    )

    class Meta(AppendOnly.Meta):
        verbose_name = _("merged lot")
        verbose_name_plural = _("merged lots")

    def __str__(self) -> str:
        return f"{self.from_lot_id} → {self.lot_id}"


class FoldSnapshot(models.Model):
    """Where the fold of a member's facts stands, so that the next fact folds one step.

    A cache: `recompute` folds from the first fact and compares. `position` is the place of the last
    folded fact in business order.
    """

    member = models.OneToOneField(
        "members.Member", models.PROTECT, primary_key=True, related_name="fold_snapshot"
    )
    position = models.JSONField(_("position"), null=True)
    state = models.JSONField(_("state"))
    review_due_at = models.DateTimeField(_("review due"), null=True, blank=True)

    class Meta:
        verbose_name = _("fold snapshot")
        verbose_name_plural = _("fold snapshots")
        indexes = [
            models.Index(
                fields=["review_due_at"],
                condition=Q(review_due_at__isnull=False),
                name="snapshot_review_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.member_id}"
