"""Two rules that contradict each other are published at one moment: one of them waits and fails."""

import threading
from decimal import Decimal
from typing import Any

import pytest

from config.base.errors import DomainError
from config.wiring import panels
from members.services import approvals
from rewards.domain.rules import RuleError
from rewards.services import rule_drafts, rule_publication
from rewards.services.programme import current_book
from rewards.services.rule_drafts import RuleNames
from tests.engine.shop import Shop, day
from tests.faults import crowd

MEETING_SECONDS = 1.5


def publish_both(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let two processes publish at once; each waits for the other between check and commit."""
    panels.install()
    Shop()
    requests = []
    for mode in ("best", "first"):
        terms = {"effect": "multiplier", "factor": Decimal(2), "group": "g", "group_mode": mode}
        names = RuleNames(mode, mode)
        draft = rule_drafts.create(names=names, terms=terms, actor="staff:eve", at=day(1))
        asked: dict[str, Any] = {
            "draft_id": draft.pk,
            "reason": "r",
            "actor": "staff:eve",
            "at": day(1),
        }
        requests.append(rule_drafts.submit(**asked).pk)
    meeting = crowd._processes.Barrier(2, timeout=MEETING_SECONDS)
    check = rule_publication._check_all

    def check_and_meet() -> None:
        check()
        try:
            meeting.wait()
        except threading.BrokenBarrierError:
            return

    monkeypatch.setattr(rule_publication, "_check_all", check_and_meet)

    def work(number: int) -> str:
        try:
            approvals.approve(approval_id=requests[number], actor="staff:bob", at=day(1))
        except DomainError as refused:
            return refused.code
        return "published"

    return sorted(crowd.results(crowd.at_once(work, 2)))


def test_rules_that_contradict_each_other_are_never_both_published(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert publish_both(monkeypatch) == ["group_mode_conflict", "published"]
    current_book()


def test_without_the_lock_both_are_and_nothing_can_be_decided(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_publication, "_alone", lambda: None)
    assert publish_both(monkeypatch) == ["published", "published"]
    with pytest.raises(RuleError):
        current_book()
