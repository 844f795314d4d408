"""Who acts in the console, as services record it."""

from django.http import HttpRequest

ACTOR_LENGTH = 64


def actor_of(request: HttpRequest) -> str:
    """Return the visitor as an actor: `staff:<username>`.

    A name too long for the column is replaced by the account's number, never cut: two people must
    not become one.
    """
    actor = f"staff:{request.user.get_username()}"
    return actor if len(actor) <= ACTOR_LENGTH else f"staff:#{request.user.pk}"
