"""What the builder shows beside the form: the rule as a sentence, warnings, a cart, last month."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from config.base import clock, money
from config.base.admin import charts, formats
from config.base.errors import DomainError
from config.base.names import in_active_language, name_of
from members.models import Member
from rewards import explanations, rule_words
from rewards.admin.rule_form import RuleBuilder
from rewards.domain import rule_warnings
from rewards.domain.programme import ProgrammeBook
from rewards.models import Rule
from rewards.models.rule import RuleTrigger
from rewards.services import rule_preview
from rewards.services.programme import current_book
from rewards.services.rule_preview import CartPreview, MonthPreview


def of_cart(builder: RuleBuilder) -> dict[str, Any]:
    """Return the sentence, the warnings and what the rule would do to the cart.

    A form that is not posted shows what is stored.
    """
    if builder.form.is_bound and not builder.read():
        return {"is_unfinished": True}
    version = builder.version
    if not version.rule.name_zh and not builder.form.is_bound:
        return {"is_unfinished": True}
    names = _names(builder)
    shown: dict[str, Any] = {"sentence": rule_words.sentence(version, builder.choices.labels)}
    try:
        book = current_book()
        shown["warnings"] = _warnings(builder, book, names)
        shown |= _cart(builder, book, names)
    except DomainError as error:
        shown["error"] = str(error.message)
    return shown


def _cart(builder: RuleBuilder, book: ProgrammeBook, names: dict[str, str]) -> dict[str, Any]:
    if builder.version.trigger == RuleTrigger.INTERACTION:
        return {"is_of_interaction": True}
    cart = builder.cart_form.cart(clock.now()) if builder.cart_form.is_bound else None
    if cart is None and builder.cart_form.is_bound:
        return {"cart_errors": builder.cart_form.errors}
    cart = cart or rule_preview.SampleCart(amount=money.to_minor("100"), placed_at=clock.now())
    found = rule_preview.preview_cart(draft=builder.spec, cart=cart, book=book)
    return {"cart": found, "rows": _rows(found, builder.spec.code, names)}


def _rows(found: CartPreview, code: str, names: dict[str, str]) -> list[dict[str, Any]]:
    """Return the explanation line by line; the draft's own lines are marked."""
    return [
        {"text": explanations.render(item, names), "is_own": item.get("rule") == code}
        for item in found.draft.explanation
    ]


def of_month(request: HttpRequest, builder: RuleBuilder) -> dict[str, Any]:
    """Return what last month's orders would have earned with the rule."""
    if not builder.read():
        return {"error": gettext("Finish the rule first: something in it cannot be read yet.")}
    if builder.version.trigger == RuleTrigger.INTERACTION:
        return {"error": gettext("This rule looks at interactions, not at orders.")}
    try:
        month = rule_preview.preview_month(draft=builder.spec, at=clock.now())
    except DomainError as error:
        return {"error": str(error.message)}
    gains = _gains(request, month)
    return {
        "month": month,
        "more": month.draft - month.live,
        "cost": formats.money(money.from_minor(month.cost)),
        "share": formats.share(month.matched, month.orders),
        "gains": gains,
        "chart": charts.bars(
            [str(day.day) for day in month.days],
            [
                (gettext("Rules in force"), month.live_by_day, charts.PALETTE[6]),
                (gettext("With the draft"), month.draft_by_day, charts.PALETTE[0]),
            ],
        ),
        "is_sampled": month.one_in > 1,
    }


def _gains(request: HttpRequest, month: MonthPreview) -> list[dict[str, Any]]:
    if not request.user.has_perm("members.view_member"):
        return []
    members = Member.objects.in_bulk([member for member, _points in month.gains])
    return [
        {"member": members[member], "points": points}
        for member, points in month.gains
        if member in members
    ]


def _warnings(builder: RuleBuilder, book: ProgrammeBook, names: dict[str, str]) -> list[str]:
    at, draft = clock.now(), builder.spec
    own = [rule for rule in book.rules if rule.code == draft.code and rule.applies_at(at)]
    found = rule_warnings.warnings(
        draft,
        others=[rule for rule in book.rules if rule.code != draft.code],
        in_force=own[0] if own else None,
        at=at,
    )
    return [rule_words.warning(finding, names) for finding in found]


def _names(builder: RuleBuilder) -> dict[str, str]:
    names = {rule.code: name_of(rule) for rule in Rule.objects.all()}
    rule = builder.version.rule
    names[rule.code] = in_active_language(zh=rule.name_zh, en=rule.name_en)
    return names
