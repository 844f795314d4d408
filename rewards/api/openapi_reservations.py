"""The description of reservations."""

from config.base.api import openapi
from config.base.api.openapi import ID, POINTS, TEXT, TIME, Answer, Body, Operation, nullable
from members.api.openapi import EXAMPLE_ID, EXAMPLE_TIME
from members.api.openapi_presence import PRESENCE
from rewards.api.openapi_catalogue import CODE, REFUSALS, SLOT_CODE, STATUS
from rewards.models import ReservationStatus

RESERVATIONS = "Reservations"
RESERVATION_PATH = openapi.path("reservation_id", ID, "The reservation's id.")
COUNT = openapi.integer(1, 1_000)

RESERVATION_REQUEST = openapi.component(
    "ReservationRequest",
    openapi.record(
        {"member": ID},
        {
            "points": openapi.integer(0, 10**12),
            "coupons": openapi.listing(openapi.text(40), 20),
            "rewards": openapi.listing(
                openapi.record({"reward": CODE}, {"quantity": COUNT, "slot": SLOT_CODE}), 20
            ),
            "benefits": openapi.listing(openapi.record({"code": CODE}, {"uses": COUNT}), 20),
            "ttl_seconds": openapi.integer(1, 86_400),
            **PRESENCE,
        },
    ),
)
RESERVATION_REQUEST_EXAMPLE = {"member": EXAMPLE_ID, "points": 200, "ttl_seconds": 900}
RESERVATION = openapi.component(
    "Reservation",
    openapi.record(
        {
            "id": ID,
            "member": ID,
            "status": openapi.choice(*ReservationStatus.values),
            "points": POINTS,
            "captured_points": POINTS,
            "held_at": TIME,
            "expires_at": TIME,
            "closed_at": nullable(TIME),
            "rewards": openapi.listing(
                openapi.record(
                    {
                        "redemption": ID,
                        "reward": TEXT,
                        "quantity": POINTS,
                        "points": POINTS,
                        "slot": nullable(TEXT),
                        "status": STATUS,
                    }
                )
            ),
            "coupons": openapi.listing(TEXT),
            "benefits": openapi.listing(openapi.record({"code": TEXT, "uses": POINTS})),
        }
    ),
)
RESERVATION_EXAMPLE = {
    "id": "01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5c",
    "member": EXAMPLE_ID,
    "status": "held",
    "points": 200,
    "captured_points": 0,
    "held_at": EXAMPLE_TIME,
    "expires_at": EXAMPLE_TIME,
    "closed_at": None,
    "rewards": [],
    "coupons": [],
    "benefits": [],
}
CLOSED = ("reservation_not_found", "reservation_closed", "reservation_lapsed")
INACTIVE = ("member_frozen", "member_not_active")

post_reservation = Operation(
    name="reserve",
    tag=RESERVATIONS,
    summary="Reserve points, rewards, coupons and uses of benefits, all or nothing",
    scope="reservations:write",
    member_by="body",
    body=Body(RESERVATION_REQUEST, RESERVATION_REQUEST_EXAMPLE),
    answers=[Answer(201, "Reserved.", RESERVATION, RESERVATION_EXAMPLE)],
    errors=[
        *(code for code in REFUSALS if code != "address_required"),
        "reservation_empty",
        "coupon_unknown",
        "coupon_code_mistyped",
        "coupon_not_usable",
        "too_many_unknown_codes",
    ],
    idempotency="required",
)
get_reservation = Operation(
    name="getReservation",
    tag=RESERVATIONS,
    summary="Read a reservation",
    scope="reservations:write",
    member_by="row",
    parameters=[RESERVATION_PATH],
    answers=[Answer(200, "The reservation.", RESERVATION, RESERVATION_EXAMPLE)],
    errors=["reservation_not_found", "parameter_invalid"],
)
capture_reservation = Operation(
    name="captureReservation",
    tag=RESERVATIONS,
    summary="Take what was reserved; points that are not said are released",
    scope="reservations:write",
    member_by="row",
    parameters=[RESERVATION_PATH],
    body=Body(openapi.record({}, {"points": openapi.integer(0, 10**12)}), {}),
    answers=[
        Answer(
            200,
            "Captured, or captured before.",
            RESERVATION,
            {
                **RESERVATION_EXAMPLE,
                "status": "captured",
                "captured_points": 200,
                "closed_at": EXAMPLE_TIME,
            },
        )
    ],
    errors=[
        *CLOSED,
        *INACTIVE,
        "insufficient_points",
        "reward_not_for_tier",
        "reward_conditions_not_met",
        "out_of_stock",
    ],
    idempotency="required",
)
release_reservation = Operation(
    name="releaseReservation",
    tag=RESERVATIONS,
    summary="Give everything that was reserved back",
    scope="reservations:write",
    member_by="row",
    parameters=[RESERVATION_PATH],
    body=Body(openapi.record({}), {}),
    answers=[
        Answer(
            200,
            "Released, or released before.",
            RESERVATION,
            {**RESERVATION_EXAMPLE, "status": "released", "closed_at": EXAMPLE_TIME},
        )
    ],
    errors=[*CLOSED, *INACTIVE],
    idempotency="required",
)
