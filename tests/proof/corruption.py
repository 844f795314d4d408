"""Ways to corrupt a ledger, each with the check that must name the row.

As the owner, with the triggers of append-only tables off, inside a transaction that is rolled back:
the ledger itself is never harmed.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from config.base import audit, pg
from config.wiring import audits


@dataclass(frozen=True)
class Corruption:
    """One statement that returns the id of a row, and where the audit must name it.

    `before` makes room: it drops the constraint that would refuse.
    """

    name: str
    check: str
    row: str
    statement: str
    before: str = ""


def _update(table: str, change: str, where: str, returning: str = "id") -> str:
    key = "id" if table not in {"rewards_foldsnapshot", "members_memberprofile"} else "member_id"
    key = "fact_id" if table == "members_interaction" else key
    return (
        f"UPDATE {table} SET {change} WHERE {key} ="
        f" (SELECT {key} FROM {table} x WHERE {where} ORDER BY {key} LIMIT 1) RETURNING {returning}"
    )


ACCOUNT, ENTRY, LOT = "rewards_pointsaccount", "rewards_entry", "rewards_lot"
FACT, ORDER, SNAPSHOT = "members_receivedfact", "members_order", "rewards_foldsnapshot"
STANDING, EVALUATION = "tiers_standing", "rewards_evaluation"
HELD = "rewards_reservation"

# As if the job had looked at everybody and read all events.
LOOKED: str = (
    "INSERT INTO members_insightmark (safe_event, seen_event, seen_transaction, basis)"
    " SELECT max(id), max(id), 0, '0.1' FROM members_memberevent"
)

CORRUPTIONS = (
    Corruption("a balance", "account_balances", "account",
               _update(ACCOUNT, "available = available + 5, earned = earned + 5", "available > 0")),
    Corruption("a lifetime counter", "account_lifetime", "account",
               _update(ACCOUNT, "redeemed = redeemed + 3, expired = expired - 3", "expired > 3")),
    Corruption("buckets", "account_buckets", "account",
               _update(ACCOUNT, "pending = pending + 1", "true"),
               "ALTER TABLE rewards_pointsaccount DROP CONSTRAINT account_buckets_sum_to_issued"),
    Corruption("a number", "entry_seq_dense", "entry",
               _update(ENTRY, "seq = seq + 1", "seq = (SELECT max(seq) FROM rewards_entry y"
                       " WHERE y.account_id = x.account_id)")),
    Corruption("a lost entry", "entry_seq_dense", "account",
               "DELETE FROM rewards_entry WHERE id = (SELECT min(id) FROM rewards_entry"
               " WHERE source = 'reserved' AND target = 'redeemed') RETURNING account_id"),
    Corruption("a lost last entry", "account_last_seq", "account",
               "DELETE FROM rewards_entry WHERE id = (SELECT max(id) FROM rewards_entry e WHERE seq"
               " = (SELECT seq FROM rewards_pointsaccount a WHERE a.id = e.account_id))"
               " RETURNING account_id"),
    Corruption("points of an entry", "entry_hash_chain", "entry",
               _update(ENTRY, "points = points + 1", "target = 'redeemed'")),
    Corruption("an actor", "entry_hash_chain", "entry",
               _update(ENTRY, "actor = 'staff:mallory'", "seq = 2")),
    Corruption("a microsecond", "entry_hash_chain", "entry",
               _update(ENTRY, "occurred_at = occurred_at + interval '1 microsecond'", "seq = 3")),
    Corruption("a cause", "entry_hash_chain", "entry",
               _update(ENTRY, "fact_id = (SELECT max(id) FROM members_receivedfact)",
                       "fact_id IS NOT NULL")),
    Corruption("a rule", "entry_hash_chain", "entry",
               _update(ENTRY, "rule_id = (SELECT max(id) FROM rewards_ruleversion)",
                       "rule_id = (SELECT min(id) FROM rewards_ruleversion)")),
    Corruption("a hash", "entry_hash_chain", "entry",
               _update(ENTRY, "hash = sha256('x')", "seq = 2")),
    Corruption("a transfer", "entry_transfer_allowed", "entry",
               _update(ENTRY, "source = 'debt'", "target = 'redeemed'"),
               "ALTER TABLE rewards_entry DROP CONSTRAINT entry_transfer_allowed"),
    Corruption("the owner of an entry", "entry_owner", "entry",
               _update(ENTRY, "member_id = member_id + 1", "seq = 1")),
    *(
        Corruption(f"an entry of no {name}", "entry_references", "entry",
                   _update(ENTRY, f"{name}_id = -1", f"{name}_id IS NOT NULL"))
        for name in ("account", "fact", "rule", "order", "interaction", "reservation")
    ),
    Corruption("a head hash", "account_head_hash", "account",
               _update(ACCOUNT, "head_hash = sha256('x')", "seq > 2")),
    Corruption("what is left of a lot", "lot_remaining", "lot",
               _update(LOT, "remaining = remaining - 1", "remaining > 0")),
    Corruption("a lot's points", "entry_has_lot", "lot",
               _update(LOT, "points = points + 1", "true")),
    Corruption("a lost lot use", "entry_uses", "entry",
               "DELETE FROM rewards_lotuse WHERE id = (SELECT min(id) FROM rewards_lotuse)"
               " RETURNING entry_id"),
    Corruption("a lot use", "lot_remaining", "lot",
               _update("rewards_lotuse", "points = points - 1", "points > 1", "lot_id")),
    Corruption("a stranger's lot", "lot_use_owner", "lot_use",
               _update("rewards_lotuse", "lot_id = (SELECT l.id FROM rewards_lot l WHERE"
                       " l.member_id <> rewards_lotuse.member_id LIMIT 1)", "true")),
    Corruption("a use of no lot", "lot_use_owner", "lot_use",
               _update("rewards_lotuse", "lot_id = -1", "true")),
    Corruption("a use by no entry", "lot_use_owner", "lot_use",
               _update("rewards_lotuse", "entry_id = -1", "true")),
    Corruption("a lot used twice", "lot_use_sign", "lot",
               "INSERT INTO rewards_lotuse (entry_id, lot_id, member_id, points) SELECT entry_id,"
               " lot_id, member_id, points FROM rewards_lotuse ORDER BY id LIMIT 1"
               " RETURNING lot_id"),
    Corruption("whose lot", "lot_owner", "lot",
               _update(LOT, "order_id = order_id + 1", "order_id IS NOT NULL")),
    Corruption("expired points", "lot_expired", "lot",
               _update(LOT, "expired = expired + 1", "points > remaining + expired AND NOT EXISTS"
                       " (SELECT 1 FROM rewards_lotuse u JOIN rewards_entry e ON e.id = u.entry_id"
                       " WHERE u.lot_id = x.id AND e.target = 'expired')")),
    Corruption("pending lots", "account_lots", "account",
               _update(LOT, "is_pending = NOT is_pending", "remaining > 0", "account_id")),
    Corruption("a lot pending too long", "lot_pending", "lot",
               _update(LOT, "available_at = available_at - interval '90 days'",
                       "is_pending AND remaining > 0")),
    Corruption("a lot that is over", "lot_over", "lot",
               _update(LOT, "expires_at = earned_at", "remaining > 0 AND NOT is_pending")),
    Corruption("a due instant", "account_next_due", "account",
               _update(ACCOUNT, "next_due_at = next_due_at + interval '9 years'",
                       "next_due_at IS NOT NULL")),
    Corruption("a hold", "account_reserved", "account",
               _update(HELD, "points = points + 1", "status = 'held'", "account_id")),
    Corruption("captured points", "reservation_entries", "reservation",
               _update(HELD, "captured_points = captured_points - 1", "captured_points > 200")),
    Corruption("a hold that is over", "reservation_over", "reservation",
               _update(HELD, "expires_at = held_at", "status = 'held'")),
    Corruption("whose hold", "reservation_owner", "reservation",
               _update(HELD, "member_id = member_id + 1", "status <> 'held'")),
    Corruption("an award", "posted_as_decided", "order",
               _update(EVALUATION, "awards = '[[1, 7]]', points = 7",
                       "order_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rewards_evaluation y"
                       " WHERE y.order_id = x.order_id AND y.id > x.id)", "order_id")),
    Corruption("points of an evaluation", "evaluation_points", "evaluation",
               _update(EVALUATION, "points = points + 1", "true")),
    Corruption("a subject", "evaluation_subject", "evaluation",
               _update(EVALUATION, "order_id = NULL", "order_id IS NOT NULL")),
    Corruption("a lost evaluation", "fact_is_decided", "fact",
               "DELETE FROM rewards_evaluation WHERE id = (SELECT max(id) FROM rewards_evaluation)"
               " RETURNING fact_id"),
    Corruption("a net amount", "order_amounts", "order",
               _update(ORDER, "net_amount = net_amount + 1", "net_amount > 0")),
    Corruption("a line", "order_amounts", "order",
               _update("members_orderline", "amount = amount + 1", "true", "order_id")),
    Corruption("a qualifying amount", "order_as_counted", "order",
               _update(ORDER, "qualifying_amount = qualifying_amount + 1", "true")),
    Corruption("a version", "order_version", "order",
               _update(ORDER, "version = version - 1", "version > 1")),
    Corruption("whose line", "order_owner", "line",
               _update("members_orderline", "member_id = member_id + 1", "true")),
    Corruption("progress", "progress_as_counted", "order",
               _update("tiers_progressentry", "amount = amount + 1", "metric = 'spend'",
                       "(SELECT order_id FROM members_receivedfact f WHERE f.id = fact_id)")),
    Corruption("whose progress", "progress_fact", "progress",
               _update("tiers_progressentry", "member_id = (SELECT max(id) FROM members_member)",
                       "true")),
    Corruption("a fold's total", "snapshot_progress", "member",
               _update(SNAPSHOT, "state = jsonb_set(state, '{t,days,t,0}', '1')", "true",
                       "member_id")),
    Corruption("a fold's rank", "snapshot_standing", "member",
               _update(SNAPSHOT, "state = jsonb_set(state, '{t,rank}', '3')",
                       "NOT state #> '{t}' ? 'rank'", "member_id")),
    Corruption("a fold's position", "snapshot_position", "member",
               _update(SNAPSHOT, "position = jsonb_set(position, '{0}',"
                       " '\"2026-01-05T00:00:00+00:00\"')", "true", "member_id")),
    Corruption("a last fact", "account_last_fact", "account",
               _update(ACCOUNT, "last_fact_at = NULL", "last_fact_at IS NOT NULL")),
    Corruption("a gap between standings", "standing_contiguous", "standing",
               _update(STANDING, "from_at = from_at + interval '1 hour'",
                       "EXISTS (SELECT 1 FROM tiers_standing y WHERE y.member_id = x.member_id"
                       " AND y.from_at < x.from_at)")),
    Corruption("no open standing", "standing_open", "member",
               _update(STANDING, "ended_at = from_at + interval '1 day'", "ended_at IS NULL",
                       "member_id")),
    Corruption("a first standing", "standing_first", "standing",
               _update(STANDING, "tier_id = (SELECT max(id) FROM tiers_tier)", "true")),
    Corruption("a day kept until", "standing_kept", "standing",
               _update(STANDING, "kept_until_on = NULL", "kept_until_on IS NOT NULL")),
    Corruption("a parked order", "fact_waiting", "fact",
               _update(FACT, "state = 'parked'", "kind = 'order' AND state = 'applied'")),
    Corruption("a fact of nobody", "fact_applied", "fact",
               _update(FACT, "member_id = NULL", "kind = 'order' AND state = 'applied'")),
    Corruption("a kind of interaction", "interaction_fact", "interaction",
               _update("members_interaction", "kind = 'share'", "true", "fact_id")),
    Corruption("days in a row", "check_in_days", "fact",
               _update(FACT, "body = jsonb_set(body, '{streak}', '9')", "body ? 'streak'")),
    Corruption("a lost check-in", "check_in_days", "fact",
               "UPDATE members_receivedfact f SET ref = 'x' || f.ref FROM members_receivedfact n"
               " WHERE f.source = 'check_in' AND n.source = 'check_in'"
               " AND (f.body->>'streak', n.body->>'streak') = ('2', '3') RETURNING n.id"),
    Corruption("a budget", "adjustment_budget", "budget",
               _update("rewards_adjustmentbudget", "points = points + 1", "true")),
    Corruption("a first purchase", "first_purchase", "member",
               _update("members_memberprofile", "first_purchase_on = first_purchase_on + 1",
                       "first_purchase_on IS NOT NULL", "member_id")),
    Corruption("a lost delivery", "event_delivered", "event",
               "DELETE FROM members_eventdelivery WHERE id = (SELECT max(id) FROM"
               " members_eventdelivery) RETURNING event_id"),
    Corruption("a size that nobody counted", "segment_intervals", "segment",
               _update("members_segment", "size = 5", "size IS NULL OR size <> 5")),
    Corruption("twice in a segment at once", "segment_intervals", "segment",
               "INSERT INTO members_segmentmembership (segment_id, member_id, from_at, to_at)"
               " SELECT min(s.id), min(m.id), '2026-03-01T00:00:00Z'::timestamptz + n * interval"
               " '1 day', '2026-03-09T00:00:00Z' FROM members_segment s, members_member m,"
               " generate_series(1, 2) n GROUP BY n RETURNING segment_id"),
    Corruption("a message's kind", "webhook_message", "message",
               _update("members_webhookdelivery", "kind = 'tier.changed'", "event_id IS NOT NULL")),
    Corruption("a message that nobody took", "webhook_message", "message",
               _update("members_webhookdelivery", "state = 'delivered', delivered_at = now()",
                       "event_id IS NOT NULL")),
    Corruption("a shop's message without a case", "shop_message", "message",
               _update("rewards_inbounddelivery", "case_id = NULL", "state = 'parked'")),
    Corruption("a shop's message without its fact", "shop_message", "message",
               _update("rewards_inbounddelivery", "result = '[{\"source\": \"shop-web\","
                       " \"order_no\": \"lost\"}]'", "state = 'done'")),
    Corruption("stock that nobody moved", "stock_on_hand", "stock",
               _update("rewards_stock", "on_hand = on_hand + 1", "true")),
    Corruption("stock that nobody holds", "stock_held", "stock",
               _update("rewards_stock", "held = held + 1", "on_hand > held")),
    Corruption("a lost movement", "redemption_stock", "redemption",
               "DELETE FROM rewards_stockmovement WHERE id = (SELECT min(id) FROM"
               " rewards_stockmovement WHERE redemption_id IS NOT NULL) RETURNING redemption_id"),
    Corruption("a price", "redemption_points", "redemption",
               _update("rewards_redemption", "points = points + 1", "status = 'fulfilled'")),
    Corruption("a cancelled redemption that kept its points", "redemption_points", "redemption",
               _update("rewards_redemption", "status = 'cancelled', closed_at = now()",
                       "status = 'fulfilled' AND points > 0")),
    Corruption("a lost code", "redemption_codes", "redemption",
               "UPDATE rewards_rewardcode SET redemption_id = NULL, given_at = NULL WHERE id ="
               " (SELECT min(c.id) FROM rewards_rewardcode c JOIN rewards_redemption r ON"
               " r.id = c.redemption_id) RETURNING (SELECT id FROM rewards_redemption WHERE"
               " status = 'fulfilled' AND quantity = 2)"),
    Corruption("a coupon counter", "coupon_counted", "coupon",
               _update("rewards_coupon", "used = 0", "used > 0")),
    Corruption("a use that nobody counted", "coupon_counted", "coupon",
               _update("rewards_couponuse", "status = 'returned', returned_at = now()",
                       "status = 'redeemed'", "coupon_id")),
    Corruption("a coupon held for nothing", "coupon_held", "coupon_use",
               _update("rewards_couponuse", "reservation_id = NULL", "status = 'held'")),
    Corruption("a coupon of somebody else's order", "coupon_on_order", "coupon_use",
               _update("rewards_couponuse", "member_id = (SELECT max(id) FROM members_member)",
                       "status = 'redeemed' AND order_id IS NOT NULL")),
    Corruption("a coupon on an order worth nothing", "coupon_on_order", "coupon_use",
               "WITH o AS (UPDATE members_order SET net_amount = 0 WHERE id IN (SELECT order_id"
               " FROM rewards_couponuse WHERE status = 'redeemed') RETURNING id)"
               " SELECT min(u.id) FROM rewards_couponuse u JOIN o ON o.id = u.order_id"
               " WHERE u.status = 'redeemed'"),
    Corruption("a coupon that nobody counted as issued", "coupon_issued", "coupon_template",
               _update("rewards_coupontemplate", "issued = issued - 1", "issued > 0")),
    Corruption("a limit of members", "coupon_member_limit", "member",
               "WITH t AS (UPDATE rewards_coupontemplate SET uses_per_member = 0 RETURNING id)"
               " SELECT min(u.member_id) FROM rewards_couponuse u JOIN rewards_coupon c"
               " ON c.id = u.coupon_id JOIN t ON t.id = c.template_id"
               " WHERE u.status = 'redeemed'"),
    Corruption("a lost key", "member_key", "member",
               "DELETE FROM members_memberkey WHERE member_id = (SELECT min(member_id) FROM"
               " members_memberkey) RETURNING member_id"),
    Corruption("a merge that nobody recorded", "merge_recorded", "member",
               _update("members_member", "merged_into_id = (SELECT min(id) FROM members_member)",
                       "status = 'merged'")),
    Corruption("points of a merged member", "merged_empty", "account",
               _update(ACCOUNT, "available = 5, adjusted = adjusted - 5",
                       "member_id = (SELECT away_id FROM members_membermerge WHERE undone_at"
                       " IS NULL)")),
    Corruption("a lot of another merge", "merged_lot", "merged_lot",
               _update("rewards_mergedlot", "from_lot_id = (SELECT min(id) FROM rewards_lot)",
                       "true")),
    Corruption("points lost in a merge", "merged_points", "entry",
               "DELETE FROM rewards_entry WHERE id = (SELECT min(id) FROM rewards_entry WHERE"
               " source = 'transfer' AND recorded_at = (SELECT max(at) FROM members_membermerge))"
               " RETURNING (SELECT min(e.id) FROM rewards_entry e WHERE e.recorded_at ="
               " rewards_entry.recorded_at AND 'transfer' IN (e.source, e.target)"
               " AND e.id <> rewards_entry.id)"),
    Corruption("progress lost in a merge", "merged_progress", "merge",
               "UPDATE tiers_progressentry p SET amount = amount + 1 FROM members_membermerge g"
               " WHERE g.undone_at IS NULL AND p.member_id = g.away_id RETURNING g.id"),
    Corruption("members merged in a circle", "member_merged", "member",
               "UPDATE members_member SET status = 'merged', merged_into_id ="
               " CASE id WHEN 1 THEN 2 ELSE 1 END WHERE id IN (1, 2) RETURNING id"),
    Corruption("a lost account", "member_has_account", "member",
               _update(ACCOUNT, "kind = 'other'", "true", "member_id")),
    Corruption("a counted use", "entitlement_counted", "period",
               _update("tiers_entitlementperiod", "used = used - 1", "used > 0")),
    Corruption("a benefit of a tier not held", "entitlement_of_tier_held", "entitlement",
               _update("tiers_entitlement", "ended_at = NULL, end_reason = ''",
                       "end_reason = 'tier_left'")),
    Corruption("a benefit given twice", "entitlement_single", "entitlement",
               "INSERT INTO tiers_entitlement (member_id, benefit_id, terms_id, source,"
               " source_ref, quota, period, from_at, end_reason) SELECT member_id, benefit_id,"
               " terms_id, source, source_ref, quota, period, from_at, '' FROM tiers_entitlement"
               " WHERE source = 'tier' AND ended_at IS NULL ORDER BY id LIMIT 1 RETURNING ("
               "SELECT min(e.id) FROM tiers_entitlement e WHERE e.member_id ="
               " tiers_entitlement.member_id AND e.benefit_id = tiers_entitlement.benefit_id"
               " AND e.terms_id = tiers_entitlement.terms_id)",
               "DROP INDEX entitlement_of_tier_once"),
    Corruption("a membership of another length", "membership_override", "membership",
               _update("tiers_paidmembership", "until_at = until_at + interval '1 day'",
                       "status = 'active'")),
    Corruption("a gift taken back that goes on", "grant_given", "grant",
               "UPDATE tiers_entitlement e SET ended_at = NULL, end_reason = '' FROM rewards_grant"
               " g WHERE g.status = 'revoked' AND e.source_ref LIKE 'grant:' || g.public_id || ':%'"
               " RETURNING g.id"),
    Corruption("a gift of another rule", "grant_of_rule", "grant",
               _update("rewards_grant", "version_id = (SELECT max(id) FROM"
                       " rewards_grantruleversion)", "true")),
    Corruption("a member nobody looked at", "insight_row", "member",
               "SELECT min(id) FROM members_member WHERE status = 'active'", LOOKED),
    Corruption("a lifetime spend", "insight_spent", "member",
               "INSERT INTO members_memberinsight (member_id, computed_at, computed_on, policy,"
               " model, stage, stage_since, customer_class, class_since, frequency_band,"
               " monetary_band, orders_total, spent_total, orders, spent, value_current,"
               " value_potential, value_total, scores)"
               " SELECT min(member_id), now(), '2100-01-01', 0, 1, 'retain', '2026-01-01', 'loyal',"
               " '2026-01-01', 'low', 'low', 1, 0.01, 1, 0.01, 0, 0, 0, '{}' FROM members_order"
               " WHERE net_amount > 0 RETURNING member_id", LOOKED),
    Corruption("an act of another campaign's version", "campaign_act_version", "act",
               "WITH other AS (INSERT INTO campaigns_campaign (code, name_zh, name_en, objective,"
               " state, stage_percent, is_preset, created_at, created_by) SELECT 'other', 'x', '',"
               " '', 'draft', 0, false, now(), 'x' RETURNING id)"
               " UPDATE campaigns_campaignversion SET campaign_id = (SELECT id FROM other)"
               " WHERE id = (SELECT min(version_id) FROM campaigns_campaignact)"
               " RETURNING (SELECT min(id) FROM campaigns_campaignact)"),
    Corruption("an act for somebody held out", "campaign_act_treated", "act",
               "UPDATE campaigns_campaignmember m SET arm = 'holdout', treated_at = NULL"
               " FROM campaigns_campaignact a WHERE a.campaign_id = m.campaign_id"
               " AND a.member_id = m.member_id RETURNING a.id"),
    Corruption("a budget that forgets", "campaign_budget_spent", "campaign",
               "UPDATE campaigns_campaignbudget SET spent_points = spent_points - 1"
               " RETURNING campaign_id"),
    Corruption("a till that knows somebody else", "campaign_segment", "member",
               "UPDATE members_segmentmembership i SET to_at = from_at FROM members_segment s"
               " WHERE s.id = i.segment_id AND s.kind = 'campaign' AND i.id = (SELECT max(id) FROM"
               " members_segmentmembership WHERE to_at IS NULL) RETURNING i.member_id"),
    Corruption("an offer that counts what nobody was given", "prospect_offer_given", "offer",
               "WITH t AS (INSERT INTO campaigns_messagetemplate (code, name_zh, name_en, purpose,"
               " needs_consent, created_at, created_by) VALUES ('corrupt', 'x', '', 'marketing',"
               " true, now(), 'x') RETURNING id)"
               " INSERT INTO campaigns_prospectoffer (code, name_zh, name_en, kind, state, product,"
               " sources, interest_kind, interest, min_days, template_id, points, valid_days,"
               " starts_at, holdout_percent, most_given, given, created_at, created_by)"
               " SELECT 'corrupt', 'x', '', 'recommendation', 'draft', '', '[]', '', '', 0, id, 1,"
               " 1, now(), 0, 1, 1, now(), 'x' FROM t RETURNING id"),
    Corruption("a reward for an order that was not kept", "referral_kept_order", "referral",
               "UPDATE campaigns_referral SET kept_from = kept_from - interval '9 days'"
               " WHERE state = 'rewarded' RETURNING id"),
    Corruption("a reward of other points", "referral_rewarded", "referral",
               "UPDATE campaigns_referral SET entry_id = NULL WHERE id = (SELECT min(id) FROM"
               " campaigns_referral WHERE state = 'rewarded' AND entry_id IS NOT NULL)"
               " RETURNING id"),
    Corruption("points of no referral", "referral_single_entry", "entry",
               "UPDATE campaigns_referral r SET entry_id = NULL FROM (SELECT id, entry_id FROM"
               " campaigns_referral WHERE entry_id IS NOT NULL LIMIT 1) x WHERE r.id = x.id"
               " RETURNING x.entry_id"),
    Corruption("a payout of another amount", "referral_payout", "payout",
               "UPDATE campaigns_payout SET amount = amount + 1 RETURNING id"),
    Corruption("a missing constraint", "constraints_in_force", "constraint",
               "SELECT 'entry_points_positive'",
               "ALTER TABLE rewards_entry DROP CONSTRAINT entry_points_positive"),
    Corruption("a trigger that is off", "append_only_triggers", "table",
               "SELECT 'tiers_progressentry'",
               "ALTER TABLE tiers_progressentry DISABLE TRIGGER USER"),
)  # fmt: skip


@contextlib.contextmanager
def corrupted(corruption: Corruption) -> Iterator[Any]:
    """Corrupt, give the id of the corrupted row, and roll back."""
    with pg.as_owner(), transaction.atomic():
        with connection.cursor() as cursor:
            for table in pg.append_only_tables():
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            if corruption.before:
                cursor.execute(corruption.before)
            cursor.execute(corruption.statement)
            (row, *_more) = cursor.fetchone()
        yield row
        transaction.set_rollback(True)


def findings() -> dict[str, list[audit.Violation]]:
    """Return what every check finds now, inside the caller's transaction; silent ones are left out.

    In the order of the codes, all rows.
    """
    audits.install()
    results = [audit.run_one(check, shown=1_000) for check in audit.registered()]
    return {result.check.code: list(result.violations) for result in results if result.count}
