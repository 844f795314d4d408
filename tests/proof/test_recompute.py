"""A fold from zero equals what is stored, however the facts came; where it does not, it says so."""

import random
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.base.errors import DomainError
from members.models import Member
from rewards.domain.submission import Submission
from rewards.domain.verification import Verifier
from rewards.services import adjustment, journal, recompute, reservation
from tests.proof import corruption, ledgers
from tests.proof.ledgers import Programme

pytestmark = pytest.mark.req("PTS-12", "ORG-06")

DELAYS_HOURS = (0, 0, 1, 30, 200, 1_500)


def differences(*members: int) -> list[str]:
    ids = list(members) or recompute.member_ids()
    slices = recompute.recompute(members=ids)
    return [str(difference) for _count, found in slices for _member, difference in found]


def deliveries(choose: random.Random, facts: list[Submission]) -> Iterator[tuple[int, Submission]]:
    """Return the facts with hours until they arrive: some late, some twice, some very late."""
    for fact in facts:
        for _copy in range(choose.choice([1, 1, 1, 2])):
            yield choose.choice(DELAYS_HOURS), fact


def play(seed: int) -> Programme:
    """Send facts as they arrive, in batches of any size, with commands and due runs between."""
    choose = random.Random(seed)
    made = ledgers.programme(choose.choice(["classic", "retail_cn"]))
    facts = list(ledgers.random_facts(seed, made, 80))
    arriving = [
        (ledgers.instant_of(fact) + timedelta(hours=hours), number, fact)
        for number, (hours, fact) in enumerate(deliveries(choose, facts))
    ]
    arriving.sort(key=lambda each: each[:2])
    while arriving:
        count = choose.choice([1, 1, 2, 5, 9])
        batch, arriving = arriving[:count], arriving[count:]
        made.at = batch[-1][0]
        made.send(*(fact for _at, _number, fact in batch))
        meanwhile(choose, made)
    made.at += timedelta(days=choose.choice([0, 30, 500]))
    made.settle()
    return made


def meanwhile(choose: random.Random, made: Programme) -> None:
    """Do something else, or nothing; a refusal is as good."""
    member, roll = choose.choice(made.members).pk, choose.random()
    try:
        if roll < 0.1:
            made.settle()
        elif roll < 0.2:
            adjustment.adjust(
                member=member, points=choose.choice([-400, -7, 9, 500]), reason="x", at=made.at,
                actor="staff:eve", limit_points=None,
            )  # fmt: skip
        elif roll < 0.35:
            held = reservation.hold(
                member=member, points=choose.randint(1, 300), at=made.at,
                ttl=timedelta(hours=choose.choice([1, 100])), actor="touchpoint:till",
            )  # fmt: skip
            if roll < 0.25:
                reservation.capture(
                    reservation=held.public_id, points=held.points // 2, at=made.at, actor="t"
                )
            elif roll < 0.3:
                reservation.release(reservation=held.public_id, at=made.at, actor="t")
    except DomainError:
        pass


@pytest.mark.parametrize("preset", ["classic", "retail_cn"])
def test_recompute_finds_nothing_where_everything_has_happened(
    own_database: str, preset: str
) -> None:
    ledgers.rich(preset)

    assert differences() == []


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(3, 60))]
)
def test_every_proof_holds_whatever_arrives_when(own_database: str, seed: int) -> None:
    play(seed)

    assert differences() == []
    assert corruption.findings() == {}
    assert list(Verifier().read(journal.export())) == []


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("UPDATE rewards_evaluation SET awards = '[[1, 7]]'", "award"),
        ("UPDATE members_order SET net_amount = net_amount + 1", "order_net"),
        ("UPDATE members_order SET qualifying_amount = qualifying_amount + 1", "order_qualifying"),
        ("UPDATE members_order SET version = version + 7", "order_version"),
        ("UPDATE tiers_standing SET reason = 'renewed'", "standing"),
        ("UPDATE tiers_standing SET kept_until_on = kept_until_on + 1", "standing"),
        ("UPDATE members_memberprofile SET first_purchase_on = NULL", "first_purchase"),
        ("UPDATE rewards_foldsnapshot SET review_due_at = '2030-01-01'", "review_due_at"),
        ("UPDATE rewards_foldsnapshot SET position = jsonb_set(position, '{2}', '\"?\"')",
         "position"),
        ("UPDATE rewards_foldsnapshot SET state = jsonb_set(state, '{t,rank}', '3')", "fold"),
        ("UPDATE rewards_foldsnapshot SET state = jsonb_set(state, '{t,days,t,0}', '1')",
         "progress"),
        ("UPDATE rewards_foldsnapshot SET state = jsonb_set(state, '{c}', '{\"base:all\": 7}')",
         "cap"),
    ],
)  # fmt: skip
def test_recompute_names_what_differs(rich_ledger: str, statement: str, part: str) -> None:
    corrupt = corruption.Corruption(part, "", "", f"{statement} RETURNING 1")

    with corruption.corrupted(corrupt):
        found = recompute.recompute_slice(recompute.member_ids())

    assert part in {difference.part for _member, difference in found}


def test_command_recomputes_one_member_or_a_sample(rich_ledger: str) -> None:
    member = Member.objects.earliest("pk")
    out = StringIO()

    call_command("recompute", "--member", str(member.public_id), stdout=out)
    call_command("recompute", "--member", member.card_number, stdout=out)
    call_command("recompute", "--members", "2", stdout=out)

    assert out.getvalue().splitlines() == [
        "1 members: no difference",
        "1 members: no difference",
        "2 members: no difference",
    ]


def test_command_exits_non_zero_and_names_member_and_order(own_database: str) -> None:
    made = ledgers.programme(members=1)
    made.send(ledgers.order(made.members[0], "A1", made.at, 10_000))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rewards_evaluation SET awards = '[]'")
    out = StringIO()

    with pytest.raises(CommandError, match="differences among 1 members"):
        call_command("recompute", stdout=out)

    assert f"{made.members[0].public_id} award order shop/A1 rule base: 100 ≠ 0" in out.getvalue()


def test_command_refuses_an_unknown_member(rich_ledger: str) -> None:
    with pytest.raises(CommandError, match="no such member"):
        call_command("recompute", "--member", "nobody", stdout=StringIO())
