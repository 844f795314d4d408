"""Mailing reports: tried again when the server was not reached, never sent twice by itself.

That a mail is being sent is committed before the server is spoken to. What the server refused or
never got is tried again; what broke off while the server had it is unclear, and a person decides.

Source: KPI-14.
"""

import smtplib
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from campaigns import report_pages, report_pdf
from campaigns.models import DeliveryState, ReportDelivery

MAX_TRIES: Final = 8
RETRY_AFTER: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=6)
# Longer than any talk with a server: whoever holds a mail after that has died.
LEASE: Final = timedelta(minutes=15)
NOT_CONFIGURED: Final = "mail_not_configured"
NO_ADDRESS: Final = "no_address"
BROKE_OFF: Final = "broke_off"


class NotSentError(Exception):
    """The server does not have the mail, for a reason with a code."""


def send_due(*, at: datetime) -> bool:
    """Send one mail that is due; return whether there was one."""
    delivery = _claim(at)
    if delivery is None:
        return False
    try:
        _send(delivery, at)
    except NotSentError as error:
        _not_sent(delivery, str(error), at)
    except Exception:
        _end(delivery, DeliveryState.UNCLEAR, BROKE_OFF)
        raise
    return True


@transaction.atomic
def _claim(at: datetime) -> ReportDelivery | None:
    """Take the next mail; one that was taken and never ended is unclear from now on."""
    due = ReportDelivery.objects.filter(due_at__lte=at).order_by("due_at", "id")
    delivery = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
    if delivery is None:
        return None
    if delivery.state == DeliveryState.SENDING:
        _end(delivery, DeliveryState.UNCLEAR, BROKE_OFF)
        return _claim(at)
    delivery.state = DeliveryState.SENDING
    delivery.tries += 1
    delivery.due_at = at + LEASE
    delivery.save(update_fields=["state", "tries", "due_at"])
    return delivery


def _send(delivery: ReportDelivery, at: datetime) -> None:
    """Hand the mail over.

    Raises: NotSentError where the server surely has not taken it.
    """
    if not settings.EMAIL_HOST:
        raise NotSentError(NOT_CONFIGURED)
    if not delivery.user.email or not delivery.user.is_active:
        raise NotSentError(NO_ADDRESS)
    connection = get_connection()
    message = _message(delivery, connection)
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise NotSentError(type(error).__name__) from error
    try:
        message.send()
    except smtplib.SMTPServerDisconnected:
        _end(delivery, DeliveryState.UNCLEAR, BROKE_OFF)
    except smtplib.SMTPException as error:
        # The server has answered, and its answer is no.
        raise NotSentError(type(error).__name__) from error
    except OSError:
        _end(delivery, DeliveryState.UNCLEAR, BROKE_OFF)
    else:
        _end(delivery, DeliveryState.SENT, "", sent_at=at)
    finally:
        connection.close()


def _message(delivery: ReportDelivery, connection: BaseEmailBackend) -> EmailMessage:
    report = delivery.report
    with translation.override(delivery.language):
        title = report_pages.title_of(report)
        message = EmailMessage(
            subject=title,
            body=gettext("%(title)s is attached. The console has it too, under Reports.\n")
            % {"title": title},
            to=[delivery.user.email],
            connection=connection,
            # One mail, however often it is tried: a mailbox knows the second one for the first.
            headers={"Message-ID": f"<report-{report.pk}-{delivery.pk}@loyalty>"},
        )
        name = f"{report.kind}-{report.starts_on}.pdf"
        message.attach(name, report_pdf.render(report), "application/pdf")
    return message


def _not_sent(delivery: ReportDelivery, code: str, at: datetime) -> None:
    if delivery.tries >= MAX_TRIES or code == NO_ADDRESS:
        _end(delivery, DeliveryState.FAILED, code)
        return
    wait = min(LONGEST_WAIT, RETRY_AFTER * 2 ** (delivery.tries - 1))
    ReportDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENDING).update(
        state=DeliveryState.WAITING, due_at=at + wait, error_code=code
    )


def _end(
    delivery: ReportDelivery, state: DeliveryState, code: str, *, sent_at: datetime | None = None
) -> None:
    ReportDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENDING).update(
        state=state, due_at=None, error_code=code, sent_at=sent_at
    )
