"""Rules, decisions, and the points ledger."""

from rewards.models.importing import ImportJob
from rewards.models.ledger import Entry, FoldSnapshot, Lot, LotUse, PointsAccount
from rewards.models.reservation import Reservation, ReservationStatus
from rewards.models.rule import Evaluation, PointsPolicy, Rule, RuleVersion

__all__ = [
    "Entry",
    "Evaluation",
    "FoldSnapshot",
    "ImportJob",
    "Lot",
    "LotUse",
    "PointsAccount",
    "PointsPolicy",
    "Reservation",
    "ReservationStatus",
    "Rule",
    "RuleVersion",
]
