"""E-mail by Django's mail: SMTP, or any provider's back end that the settings name."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from campaigns.channels.base import Channel, Outbound, Outcome, Result, Send
from members.models import IdentifierKind


class Email(Channel):
    """Mail with a text and an HTML part, and a header by which a mailbox opts out in one click."""

    code = "email"
    address_kind = IdentifierKind.EMAIL.value

    def is_open(self) -> bool:
        """Tell whether there is a mail server, or another back end."""
        is_smtp: bool = settings.EMAIL_BACKEND.endswith("smtp.EmailBackend")
        return bool(settings.EMAIL_HOST) or not is_smtp

    def send(self, outbound: Outbound) -> Result:
        """Send one mail on a connection of its own."""
        with self.talk() as send:
            return send(outbound)

    @contextmanager
    def talk(self) -> Iterator[Send]:
        """Keep one connection for several mails; after it broke, the next one opens another."""
        connection = get_connection()

        def send(outbound: Outbound) -> Result:
            result = _send(outbound, connection)
            if result.outcome in {Outcome.UNKNOWN, Outcome.NOT_REACHED}:
                _close(connection)
            return result

        try:
            yield send
        finally:
            _close(connection)


def _send(outbound: Outbound, connection: BaseEmailBackend) -> Result:
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        return Result(Outcome.NOT_REACHED, type(error).__name__)
    try:
        message = _message(outbound, connection)
        message.send()
    except smtplib.SMTPServerDisconnected:
        return Result(Outcome.UNKNOWN, "broke_off")
    except (smtplib.SMTPException, ValueError) as error:
        # The server has answered, and its answer is no; or the address is none.
        return Result(Outcome.REFUSED, type(error).__name__)
    except OSError:
        return Result(Outcome.UNKNOWN, "broke_off")
    # Back ends of providers say here by which id they will report about the mail.
    status = getattr(message, "anymail_status", None)
    return Result(Outcome.SENT, provider_id=str(getattr(status, "message_id", None) or "")[:80])


def _message(outbound: Outbound, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    # One mail, however often it is tried: a mailbox knows the second one for the first.
    headers = {"Message-ID": f"<message-{outbound.message_id}@loyalty>"}
    body, html = outbound.text.body, outbound.text.html
    if outbound.opt_out_url:
        headers["List-Unsubscribe"] = f"<{outbound.opt_out_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        body = f"{body}\n\n{outbound.opt_out_url}\n"
        html = f'{html}<p><a href="{outbound.opt_out_url}">{_OPT_OUT[outbound.language]}</a></p>'
    message = EmailMultiAlternatives(
        subject=outbound.text.subject,
        body=body,
        to=[outbound.to],
        connection=connection,
        headers=headers,
    )
    message.attach_alternative(html, "text/html")
    return message


_OPT_OUT = {"zh": "退订", "en": "Unsubscribe"}


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        # It is broken already.
        return
