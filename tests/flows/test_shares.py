"""A year that several processes load between them is the year that one process loads."""

import pytest
from django.db import connection, transaction

from config.base import clock
from members.models import Identifier
from rewards.models import Entry, ImportJob, PointsAccount
from rewards.presets import PRESETS
from rewards.services import journey_import, presets
from rewards.services.complete_journey import Journey
from tests import databases

YEAR = Journey(households=6)


def ledger() -> list[tuple[str, int, int]]:
    """Return what each household has, by its identifier."""
    households = dict(Identifier.objects.filter(kind="external").values_list("member_id", "tail4"))
    return sorted(
        (households[member], seq, available)
        for member, seq, available in PointsAccount.objects.values_list(
            "member_id", "seq", "available"
        )
    )


@pytest.mark.req("MEM-13")
def test_two_processes_load_what_one_does(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():
        presets.load(preset=PRESETS["classic"], at=clock.now())
    databases.use(own_database)
    copy = databases.clone(own_database)
    try:
        alone = journey_import.load(journey=YEAR, at=clock.now())
        expected, entries = ledger(), Entry.objects.count()
        databases.use(copy)
        monkeypatch.setattr(journey_import, "WORTH_SHARING", 0)
        together = journey_import.load(journey=YEAR, at=clock.now(), processes=2)
        assert together == alone
        assert (ledger(), Entry.objects.count()) == (expected, entries)
        assert ImportJob.objects.count() == 3
        assert "loaded_before" in journey_import.load(journey=YEAR, at=clock.now(), processes=2)
    finally:
        connection.close()
        databases.use(own_database)
        databases.drop(copy)
