"""What the exported journal says of messages."""

import json

from config.wiring import messaging
from rewards.services import journal
from tests.factories import members
from tests.messages.world import owe, send, template


def test_the_journal_has_a_line_for_each_message(own_database: str) -> None:
    messaging.install()
    member = members.member()
    template()
    owe(member, trigger="campaign:spring", occurrence="day:1")
    send()
    lines = [json.loads(line) for line in journal.export()]
    (line,) = [each for each in lines if each["type"] == "message"]
    assert line == {
        "type": "message", "member": str(member.public_id), "trigger": "campaign:spring",
        "occurrence": "day:1", "channel": None, "status": "suppressed",
        "at": "2026-03-20T04:00:00.000000Z", "reason": "no_consent", "template": "hello",
    }  # fmt: skip
