"""Everything that time alone triggers, in order.

`run_due` and the scheduler run the same list. Each job works up to an instant and finds nothing
when it is run again.

Source: design §5.2, §7.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings

from campaigns.services import (
    measuring,
    referrals,
    reports,
    sending,
)
from campaigns.services import retention as message_retention
from config.base import acts, clock, job_runs, jobs
from config.base.job_runs import Ending, Report, Watch
from config.base.jobs import Turn
from config.wiring import campaign_jobs, due_prospects
from members.api import idempotency
from members.services import (
    account_managers,
    cases,
    enrolment_bursts,
    events,
    insight_due,
    member_codes,
    one_time_passwords,
    retention,
    segments,
    verifications,
    waiting,
    webhooks,
)
from rewards.services import bulk_grants, coupon_misses, exports, inbound, uploads
from rewards.services import calendar_gifts as calendar_gifts_service
from rewards.services.due import settle_due
from rewards.services.programme import ProgrammeMissingError, current_book
from tiers.services import lapse_warnings, memberships, rollout

SETTLE: Final = "settle_due"
RUNS_KEPT_FOR: Final = timedelta(days=30)
PRUNE_BATCH: Final = 1_000


def install() -> None:
    """Register the jobs; doing it again changes nothing."""
    jobs.register(SETTLE, settle, every=timedelta(minutes=1))
    jobs.register("warn_of_lapses", warn_of_lapses, every=timedelta(hours=1))
    jobs.register("follow_overrides", follow_overrides, every=timedelta(minutes=1))
    jobs.register("sync_benefits", sync_benefits, every=timedelta(minutes=5))
    jobs.register("memberships", paid_memberships, every=timedelta(minutes=15))
    jobs.register("calendar_gifts", calendar_gifts, every=timedelta(minutes=15))
    jobs.register("waiting_gifts", waiting_gifts, every=timedelta(hours=1))
    jobs.register("look_at_customers", look_at_customers, every=timedelta(minutes=1))
    jobs.register("count_segments", count_segments, every=timedelta(minutes=15))
    jobs.register("follow_triggers", campaign_jobs.follow_triggers, every=timedelta(minutes=1))
    jobs.register("waiting_triggers", campaign_jobs.waiting_triggers, every=timedelta(minutes=1))
    jobs.register("calendar_triggers", campaign_jobs.calendar_triggers, every=timedelta(minutes=1))
    jobs.register("watch_multipliers", campaign_jobs.watch_multipliers, every=timedelta(minutes=1))
    jobs.register("keep_campaigns", campaign_jobs.keep_campaigns, every=timedelta(hours=1))
    jobs.register("settle_referrals", settle_referrals, every=timedelta(minutes=15))
    jobs.register("open_cases", open_cases, every=timedelta(hours=1))
    jobs.register("escalate_cases", escalate_cases, every=timedelta(minutes=1))
    jobs.register("hand_over_members", hand_over_members, every=timedelta(minutes=15))
    jobs.register("watch_enrolments", watch_enrolments, every=timedelta(hours=1))
    jobs.register("measure_figures", measure_figures, every=timedelta(minutes=1))
    jobs.register("make_reports", make_reports, every=timedelta(minutes=15))
    jobs.register("send_messages", send_messages, every=timedelta(minutes=1))
    jobs.register("address_prospects", due_prospects.address, every=timedelta(minutes=1))
    jobs.register("forget_prospects", due_prospects.forget, every=timedelta(hours=6))
    jobs.register("forget_messages", forget_messages, every=timedelta(hours=6))
    jobs.register("forget_content", forget_content, every=timedelta(hours=6))
    jobs.register("forget_idempotency_keys", forget_idempotency_keys, every=timedelta(hours=1))
    jobs.register("forget_deliveries", forget_deliveries, every=timedelta(days=1))
    jobs.register("forget_webhook_deliveries", forget_webhook_deliveries, every=timedelta(days=1))
    jobs.register("forget_shop_messages", forget_shop_messages, every=timedelta(hours=6))
    jobs.register("forget_presence", forget_presence, every=timedelta(hours=1))
    jobs.register("forget_coupon_misses", forget_coupon_misses, every=timedelta(days=1))
    jobs.register("work_on_files", work_on_files, every=timedelta(minutes=1))
    jobs.register("give_in_bulk", give_in_bulk, every=timedelta(minutes=1))
    jobs.register("forget_files", forget_files, every=timedelta(days=1))
    jobs.register("anchor_staff_acts", anchor_staff_acts, every=timedelta(days=1))
    jobs.register("forget_job_runs", forget_job_runs, every=timedelta(days=1))


def settle(turn: Turn) -> int:
    """Let holds lapse, points activate and expire, tiers be reviewed; return the members."""
    return settle_due(at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress)


def warn_of_lapses(turn: Turn) -> int:
    """Tell members whose tier is about to end, once per term; return how many."""
    return lapse_warnings.warn_of_lapses(
        at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress
    )


def follow_overrides(turn: Turn) -> int:
    """Let benefits follow tiers set for a time, and end those that have run out."""
    return rollout.follow_overrides(
        at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress
    )


def sync_benefits(turn: Turn) -> int:
    """Let every member meet what tiers give since that was changed."""
    return rollout.sync_all(at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress)


def paid_memberships(turn: Turn) -> int:
    """Remind of paid memberships that are about to end, and call those over ended."""
    done = memberships.remind_due(at=turn.at, recorded_at=turn.recorded_at)
    return done + memberships.end_due(at=turn.at, recorded_at=turn.recorded_at)


def calendar_gifts(turn: Turn) -> int:
    """Give what birthdays and years of membership give, day by day."""
    try:
        return calendar_gifts_service.give_calendar_gifts(
            at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress
        )
    except ProgrammeMissingError:
        return 0


def waiting_gifts(turn: Turn) -> int:
    """Give what had run out when it was due."""
    return calendar_gifts_service.retry_waiting(at=turn.recorded_at)


def settle_referrals(turn: Turn) -> int:
    """Reward those whose friends have kept their first order, and take back what was given up."""
    return referrals.settle_due(at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress)


def open_cases(turn: Turn) -> int:
    """Open cases for facts that have waited for longer than they can be of use."""
    try:
        policy = current_book().policy_at(turn.at)
    except ProgrammeMissingError:
        # Without a programme no fact has been received.
        return 0
    opened = waiting.open_unclaimed(
        received_before=turn.at - timedelta(days=policy.claim_days), at=turn.recorded_at
    )
    if policy.late_fact_days is not None:
        opened += waiting.open_order_missing(
            received_before=turn.at - timedelta(days=policy.late_fact_days), at=turn.recorded_at
        )
    return opened


def escalate_cases(turn: Turn) -> int:
    """Raise cases whose clocks have run out."""
    return cases.escalate_due(at=turn.at, recorded_at=turn.recorded_at)


def hand_over_members(turn: Turn) -> int:
    """Give the members of staff who are gone to their colleagues."""
    return account_managers.sweep(at=turn.recorded_at)


def watch_enrolments(turn: Turn) -> int:
    """Open cases for staff who enrol more members in an hour than is likely."""
    most = settings.LOYALTY_ENROLMENTS_PER_HOUR
    return enrolment_bursts.open_bursts(most=most, until=turn.at, at=turn.recorded_at)


def look_at_customers(turn: Turn) -> int:
    """Say anew of members what they are as customers, where anything can have changed it."""
    return insight_due.refresh_due(at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress)


def measure_figures(turn: Turn) -> int:
    """Measure what the figures were at the end of the last days, some days a run."""
    return measuring.measure_days(at=turn.at, recorded_at=turn.recorded_at)


def count_segments(turn: Turn) -> int:
    """Count the segments that have not been counted on this day yet; return how many were."""
    return segments.refresh_all(at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress)


def make_reports(turn: Turn) -> int:
    """Make the reports of weeks and months that are over; their mails go out at once."""
    return reports.make_due(at=turn.at, recorded_at=turn.recorded_at, sent_at=datetime.now(UTC))


def send_messages(turn: Turn) -> int:
    """Send what is due; under a clock that leaps, each message at its own instant."""
    done, as_of_due = 0, settings.LOYALTY_CLOCK == "due"
    while count := sending.send_due(at=turn.at, as_of_due=as_of_due):
        done += count
        turn.progress(done, done)
    return done


def forget_messages(turn: Turn) -> int:
    """Wipe what old messages said."""
    done = 0
    while count := message_retention.forget_contexts(at=turn.at, limit=PRUNE_BATCH):
        done += count
        turn.progress(done, done)
    return done


def forget_content(turn: Turn) -> int:
    """Wipe what interactions carried when they have been kept for long enough."""
    return retention.forget_content(at=turn.at, progress=turn.progress)


def forget_idempotency_keys(turn: Turn) -> int:
    """Delete stored answers whose time is over."""
    done = 0
    while count := idempotency.forget_old(at=turn.at, limit=PRUNE_BATCH):
        done += count
        turn.progress(done, done)
    return done


def forget_deliveries(turn: Turn) -> int:
    """Delete the notes of events that their followers have long been done with."""
    before = turn.at - timedelta(days=settings.LOYALTY_DELIVERIES_KEPT_DAYS)
    done, last = 0, 0
    while True:
        count, last = events.forget_done(before=before, after=last, limit=PRUNE_BATCH)
        if not count:
            return done
        done += count
        turn.progress(done, done)


def forget_shop_messages(turn: Turn) -> int:
    """Wipe what parked messages from shops said: they name people."""
    done, before = 0, turn.at - inbound.BODY_KEPT_FOR
    while count := inbound.forget_bodies(before=before, limit=PRUNE_BATCH):
        done += count
        turn.progress(done, done)
    return done


def forget_webhook_deliveries(turn: Turn) -> int:
    """Delete messages to webhooks that are over and old; their instants are the wall's."""
    done, before = 0, datetime.now(UTC) - webhooks.KEPT_FOR
    while count := webhooks.forget_old(before=before, limit=PRUNE_BATCH):
        done += count
        turn.progress(done, done)
    return done


def forget_presence(turn: Turn) -> int:
    """Delete member codes and one-time passwords that ended long ago, and old verifications."""
    done = 0
    for forget in (
        member_codes.forget_old, one_time_passwords.forget_old, verifications.forget_old,
    ):  # fmt: skip
        while count := forget(at=turn.at, limit=PRUNE_BATCH):
            done += count
            turn.progress(done, done)
    return done


def forget_coupon_misses(turn: Turn) -> int:
    """Delete counts of unknown coupon codes that no longer matter."""
    return coupon_misses.forget_old(at=turn.at)


def work_on_files(turn: Turn) -> int:
    """Take up the files of staff that no worker has shown progress on; return how many."""
    found = uploads.waiting(at=turn.at)
    for upload in found:
        uploads.work_on(upload_id=upload, at=turn.at)
    wanted = exports.waiting(at=turn.at)
    for export in wanted:
        exports.make(export_id=export, at=turn.at)
    return len(found) + len(wanted)


def give_in_bulk(turn: Turn) -> int:
    """Go on with approved lists that no worker has shown progress on; return the members."""
    return sum(
        bulk_grants.carry_out(bulk_id=bulk, at=turn.at) for bulk in bulk_grants.waiting(at=turn.at)
    )


def forget_files(turn: Turn) -> int:
    """Remove files of staff that have been kept long enough; what became of them stays."""
    return uploads.forget_old(before=turn.at - uploads.KEPT_FOR) + exports.forget_old(
        before=turn.at - exports.KEPT_FOR
    )


def forget_job_runs(turn: Turn) -> int:
    """Delete the records of old runs."""
    done, before = 0, datetime.now(UTC) - RUNS_KEPT_FOR
    while count := job_runs.forget_old(before=before, limit=PRUNE_BATCH):
        done += count
        turn.progress(done, done)
    return done


def anchor_staff_acts(turn: Turn) -> int:
    """Note in the database and in the log where the chain of staff acts stands."""
    return acts.anchor()


def run_up_to(at: datetime, *, watch: Watch) -> list[Report]:
    """Run every job up to an instant, and remember that the programme has been run up to it.

    What one job does not manage does not keep the others from running; time advances when all
    of them have.
    """
    install()
    recorded_at = recording_instant(at)
    ended = [
        job_runs.run_again(job, at=at, recorded_at=recorded_at, watch=watch)
        for job in jobs.registered()
    ]
    if all(report.ending is Ending.FINISHED for report in ended):
        clock.advance_programme_time(at)
    return ended


def run_scheduled() -> list[Report]:
    """Run every job whose period has come, up to now."""
    install()
    at = scheduled_instant()
    if at is None:
        return []
    return [
        job_runs.run_scheduled(job, at=at, recorded_at=clock.now()) for job in jobs.registered()
    ]


def recording_instant(at: datetime) -> datetime:
    """Return when what is done up to an instant is recorded.

    Under the `due` clock the run itself moves the time, and time never goes back.
    """
    if settings.LOYALTY_CLOCK == "due":
        return max(at, clock.programme_time() or at)
    return clock.now()


def scheduled_instant() -> datetime | None:
    """Return up to when the scheduler may run things; None before a `due` clock was first set.

    Under the `due` clock only `run_due` moves the time, or a year loaded for a test would be over
    before it began.
    """
    if settings.LOYALTY_CLOCK == "due":
        return clock.programme_time()
    return datetime.now(UTC)
