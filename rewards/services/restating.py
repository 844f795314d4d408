"""What an interaction of the programme's own said is put right; that it happened stays.

What it said is never folded: rules ask for kind, source and time. So points and progress stand as
they are, nothing is taken back and given again, and a recompute comes to the same.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Func, JSONField, Value

from members.models import Interaction, ReceivedFact
from members.services import events
from members.services.events import NewEvent

CORRECTED: Final = "interaction.corrected"


@transaction.atomic
def restate(*, fact_id: int, data: Mapping[str, Any], actor: str, at: datetime) -> None:
    """Replace what an interaction said. The caller holds its member's lock."""
    said = Interaction.objects.get(pk=fact_id)
    said.data = dict(data)
    said.save(update_fields=["data"])
    body = Func(
        F("body"), Value("{data}"), Value(said.data, JSONField()),
        template="jsonb_set(%(expressions)s)", arg_joiner=", ", output_field=JSONField(),
    )  # fmt: skip
    ReceivedFact.objects.filter(pk=fact_id).update(body=body)
    payload = {"ref": said.ref, "source": said.source, "actor": actor}
    events.append([NewEvent(said.member_id, CORRECTED, at, at, payload)])
