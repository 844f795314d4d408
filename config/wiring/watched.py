"""The reviewed list of what is left out of the record of staff acts, table by table.

A new table is watched unless it stands here. Leave out what requests and jobs write in bulk and no
member of staff changes by hand; staff who change it through a service leave the act itself.
"""

from typing import Final

from config.base import watching

# The ledger and what an order writes: their own append-only record, with the actor.
_HOT: Final = (
    "campaigns_campaignact", "campaigns_campaignbudget", "campaigns_campaignmember",
    "campaigns_feedbackanswer", "campaigns_message", "campaigns_messagereceipt",
    "campaigns_prospectaddress", "campaigns_triggeroccurrence",
    "members_eventdelivery", "members_idempotencykey", "members_interaction",
    "members_memberevent", "members_memberinsight", "members_order", "members_orderline",
    "members_receivedfact", "members_refund", "members_segmentmembership", "members_stageday",
    "members_valuescore", "members_webhookdelivery", "rewards_adjustmentbudget",
    "rewards_couponmisses", "rewards_couponuse", "rewards_entry", "rewards_evaluation",
    "rewards_foldsnapshot", "rewards_grant", "rewards_inbounddelivery", "rewards_lot",
    "rewards_lotuse", "rewards_pointsaccount", "rewards_reservation", "tiers_entitlement",
    "tiers_entitlementperiod", "tiers_entitlementuse", "tiers_lapsewarning",
    "tiers_progressentry", "tiers_standing",
)  # fmt: skip

# Codes that live for minutes, and how far the site's own work has come.
_PASSING: Final = (
    "auth_permission", "campaigns_triggermark",
    "axes_accessattemptexpiration", "axes_accessfailurelog",
    "axes_accesslog", "config_heartbeat", "config_jobrun", "config_programmeclock",
    "config_staffact", "config_staffactanchor", "config_staffacthead", "django_admin_log",
    "django_celery_beat_periodictasks", "django_content_type", "django_session",
    "members_insightmark", "members_membercode", "members_onetimepassword", "members_verification",
    "rewards_grantcalendar", "tiers_benefitrollout", "tiers_ladderrollout",
)  # fmt: skip

PLAN: Final = watching.Plan(
    unwatched=frozenset((*_HOT, *_PASSING)),
    # Batches of many thousands; the batch itself is watched.
    not_when_added=frozenset(("rewards_coupon", "rewards_rewardcode")),
    hidden={
        "auth_user": ("password", "first_name", "last_name", "email", "last_login"),
        "axes_accessattempt": (
            "username", "user_agent", "get_data", "post_data", "path_info", "http_accept",
        ),
        "members_attributechange": ("value",),
        "members_case": ("details",),
        "members_identifier": ("tail4", "app"),
        "members_memberprofile": ("name_mask", "birth_month", "birth_day", "attributes"),
        "members_prospectcontact": ("tail4",),
        "members_webhook": ("url",),
        "otp_totp_totpdevice": ("key",),
        "django_otp_webauthn_webauthncredential": ("credential_id_sha256",),
        "rewards_coupon": ("code",),
    },
    approvals="members_approval",
    members="members_member",
)  # fmt: skip


def install() -> None:
    """Say which tables are watched."""
    watching.install(PLAN)
