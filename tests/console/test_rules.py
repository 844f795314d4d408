"""The rule builder: nothing typed is lost, mistakes stand at their rows, only services write."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from members.models import Approval, Segment
from members.models.staff import ApprovalState
from rewards.models import Rule, RuleVersion
from rewards.models.rule import RuleState
from rewards.presets import PRESETS
from rewards.programme_words import BIRTHDAY_MONTH
from rewards.services import presets
from tests.factories import console

pytestmark = [pytest.mark.django_db, pytest.mark.req("PTS-04")]

BUILDER_QUERIES = 25

DAY = {"c-0-0-field": "order.day", "c-0-0-op": "in", "c-0-0-value": ["8", "18"]}
ONE_ROW = {"c-groups": "1", "c-0-match": "all", "c-0-rows": "1"}


def body(**changes: Any) -> dict[str, Any]:
    said = {
        "name_zh": "会员日双倍积分", "name_en": "Member day", "trigger": "order",
        "gives": "multiplier", "factor": "2", "points": "1", "per_amount": "1",
        "group_mode": "add", "priority": "40", "cap_points": "500", "cap_period": "day",
        **ONE_ROW, **DAY, "l-groups": "0", "cart-amount": "100", "cart-channel": "pos",
        "cart-on": "2026-03-18T10:00", "do": "save",
    }  # fmt: skip
    return {**said, **{name.replace("__", "-"): value for name, value in changes.items()}}


@pytest.fixture
def operator(client: Client) -> Client:
    presets.load(preset=PRESETS["classic"], at=console.AT)
    client.force_login(console.staff("operator"))
    return client


def post(client: Client, said: dict[str, Any], draft: RuleVersion | None = None) -> Any:
    address = reverse("admin:rule_new")
    if draft is not None:
        address = reverse("admin:rule_draft", args=[draft.pk])
    return client.post(address, said, headers={"accept-language": "en"})


def written(client: Client, **changes: Any) -> RuleVersion:
    assert post(client, body(**changes)).status_code == 302
    return RuleVersion.objects.select_related("rule").latest("pk")


def test_saving_writes_a_draft_that_counts_for_nothing(operator: Client) -> None:
    draft = written(operator)
    assert (draft.state, draft.rule.code, draft.number) == (RuleState.DRAFT, "member_day_2", 1)
    assert draft.conditions == {"field": "order.day", "op": "in", "value": [8, 18]}
    assert (draft.cap_points, draft.cap_period, draft.factor) == (500, "day", Decimal(2))
    assert draft.created_by == "staff:operator"


ROWS: list[tuple[dict[str, Any], Any]] = [
    ({"c-0-0-field": "order.spend", "c-0-0-op": "gte", "c-0-0-value": "99.5"},
     {"field": "order.spend", "op": "gte", "value": "99.5"}),
    ({"c-0-0-field": "order.date", "c-0-0-op": "between",
      "c-0-0-value": ["2026-05-01", "2026-05-05"]},
     {"field": "order.date", "op": "between", "value": ["2026-05-01", "2026-05-05"]}),
    ({"c-0-0-field": "member.tier", "c-0-0-op": "eq", "c-0-0-value": "silver"},
     {"field": "member.tier", "op": "eq", "value": "silver"}),
    ({"c-0-0-field": "member.attributes", "c-0-0-name": "club", "c-0-0-op": "in",
      "c-0-0-value": "gold， silver"},
     {"field": "member.attributes.club", "op": "in", "value": ["gold", "silver"]}),
    ({"c-0-0-field": "member.birthday_month", "c-0-0-op": "is_set", "c-0-0-value": "no"},
     {"field": "member.birthday_month", "op": "is_set", "value": False}),
    ({"c-0-0-field": "order.birthday_month", "c-0-0-op": "eq"}, dict(BIRTHDAY_MONTH)),
    ({"c-0-0-field": "order.store", "c-0-0-op": "in", "c-0-0-value": ["", "sh-01, sh-02"]},
     {"field": "order.store", "op": "in", "value": ["sh-01", "sh-02"]}),
]  # fmt: skip


@pytest.mark.parametrize(("row", "stored"), ROWS, ids=[row["c-0-0-field"] for row, _ in ROWS])
def test_a_row_becomes_a_condition_and_shows_again(
    operator: Client, row: dict[str, Any], stored: Any
) -> None:
    draft = written(operator, **row)
    assert draft.conditions == stored
    shown = operator.get(reverse("admin:rule_draft", args=[draft.pk]))
    assert f'value="{row["c-0-0-field"]}" selected' in shown.text
    again = {**body(**row), "c-0-0-value": row.get("c-0-0-value", "")}
    assert post(operator, again, draft).status_code == 302
    draft.refresh_from_db()
    assert draft.conditions == stored


def test_groups_are_joined(operator: Client) -> None:
    second = {
        "c-groups": "2", "c-join": "any", "c-1-match": "none", "c-1-rows": "1",
        "c-1-0-field": "order.channel", "c-1-0-op": "in", "c-1-0-value": ["web"],
    }  # fmt: skip
    draft = written(operator, **second)
    web = {"field": "order.channel", "op": "in", "value": ["web"]}
    day = {"field": "order.day", "op": "in", "value": [8, 18]}
    assert draft.conditions == {"any": [day, {"not": web}]}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"c-0-0-field": ""}, "Choose what the row is about"),
    ({"c-0-0-value": []}, "at least one value"),
    ({"c-0-0-field": "order.spend", "c-0-0-op": "gte", "c-0-0-value": "a lot"}, "not a valid"),
    ({"c-0-0-field": "member.attributes", "c-0-0-op": "eq", "c-0-0-name": "Größe",
      "c-0-0-value": "x"}, "This name is not known"),
    ({"factor": "0.5"}, "greater than or equal to 1"),
    ({"cap_period": ""}, "Say in which period"),
    ({"cap_points": ""}, "how many points"),
    ({"group_mode": "best", "group": ""}, "needs a group"),
    ({"valid_from": "2026-05-02T00:00", "valid_until": "2026-05-01T00:00"}, "ends before"),
    ({"trigger": "interaction", "c-0-0-field": "interaction.kind",
      "c-0-0-value": ["survey"]}, "only give a fixed number"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_a_mistake_is_said_and_nothing_is_written(
    operator: Client, changes: dict[str, Any], said: str
) -> None:
    before = RuleVersion.objects.count()
    response = post(operator, body(**changes))
    assert response.status_code == 200
    assert said in response.text
    assert response.text.count("lc-error") + response.text.count(">error<") >= 1
    assert 'value="会员日双倍积分"' in response.text, "nothing typed is lost"
    assert RuleVersion.objects.count() == before


def test_buttons_add_and_remove_rows_without_a_script(operator: Client) -> None:
    before = RuleVersion.objects.count()
    added = post(operator, body(do="add-row:c:0", factor="2.5")).text
    assert 'name="c-0-rows" value="2"' in added
    assert 'value="2.5"' in added
    assert 'value="18" checked' in added
    group = post(operator, body(do="add-group:l")).text
    assert 'name="l-groups" value="1"' in group
    removed = post(operator, body(do="remove-row:c:0:0")).text
    assert 'name="c-groups" value="0"' in removed
    assert RuleVersion.objects.count() == before
    assert "lc-error" not in added, "a new row is no mistake yet"


@pytest.mark.parametrize(
    "do",
    [
        "add-row:c:99", "remove-row:c:0:99", "add-group:x", "add-row:c:-1", "discard", "nonsense",
        pytest.param("add-row:c:" + "9" * 5000, id="many-digits"),
    ],
)  # fmt: skip
def test_a_button_that_is_not_there_does_nothing(operator: Client, do: str) -> None:
    shown = post(operator, body(do=do))
    assert shown.status_code == 200
    assert 'name="c-0-rows" value="1"' in shown.text


def test_counts_beyond_reason_do_no_harm(operator: Client) -> None:
    shown = post(operator, body(do="preview", c__groups="9" * 5000))
    assert shown.status_code == 200


def test_a_field_that_is_not_offered_stays_where_it_is_stored(operator: Client) -> None:
    draft = written(operator)
    stored = {"field": "member.segments", "op": "contains", "value": "vip"}
    RuleVersion.objects.filter(pk=draft.pk).update(conditions=stored)
    shown = operator.get(reverse("admin:rule_draft", args=[draft.pk])).text
    assert 'value="member.segments" selected' in shown
    row = {"c-0-0-field": "member.segments", "c-0-0-op": "contains", "c-0-0-value": "vip"}
    post(operator, body(**row), draft)
    draft.refresh_from_db()
    assert draft.conditions == stored


def test_segments_are_not_offered_but_the_audience_of_a_campaign_is_named(
    operator: Client,
) -> None:
    assert 'value="member.segments"' not in operator.get(reverse("admin:rule_new")).text
    Segment.objects.create(
        code="campaign-spring", kind="campaign", name_zh="春季", name_en="Spring",
        created_at=console.AT, created_by="eve",
    )  # fmt: skip
    draft = written(operator)
    stored = {"field": "member.segments", "op": "contains", "value": "campaign-spring"}
    RuleVersion.objects.filter(pk=draft.pk).update(conditions=stored)
    row = {"c-0-0-field": "member.segments", "c-0-0-op": "contains",
           "c-0-0-value": "campaign-spring"}  # fmt: skip
    assert "Spring" in post(operator, body(do="preview", **row), draft).text


def test_the_preview_tries_the_cart_and_writes_nothing(operator: Client) -> None:
    before = RuleVersion.objects.count()
    shown = post(operator, body(do="preview")).text
    assert '<dd id="cart-live">100</dd>' in shown
    assert '<dd id="cart-draft">200</dd>' in shown
    assert "On day 8, 18 of each month: base points × 2" in shown
    shown = post(operator, body(do="preview", c__groups="0", cap_points="", cap_period="")).text
    assert "There is no condition" in shown
    assert "A multiplier without a limit" in shown
    unfinished = post(operator, body(do="preview", name_zh="")).text
    assert "cart-draft" not in unfinished
    assert RuleVersion.objects.count() == before


def test_last_month_is_computed_on_demand(operator: Client) -> None:
    shown = post(operator, body(do="month")).text
    assert "There are no orders from" in shown
    assert "Finish the rule first" in post(operator, body(do="month", factor="x")).text


def test_the_builder_takes_few_queries(
    operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    draft = written(operator)
    post(operator, body(do="submit", reason="promo"), draft)
    for address in (
        reverse("admin:rule_draft", args=[draft.pk]),
        reverse("admin:rewards_rule_change", args=[draft.rule_id]),
    ):
        with django_assert_max_num_queries(BUILDER_QUERIES):
            assert operator.get(address).status_code == 200


def test_from_draft_to_history(operator: Client) -> None:
    draft = written(operator)
    refused = post(operator, body(do="submit", reason=" "), draft)
    assert refused.status_code == 302
    assert not Approval.objects.exists(), "a reason is required"
    post(operator, body(do="submit", reason="promo"), draft)
    approval = Approval.objects.get()
    shown = operator.get(reverse("admin:rule_draft", args=[draft.pk]))
    assert reverse("admin:members_approval_decide", args=[approval.pk]) in shown.text

    decide = reverse("admin:members_approval_decide", args=[approval.pk])
    operator.force_login(console.staff("checker"))
    request = operator.get(decide, headers={"accept-language": "en"}).text
    assert "at most 500 points per member a day" in request
    operator.post(decide, {"decision": "approve"})
    draft.refresh_from_db()
    assert draft.state == RuleState.ACTIVE
    assert operator.get(reverse("admin:rule_draft", args=[draft.pk])).status_code == 302

    operator.post(reverse("admin:rule_copy", args=[draft.pk]))
    copy = RuleVersion.objects.latest("pk")
    post(operator, body(factor="3", name_zh="别的名字"), copy)
    copy.refresh_from_db()
    assert (copy.number, copy.factor, copy.rule.name_zh) == (2, Decimal(3), "会员日双倍积分")
    history = operator.get(
        reverse("admin:rewards_rule_change", args=[draft.rule_id]), {"old": "1", "new": "2"},
        headers={"accept-language": "en"},
    ).text  # fmt: skip
    assert "base points × 2" in history
    assert "base points × 3" in history


def test_ending_a_rule_asks_a_second_person(operator: Client) -> None:
    version = RuleVersion.objects.get(rule__code="base")
    address = reverse("admin:rule_end", args=[version.pk])
    assert operator.get(address).status_code == 200
    assert operator.post(address, {"reason": ""}).status_code == 200
    assert operator.post(address, {"reason": "over"}).status_code == 302
    version.refresh_from_db()
    assert version.valid_until is None
    assert Approval.objects.get().kind == "rule.retire"


def test_withdrawing_and_throwing_away(operator: Client) -> None:
    draft = written(operator)
    post(operator, body(do="submit", reason="promo"), draft)
    post(operator, body(do="withdraw"), draft)
    assert Approval.objects.get().state == ApprovalState.WITHDRAWN
    post(operator, body(do="discard"), draft)
    assert not Rule.objects.filter(pk=draft.rule_id).exists()


def permitted(username: str, *codenames: str) -> User:
    user = console.staff(username, is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def test_each_page_asks_for_its_permission(operator: Client) -> None:
    draft = written(operator)
    post(operator, body(do="submit", reason="promo"), draft)
    approval = Approval.objects.get()
    operator.force_login(permitted("reader", "view_rule"))
    for name, args in (("rule_new", []), ("rule_draft", [draft.pk]), ("rule_end", [draft.pk])):
        assert operator.get(reverse(f"admin:{name}", args=args)).status_code == 403
    assert operator.post(reverse("admin:rule_copy", args=[draft.pk])).status_code == 403
    page = operator.get(reverse("admin:rewards_rule_change", args=[draft.rule_id]))
    assert page.status_code == 200
    assert reverse("admin:rule_draft", args=[draft.pk]) not in page.text

    decide = reverse("admin:members_approval_decide", args=[approval.pk])
    operator.force_login(permitted("other", "view_approval", "change_approval"))
    assert operator.post(decide, {"decision": "approve"}).status_code in {302, 403}
    draft.refresh_from_db()
    assert draft.state == RuleState.DRAFT, "publishing rules is a permission of its own"
    operator.force_login(permitted("boss", "view_approval", "publish_rule"))
    address = reverse("admin:rule_draft", args=[draft.pk])
    assert address in operator.get(decide).text
    assert operator.get(address).status_code == 200
    assert "cart-draft" in post(operator, body(do="preview"), draft).text
    assert post(operator, body(factor="9"), draft).status_code == 403
    operator.post(decide, {"decision": "approve"})
    draft.refresh_from_db()
    assert draft.state == RuleState.ACTIVE


def test_what_is_nested_too_deeply_is_kept_until_replaced(operator: Client) -> None:
    deep = {"not": {"all": [{"field": "order.day", "op": "eq", "value": 1},
                            {"field": "order.hour", "op": "eq", "value": 9}]}}  # fmt: skip
    draft = written(operator)
    RuleVersion.objects.filter(pk=draft.pk).update(conditions=deep)
    shown = operator.get(
        reverse("admin:rule_draft", args=[draft.pk]), headers={"accept-language": "en"}
    )
    assert "nested more deeply" in shown.text
    post(operator, body(c__groups="0"), draft)
    draft.refresh_from_db()
    assert draft.conditions == deep
    post(operator, body(), draft)
    draft.refresh_from_db()
    assert draft.conditions == {"field": "order.day", "op": "in", "value": [8, 18]}


def test_names_are_escaped(operator: Client) -> None:
    draft = written(operator, name_zh="<script>x</script>", name_en="")
    for address in (
        reverse("admin:rule_draft", args=[draft.pk]),
        reverse("admin:rewards_rule_change", args=[draft.rule_id]),
        reverse("admin:rewards_rule_changelist"),
    ):
        assert "<script>x" not in operator.get(address).text
