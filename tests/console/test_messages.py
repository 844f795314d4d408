"""Messages in the console: written, looked at, published, followed, and sent again."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from campaigns.models import (
    ContentAsset,
    Message,
    MessagePolicy,
    MessageTemplate,
    TemplateVersion,
    VersionState,
)
from campaigns.services import content, message_policy
from tests.factories import console
from tests.mailbox import Mailbox
from tests.messages.world import NOON, allow, ended, owe, send, template

pytestmark = pytest.mark.django_db

SMTP = "django.core.mail.backends.smtp.EmailBackend"
PAGE_QUERIES = 20


@pytest.fixture(autouse=True)
def _closed(settings: Settings) -> None:
    settings.LOYALTY_SMS_PROVIDER = ""
    settings.EMAIL_HOST, settings.EMAIL_BACKEND = "", SMTP
    cache.clear()


@pytest.fixture
def visitor(client: Client) -> Client:
    user = console.staff()
    user.email = "li.na@example.com"
    user.save()
    client.force_login(user)
    client.get(reverse("admin:jsi18n"))
    return client


def form(**values: str) -> dict[str, str]:
    """Return what the editor posts: one text, one variable."""
    return {
        "zh-inbox-subject": "问候", "zh-inbox-body": "{{ member.name }}，您好",
        "name-0": "member.name", "type-0": "text", "zh-0": "会员", "en-0": "member", **values,
    }  # fmt: skip


def made() -> MessageTemplate:
    """Return a template without texts."""
    template(code="spring")
    return MessageTemplate.objects.create(
        code="bare", name_zh="问候", purpose="marketing", needs_consent=True, created_at=NOON,
        created_by="test",
    )  # fmt: skip


@pytest.mark.req("CMP-06")
def test_a_template_is_written_checked_and_published(visitor: Client) -> None:
    answer = visitor.post(
        reverse("admin:message_template_add"),
        {"code": "spring", "name_zh": "春季", "name_en": "Spring", "purpose": "marketing"},
    )
    made = MessageTemplate.objects.get(code="spring")
    path = reverse("admin:message_template", args=[made.pk])
    assert answer["Location"] == path
    wrong = visitor.post(path, form(**{"do": "save", "zh-inbox-body": "{{ member.phone }}"}))
    assert "member.phone" in wrong.text
    assert not TemplateVersion.objects.exists()
    visitor.post(path, form(do="save"))
    visitor.post(path, form(do="publish"))
    version = TemplateVersion.objects.get()
    assert version.state == VersionState.PUBLISHED
    assert version.contents["zh"]["inbox"]["body"] == "{{ member.name }}，您好"
    visitor.post(path, form(**{"do": "save", "zh-inbox-body": "新的"}))
    assert [each.number for each in TemplateVersion.objects.order_by("number")] == [1, 2]
    visitor.post(path, form(do="discard"))
    assert TemplateVersion.objects.count() == 1


@pytest.mark.req("CMP-06")
def test_a_preview_is_a_members_text_with_the_name_masked(visitor: Client) -> None:
    console.programme()
    member = console.member("张小明")
    path = reverse("admin:message_template", args=[made().pk])
    shown = visitor.post(path, form(do="preview", card=member.card_number)).text
    assert "张**，您好" in shown
    assert "张小明" not in shown
    assert not TemplateVersion.objects.filter(template__code="bare").exists()
    hostile = form(**{"do": "preview", "card": member.card_number, "zh-inbox-body": "<b>x</b>"})
    assert "&lt;b&gt;x&lt;/b&gt;" in visitor.post(path, hostile).text


def test_a_test_goes_to_whoever_asks_for_it(visitor: Client, settings: Settings) -> None:
    path = reverse("admin:message_template", args=[made().pk])
    mail = form(
        **{"do": "test", "zh-email-subject": "s", "zh-email-body": "{{ member.name }}，您好"}
    )
    with Mailbox() as box:
        settings.EMAIL_HOST, settings.EMAIL_PORT = box.host, box.port
        visitor.post(path, mail)
    (message,) = box.messages
    assert message.to == ["li.na@example.com"]
    assert "会员，您好" in message.text


@pytest.mark.req("CMP-06")
def test_texts_that_are_not_saved_are_neither_lost_nor_left_out(visitor: Client) -> None:
    path = reverse("admin:message_template", args=[made().pk])
    visitor.post(path, form(do="save"))
    changed = {"zh-inbox-body": "改过的"}
    tested = visitor.post(path, form(do="test", **changed))
    assert "改过的" in tested.text
    refused = visitor.post(path, form(do="publish", **changed), headers={"accept-language": "en"})
    assert "改过的" in refused.text
    assert "Save the draft first" in refused.text
    draft = TemplateVersion.objects.get(template__code="bare")
    assert draft.state == VersionState.DRAFT
    # Texts that another hand wrote down, without what is empty.
    draft.contents = {"zh": {"inbox": {"body": "{{ member.name }}，您好"}}}
    draft.save(update_fields=["contents"])
    visitor.post(path, form(**{"do": "publish", "zh-inbox-subject": ""}))
    draft.refresh_from_db()
    assert draft.state == VersionState.PUBLISHED


@pytest.mark.req("CMP-18")
def test_content_has_versions_and_says_where_it_is_used(visitor: Client) -> None:
    path = reverse("admin:content_library")
    given: dict[str, Any] = {
        "code": "address", "language": "zh", "kind": "text", "title": "门店地址",
        "value": "南京西路1号", "owner": str(visitor.session["_auth_user_id"]),
    }  # fmt: skip
    for value in ("南京西路1号", "南京西路2号"):
        assert visitor.post(path, {**given, "value": value}).status_code == 302
    refused = visitor.post(path, {**given, "kind": "image", "value": "javascript:x"})
    assert refused.status_code == 200
    assert [each.number for each in ContentAsset.objects.order_by("number")] == [1, 2]
    body = {"subject": "", "body": "地址：{{ asset.address }}"}
    used = template("visit", contents={"zh": {"inbox": body}})
    assert content.where_used() == {"address": [used]}
    page = visitor.get(path).text
    assert "南京西路2号" in page
    assert "南京西路1号" not in page
    assert reverse("admin:message_template", args=[used.pk]) in page


@pytest.mark.req("CMP-08")
def test_delivery_settings_are_versions_with_reasons(visitor: Client) -> None:
    path = reverse("admin:message_policy")
    given = {
        "channel_order": "sms, email", "quiet_from": "22:00", "quiet_until": "08:00",
        "quiet_purposes": ["marketing"], "marketing_per_day": "1", "marketing_per_week": "",
        "reason": "fewer",
    }  # fmt: skip
    assert visitor.post(path, {**given, "channel_order": "sms, pigeon"}).status_code == 200
    assert visitor.post(path, {**given, "reason": ""}).status_code == 200
    assert not MessagePolicy.objects.exists()
    assert visitor.post(path, {**given, "channel_order": "sms，email"}).status_code == 302
    assert visitor.post(path, given).status_code == 302
    policy = message_policy.in_force()
    assert (policy.channel_order, policy.marketing_per_week) == (("sms", "email"), None)
    assert visitor.get(path).status_code == 200


@pytest.mark.req("CMP-04")
def test_pages_say_what_was_sent_and_why_not(
    visitor: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    console.programme()
    member, other = console.member(), console.member()
    allow(member)
    template()
    for each in (member, other):
        owe(each, trigger="campaign:spring")
    send()
    addresses = [
        reverse("admin:messages"), reverse("admin:message_trigger") + "?trigger=campaign:spring",
        reverse("admin:content_library"), reverse("admin:message_policy"),
    ]  # fmt: skip
    for language in ("zh-hans", "en"):
        for address in addresses:
            with django_assert_max_num_queries(PAGE_QUERIES):
                page = visitor.get(address, headers={"accept-language": language})
            assert page.status_code == 200
    with CaptureQueriesContext(connection) as asked:
        visitor.get(reverse("admin:messages"))
    assert not any("GROUP BY" in each["sql"] for each in asked.captured_queries)
    shown = visitor.get(
        reverse("admin:members_member_change", args=[other.pk]), headers={"accept-language": "en"}
    )
    assert "has not agreed to messages of this purpose" in shown.text


@pytest.mark.req("CMP-04")
def test_an_unknown_outcome_waits_for_somebody_and_is_sent_again_with_a_reason(
    visitor: Client,
) -> None:
    console.programme()
    member = console.member()
    template()
    message = owe(member)
    allow(member)
    send()
    Message.objects.update(state="unknown", reason="timeout", delivered_at=None)
    assert "?state__exact=unknown" in visitor.get(reverse("admin:index")).text
    path = reverse("admin:message_retry", args=[message.pk])
    assert visitor.post(path, {"reason": ""}).status_code == 200
    assert ended(message)[0] == "unknown"
    assert visitor.post(path, {"reason": "asked the provider"}).status_code == 302
    assert ended(message)[0] == "queued"
    assert visitor.post(path, {"reason": "again"}).status_code == 200
    timeline = reverse("admin:members_member_change", args=[member.pk])
    assert visitor.get(timeline).status_code == 200
