"""Pages for members themselves: opting out by the link in a message.

Whoever has the link may opt out: it is in the message only. Looking at the page changes nothing,
since mail scanners follow links; mailboxes post without asking for it (RFC 8058).
"""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.services import opt_outs, prospect_opt_outs
from campaigns.services.opt_outs import OptOutInvalidError
from config.base import clock
from members.services import brand

TEMPLATE: Final = "public/opt_out.html"
PROSPECT_TEMPLATE: Final = "public/prospect_opt_out.html"


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to stop, or stop: on the message's channel, or everywhere where that was chosen.

    Source: MEM-11.
    """
    at = clock.now()
    context: dict[str, Any] = {"programme": brand.programme_name(at)}
    try:
        message = opt_outs.message_of(token)
    except OptOutInvalidError:
        return TemplateResponse(request, TEMPLATE, {**context, "is_invalid": True}, status=404)
    is_done = request.method == "POST"
    if is_done:
        opt_outs.opt_out(message=message, everywhere="everywhere" in request.POST, at=at)
    context |= {"channel": message.get_channel_display(), "is_done": is_done}
    return TemplateResponse(request, TEMPLATE, context)


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def prospect_opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """Ask a prospect whether to stop, or stop; with `forget` nothing of them is kept either.

    Source: CMP-13, MEM-11, MEM-12.
    """
    at = clock.now()
    context: dict[str, Any] = {"programme": brand.programme_name(at)}
    try:
        address = prospect_opt_outs.address_of(token)
    except OptOutInvalidError:
        return TemplateResponse(
            request, PROSPECT_TEMPLATE, {**context, "is_invalid": True}, status=404
        )
    forget = "forget" in request.POST
    if request.method == "POST":
        prospect_opt_outs.stop(address=address, forget=forget, at=at)
    context |= {"is_done": request.method == "POST", "is_forgotten": forget}
    return TemplateResponse(request, PROSPECT_TEMPLATE, context)
