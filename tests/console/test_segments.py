"""What staff do with segments in the console."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from members.models import (
    AttributeDefinition,
    Member,
    MemberProfile,
    Segment,
    SegmentDay,
    SegmentMembership,
)
from members.services import segments
from members.services.segments import Content
from tests.factories import console, staff

pytestmark = pytest.mark.django_db

SILVER = {"field": "customer.tier", "op": "eq", "value": "silver"}


@pytest.fixture
def ann() -> Member:
    console.programme()
    return console.member()


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def made(**values: Any) -> Segment:
    names: dict[str, Any] = {"name_zh": "普通", "name_en": "Basic", "description": "<b>x</b>"}
    content = Content(**{**names, "conditions": SILVER, **values})
    return segments.create(code="basic", content=content, at=console.AT, actor="eve")


def rows(*tests: tuple[str, str, str]) -> dict[str, str]:
    """Return one group of rows as the form posts it."""
    posted = {"c-groups": "1", "c-0-match": "all", "c-0-rows": str(len(tests))}
    for number, (field, op, value) in enumerate(tests):
        posted |= {f"c-0-{number}-field": f"customer.{field}", f"c-0-{number}-op": op,
                   f"c-0-{number}-value": value}  # fmt: skip
    return posted


SAID = {"name_zh": "活跃", "name_en": "Active", "code": "active", "description": "", "do": "save"}
EMPTY = {"c-groups": "0"}


@pytest.mark.req("SEG-05", "SEG-20")
def test_a_segment_is_previewed_written_and_counted(visitor: Client, ann: Member) -> None:
    address = reverse("admin:segment_add")
    asked = rows(("tier", "in", "silver"), ("orders_365d", "gte", "0"), ("spend", "gte", "0"))
    shown = visitor.post(address, {**SAID, **asked, "do": "preview"}).content.decode()
    assert "1 member" in shown
    assert ann.card_number[-4:] in shown
    assert "Net spend <b>2240.00</b>" in shown
    assert not Segment.objects.exists()
    response = visitor.post(address, {**SAID, **asked, "alert_percent": "20"})
    segment = Segment.objects.get()
    assert response["Location"] == reverse("admin:segment", args=[segment.pk])
    assert (segment.size, segment.alert_percent, segment.kind) == (1, 20, "dynamic")
    assert len((segment.conditions or {})["all"]) == 3
    page = visitor.get(response["Location"]).content.decode()
    assert ann.card_number[-4:] in page
    assert "met" in page


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(visitor: Client, ann: Member) -> None:
    address = reverse("admin:segment_add")
    wrong = visitor.post(address, {**SAID, **rows(("orders", "gte", "many"))}).content.decode()
    assert "This is not a valid value" in wrong
    assert 'value="活跃"' in wrong
    empty = visitor.post(address, {**SAID, **EMPTY}).content.decode()
    assert "at least one condition" in empty
    more = visitor.post(address, {**SAID, **EMPTY, "do": "add-group:c"}).content.decode()
    assert 'name="c-0-0-field"' in more
    assert "at least one condition" not in more
    made()
    taken = visitor.post(address, {**SAID, **rows(("orders", "gte", "0")), "code": "basic"})
    assert "this code already" in taken.content.decode()


def test_a_family_takes_any_name_and_comes_back(visitor: Client, ann: Member) -> None:
    address = reverse("admin:segment_add")
    posted = rows(("category_share", "gte", "40"), ("consent", "eq", "yes"))
    posted |= {"c-0-0-name": "手袋 & Co.", "c-0-1-name": "marketing.sms"}
    visitor.post(address, {**SAID, **posted})
    segment = Segment.objects.get()
    assert [leaf["field"] for leaf in (segment.conditions or {})["all"]] == [
        "customer.category_share.手袋 & Co.", "customer.consent.marketing.sms",
    ]  # fmt: skip
    page = visitor.get(reverse("admin:segment_change", args=[segment.pk])).content.decode()
    assert 'value="手袋 &amp; Co."' in page
    assert 'value="marketing.sms"' in page


@pytest.mark.req("MEM-06")
def test_a_declared_attribute_is_asked_for_by_its_type(visitor: Client, ann: Member) -> None:
    add = reverse("admin:members_attributedefinition_add")
    said = {"code": "skin", "name_zh": "肤质", "name_en": "Skin", "type": "choice", "choices": ""}
    assert "Name the values" in visitor.post(add, said).content.decode()
    visitor.post(add, {**said, "choices": "dry\noily\ndry\n"})
    declared = AttributeDefinition.objects.get()
    assert declared.choices == ["dry", "oily"]
    posted = rows(("attributes.skin", "in", "oily"))
    page = visitor.post(reverse("admin:segment_add"), {**SAID, **posted, "do": "refresh"})
    assert 'value="oily" checked' in page.content.decode()
    change = reverse("admin:members_attributedefinition_change", args=[declared.pk])
    assert "dry\noily" in visitor.get(change).content.decode()
    emptied = visitor.post(change, {"name_zh": "肤质", "name_en": "Skin", "choices": ""})
    assert "Name the values" in emptied.content.decode()
    declared.refresh_from_db()
    assert declared.choices == ["dry", "oily"]


@pytest.mark.req("SEG-18")
def test_lists_and_today_say_which_segments_have_moved(visitor: Client, ann: Member) -> None:
    segment = made(alert_percent=10)
    SegmentDay.objects.update(on="2026-01-02")
    SegmentDay.objects.create(segment=segment, on="2026-01-01", size=50, entries=50, exits=0)
    SegmentDay.objects.filter(on="2026-01-02").update(on=console.AT.date())
    page = visitor.get(reverse("admin:segments")).content.decode()
    assert "Basic" in page
    assert "Segments that have moved far" in visitor.get(reverse("admin:index")).content.decode()
    assert (
        "Entries and exits"
        in visitor.get(reverse("admin:segment", args=[segment.pk])).content.decode()
    )


@pytest.mark.req("SEG-18", "MEM-06")
def test_conditions_that_mean_nothing_any_more_are_shown_with_a_warning(
    visitor: Client, ann: Member
) -> None:
    said = {"code": "size", "name_zh": "尺码", "name_en": "Size"}
    declared = AttributeDefinition.objects.create(type="number", **said)
    MemberProfile.objects.filter(member=ann).update(attributes={"size": 38})
    asked = {"field": "customer.attributes.size", "op": "gte", "value": "36"}
    segment = made(conditions=asked)
    AttributeDefinition.objects.filter(pk=declared.pk).update(type="bool")
    pages = [
        visitor.get(reverse(name, args=arguments)).content.decode()
        for name, arguments in (
            ("admin:segment", [segment.pk]), ("admin:segment_why", [segment.pk, ann.pk]),
            ("admin:segment_change", [segment.pk]), ("admin:segments", []), ("admin:index", []),
        )
    ]  # fmt: skip
    assert "mean nothing any more" in pages[0]
    assert "customer.attributes.size" in pages[0]
    assert ann.card_number[-4:] in pages[0]
    assert "mean nothing any more" in pages[1]
    assert "not counted" in pages[3]
    assert "Segments whose conditions mean nothing any more" in pages[4]


def test_pages_escape_and_take_few_statements(
    visitor: Client, ann: Member, django_assert_max_num_queries: Any
) -> None:
    segment = made()
    with django_assert_max_num_queries(24):
        page = visitor.get(reverse("admin:segment", args=[segment.pk])).content.decode()
    assert "<b>x</b>" not in page
    with django_assert_max_num_queries(16):
        visitor.get(reverse("admin:segments"))


@pytest.mark.req("SEG-20")
def test_the_member_page_says_in_which_segments_and_why(visitor: Client, ann: Member) -> None:
    segment = made()
    page = visitor.get(reverse("admin:members_member_change", args=[ann.pk])).content.decode()
    address = reverse("admin:segment_why", args=[segment.pk, ann.pk])
    assert address in page
    why = visitor.get(address).content.decode()
    assert "The member meets its conditions now." in why
    assert "found: " in why


def test_a_segment_is_changed_and_retired_with_a_reason(visitor: Client, ann: Member) -> None:
    segment = made()
    address = reverse("admin:segment_change", args=[segment.pk])
    said = {**SAID, "code": "", **rows(("orders", "gte", "100"))}
    visitor.post(address, said)
    segment.refresh_from_db()
    assert (segment.name_zh, segment.code, segment.size) == ("活跃", "basic", 0)
    retire = reverse("admin:segment_retire", args=[segment.pk])
    assert visitor.post(retire, {"reason": ""}).status_code == 200
    assert visitor.post(retire, {"reason": "over"}).status_code == 302
    segment.refresh_from_db()
    assert segment.retired_at is not None
    assert not SegmentMembership.objects.filter(to_at=None).exists()
    page = visitor.get(reverse("admin:segments")).content.decode()
    assert "Retired" in page


def test_who_may_look_may_not_write_and_sees_members_only_with_their_permission(
    client: Client, ann: Member
) -> None:
    segment = made()
    client.force_login(staff.person("comm", "campaign_approver"))
    page = client.get(reverse("admin:segment", args=[segment.pk])).content.decode()
    assert ann.card_number[-4:] not in page
    for name, arguments in (
        ("segment_add", []), ("segment_change", [segment.pk]), ("segment_retire", [segment.pk]),
        ("segment_why", [segment.pk, ann.pk]),
    ):  # fmt: skip
        assert client.get(reverse(f"admin:{name}", args=arguments)).status_code == 403
