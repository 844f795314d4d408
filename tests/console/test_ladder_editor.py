"""The next version of the ladder: written, looked at, agreed to by a second person, in force."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from config.base import clock
from config.base.errors import DomainError
from config.wiring import panels
from members.models import Approval
from members.services import approvals
from rewards.services import due, ladder_simulation
from tests.engine.shop import Shop, day
from tests.factories import console
from tiers.models import LadderDraft, LadderVersion, Standing
from tiers.services import ladder_drafts
from tiers.services.ladder_content import Content, content_of, rows_of

pytestmark = [pytest.mark.django_db, pytest.mark.req("TIR-06")]

MAKER, CHECKER = "staff:li.na", "staff:wang.wei"
PAGE_QUERIES = 15


@pytest.fixture(autouse=True)
def _kinds() -> None:
    panels.install()


def refusal(work: object) -> str:
    assert callable(work)
    with pytest.raises(DomainError) as refused:
        work()
    return refused.value.code


def content(**thresholds: str) -> dict[str, object]:
    said = content_of(LadderVersion.objects.get())
    for rule in said["rules"]:
        if rule["metric"] == "spend" and rule["tier"] in thresholds:
            rule["threshold"] = thresholds[rule["tier"]]
    return said


def written(said: Content, starts: float | None = None, at: float = 10) -> LadderDraft:
    starts_at = None if starts is None else day(starts)
    return ladder_drafts.create(
        name="Lower silver", content=said, starts_at=starts_at, actor=MAKER, at=day(at)
    )


def submitted(draft: LadderDraft, at: float = 10) -> Approval:
    return ladder_drafts.submit(draft_id=draft.pk, reason="fairer", actor=MAKER, at=day(at))


def approve(approval: Approval, at: float = 10) -> None:
    approvals.approve(approval_id=approval.pk, actor=CHECKER, at=day(at))


def test_a_draft_counts_for_nothing_until_a_second_person_publishes_it() -> None:
    shop = Shop()
    ann = shop.join("ann")
    draft = written(content(silver="500"))
    approval = submitted(draft)
    shop.buy(ann, "O1", 600, on=10)
    assert Standing.objects.get(member=ann, ended_at=None).tier.code == "basic"

    assert refusal(lambda: approvals.approve(
        approval_id=approval.pk, actor=MAKER, at=day(10)
    )) == "approval_own_request"  # fmt: skip
    approve(approval)

    version = LadderVersion.objects.latest("number")
    assert version.effective_from == clock.day_start(clock.local_day(day(11)))
    assert content_of(version) == content_of(LadderVersion.objects.get(number=1)) | {
        "rules": draft.content["rules"]
    }
    due.settle_due(at=day(11), recorded_at=day(11))
    shop.buy(ann, "O2", 1, on=12)
    assert Standing.objects.get(member=ann, ended_at=None).tier.code == "silver"
    assert refusal(lambda: submitted(draft)) == "version_frozen"


def test_a_draft_that_changed_after_it_was_sent_has_to_be_sent_again() -> None:
    Shop()
    draft = written(content(silver="500"))
    approval = submitted(draft)
    LadderDraft.objects.update(content=content(silver="1"))
    assert refusal(lambda: approve(approval)) == "draft_changed"
    ladder_drafts.save(
        draft_id=draft.pk, name="x", content=content(silver="400"), starts_at=None, actor=MAKER,
        at=day(10),
    )  # fmt: skip
    approval.refresh_from_db()
    assert approval.state == "withdrawn"
    assert LadderVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("starts", "at", "code"), [(10, 10, "ladder_start_passed"), (40, 45, "ladder_start_passed")]
)
def test_a_version_begins_in_the_future_only(starts: float, at: float, code: str) -> None:
    Shop()
    draft = written(content(), starts)
    assert refusal(lambda: submitted(draft, at)) == code


def test_versions_are_published_in_the_order_in_which_they_begin() -> None:
    Shop()
    later = submitted(written(content(silver="900"), 30))
    sooner = submitted(written(content(silver="800"), 20))
    approve(later)
    assert refusal(lambda: approve(sooner)) == "later_version_published"


def test_thresholds_have_to_rise_with_the_rank() -> None:
    Shop()
    draft = written(content(gold="1000", silver="1000"))
    with translation.override("en"), pytest.raises(DomainError) as refused:
        submitted(draft)
    assert "Gold asks for no more Spend than Silver" in str(refused.value.message)


@pytest.mark.parametrize(
    ("place", "value"),
    [("threshold", "many"), ("threshold", "-1"), ("window_days", "0"), ("metric", "luck"),
     ("window", "soon"), ("group", "0")],
)  # fmt: skip
def test_what_no_ladder_can_say_is_refused(place: str, value: str) -> None:
    Shop()
    said = content_of(LadderVersion.objects.get())
    rule = next(each for each in said["rules"] if each["window"] == "rolling_days")
    rule[place] = value
    assert refusal(lambda: written(said)) in {"ladder_draft_invalid", "threshold_below_one"}
    assert not LadderDraft.objects.exists()


def test_the_difference_is_told_in_sentences() -> None:
    Shop()
    draft = written(content(silver="500"))
    with translation.override("en"):
        (change,) = ladder_drafts.changes(draft, day(10))
    assert "500.00" in change.after
    assert change.what.startswith("Silver")


def test_the_simulation_says_who_rises_and_who_falls() -> None:
    shop = Shop()
    people = {name: shop.join(name) for name in ("ann", "bob", "cat")}
    base = content_of(LadderVersion.objects.get())
    silver = next(
        r for r in base["rules"] if (r["tier"], r["metric"]) == ("silver", "spend")
    )  # fmt: skip
    step = Decimal(silver["threshold"])
    shop.buy(people["ann"], "A", str(step * Decimal("0.6")), on=1)
    shop.buy(people["bob"], "B", str(step * Decimal("1.1")), on=1)
    lower = rows_of(content(silver=str(step / 2))).ladder()
    higher = rows_of(content(silver=str(step * Decimal("1.5")))).ladder()

    found = ladder_simulation.simulate(draft=lower, at=day(2))
    assert (found.members, found.looked_at, found.is_sample) == (3, 3, False)
    assert (found.now, found.as_is) == ({"basic": 2, "silver": 1}, {"basic": 2, "silver": 1})
    assert found.drafted == {"basic": 1, "silver": 2}
    assert (found.rises, found.falls, found.better, found.worse) == (1, 0, 1, 0)
    found = ladder_simulation.simulate(draft=higher, at=day(2))
    assert (found.rises, found.falls, found.better, found.worse) == (0, 1, 0, 1)
    assert LadderVersion.objects.count() == 1


def test_a_simulation_of_many_members_is_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    for number in range(7):
        shop.join(f"m{number}")
    monkeypatch.setattr(ladder_simulation, "MOST_MEMBERS", 3)
    found = ladder_simulation.simulate(draft=rows_of(content()).ladder(), at=day(2))
    assert found.is_sample
    assert 1 <= found.looked_at <= 3


def form_of(client: Client, page: str) -> dict[str, str]:
    """Return what a browser would post: every field of the page's form with its value."""
    context = client.get(page).context
    form = context["form"]
    values = {name: form[name].value() for name in form.fields}
    body = {name: "" if value is None else str(value) for name, value in values.items()}
    body["tenure_counts_suspension"] = "on"
    for row in context["worth"]:
        body[f"tier-{row['tier']}-multiplier"] = row["multiplier"]
        body[f"tier-{row['tier']}-discount"] = row["discount_percent"]
    rows = [row for part in context["parts"] for _n, group in part.groups for row in group]
    for row in rows:
        for name, cell in (("from_tier", "from"), ("window_days", "days")):
            body[f"{row.key}-{cell}"] = str(row.said[name] or "")
        for name in ("tier", "purpose", "group", "metric", "window", "threshold", "unit"):
            body[f"{row.key}-{name}"] = str(row.said[name])
    return body


def test_a_version_goes_through_the_console(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    console.programme()
    console.member()
    client.force_login(console.staff())
    new = reverse("admin:ladder_new")
    body = form_of(client, new) | {"name": "<b>Fair</b>", "tier-gold-multiplier": "1.10"}
    english = {"accept-language": "en"}

    redrawn = client.post(new, body | {"do": "add-row:gold:entry:2"}, headers=english).text
    assert "Gold is worth no more than Silver." in redrawn
    assert redrawn.count('name="rule-3-metric"') == 1
    broken = client.post(new, body | {"rule-1-threshold": "x", "do": "save"}, headers=english)
    assert "Write a number." in broken.text
    assert not LadderDraft.objects.exists()

    simulated = client.post(new, body | {"do": "simulate"})
    draft = LadderDraft.objects.get()
    assert simulated.url == reverse("admin:ladder_simulation", args=[draft.pk])  # type: ignore[attr-defined]
    text = client.get(simulated.url, headers=english).text  # type: ignore[attr-defined]
    assert "Rules in force" in text
    assert "<b>Fair" not in text
    page = reverse("admin:ladder_draft", args=[draft.pk])
    with django_assert_max_num_queries(PAGE_QUERIES):
        text = client.get(page, headers=english).text
    assert "× 1.1" in text
    body = form_of(client, page)
    client.post(page, body | {"do": "submit", "reason": "fair"})
    approval = Approval.objects.get(kind="ladder.publish")
    client.force_login(console.staff("wang.wei"))
    decide = reverse("admin:members_approval_decide", args=[approval.pk])
    assert "points multiplier" in client.get(decide, headers=english).text
    client.post(decide, {"decision": "approve"})
    version = LadderVersion.objects.latest("number")
    assert version.terms.get(tier__code="gold").multiplier == Decimal("1.1")
    shown = client.get(reverse("admin:tiers_ladderversion_change", args=[version.pk])).text
    assert "× 1.25" in shown
    assert version.effective_from is not None
    assert version.effective_from - clock.now() <= timedelta(days=1, minutes=10)


def test_who_may_only_publish_sees_a_draft_and_changes_nothing(client: Client) -> None:
    console.programme()
    draft = written(content())
    client.force_login(console.staff("eve", is_superuser=False))
    page = reverse("admin:ladder_draft", args=[draft.pk])
    assert client.get(page).status_code == 403
    assert client.get(reverse("admin:ladder_new")).status_code == 403
