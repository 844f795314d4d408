"""Messages of members who were merged away, sent in numbers."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Message, Purpose
from campaigns.services import sending
from members.models import Member
from tests.messages.world import NOON, owe, reader, template

pytestmark = [pytest.mark.django_db, pytest.mark.req("MEM-04")]


def test_the_number_of_statements_does_not_depend_on_how_many_were_merged() -> None:
    template("notice", Purpose.SERVICE)
    into = reader("")
    counts = []
    for count in (1, 4):
        away = [reader("") for _number in range(count)]
        for each in away:
            owe(each, "notice", occurrence=str(each.pk))
        pks = [each.pk for each in away]
        Member.objects.filter(pk__in=pks).update(status="merged", merged_into=into)
        with CaptureQueriesContext(connection) as captured:
            assert sending.send_due(at=NOON) == count
        counts.append(len([q for q in captured if "SAVEPOINT" not in q["sql"]]))
    assert set(Message.objects.values_list("member", flat=True)) == {into.pk}
    assert counts[0] == counts[1]
