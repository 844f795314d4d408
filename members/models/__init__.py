"""Who the members are, which systems may speak for them, and what those systems reported."""

from members.models.attribute import AttributeDefinition, AttributeType
from members.models.brand import Brand
from members.models.case import Case, CaseKind, CaseNote, CasePriority, CaseState, NoteKind
from members.models.consent import Consent
from members.models.data_request import DataRequest, DataRequestKind, DataRequestState
from members.models.event import EventDelivery, MemberEvent, Subscription
from members.models.fact import FactKind, FactState, ReceivedFact
from members.models.identity import (
    Identifier,
    IdentifierKind,
    Member,
    MemberKey,
    MemberProfile,
    MemberStatus,
)
from members.models.insight import (
    InsightMark,
    InsightPolicy,
    MemberInsight,
    StageDay,
    ValueScore,
)
from members.models.interaction import Interaction, InteractionKind
from members.models.merge import MemberMerge
from members.models.moderation import Moderation, ModerationState
from members.models.order import LineKind, Order, OrderLine, OrderMove, OrderStatus, Refund
from members.models.presence import MemberCode, OneTimePassword, Verification
from members.models.prospect import (
    ContactKind,
    ForgottenBecause,
    InterestKind,
    Prospect,
    ProspectContact,
)
from members.models.segment import Segment, SegmentDay, SegmentKind, SegmentMembership
from members.models.service import ServiceHours, ServicePolicy, SpecialDay, Weekday
from members.models.staff import Approval, RevealCount, RoleAuthority, StaffAuthority
from members.models.status import AttributeChange, Suspension
from members.models.touchpoint import (
    ApiKey,
    Channel,
    IdempotencyKey,
    OnUnknown,
    OrgUnit,
    Source,
    SpendNeeds,
    Store,
    Touchpoint,
)
from members.models.webhook import (
    DisabledReason,
    SendState,
    Webhook,
    WebhookDelivery,
    WebhookState,
)

__all__ = [
    "ApiKey",
    "Approval",
    "AttributeChange",
    "AttributeDefinition",
    "AttributeType",
    "Brand",
    "Case",
    "CaseKind",
    "CaseNote",
    "CasePriority",
    "CaseState",
    "Channel",
    "Consent",
    "ContactKind",
    "DataRequest",
    "DataRequestKind",
    "DataRequestState",
    "DisabledReason",
    "EventDelivery",
    "FactKind",
    "FactState",
    "ForgottenBecause",
    "IdempotencyKey",
    "Identifier",
    "IdentifierKind",
    "InsightMark",
    "InsightPolicy",
    "Interaction",
    "InteractionKind",
    "InterestKind",
    "LineKind",
    "Member",
    "MemberCode",
    "MemberEvent",
    "MemberInsight",
    "MemberKey",
    "MemberMerge",
    "MemberProfile",
    "MemberStatus",
    "Moderation",
    "ModerationState",
    "NoteKind",
    "OnUnknown",
    "OneTimePassword",
    "Order",
    "OrderLine",
    "OrderMove",
    "OrderStatus",
    "OrgUnit",
    "Prospect",
    "ProspectContact",
    "ReceivedFact",
    "Refund",
    "RevealCount",
    "RoleAuthority",
    "Segment",
    "SegmentDay",
    "SegmentKind",
    "SegmentMembership",
    "SendState",
    "ServiceHours",
    "ServicePolicy",
    "Source",
    "SpecialDay",
    "SpendNeeds",
    "StaffAuthority",
    "StageDay",
    "Store",
    "Subscription",
    "Suspension",
    "Touchpoint",
    "ValueScore",
    "Verification",
    "Webhook",
    "WebhookDelivery",
    "WebhookState",
    "Weekday",
]
