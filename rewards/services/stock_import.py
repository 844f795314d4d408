"""Import a file of deliveries and corrections of the stock.

Source: RWD-02, design §9 (files).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from rewards.domain.import_rows import STOCK_COLUMNS, StockRow, stock_row
from rewards.domain.mapping import ColumnMapping
from rewards.models import Reward, RewardSlot
from rewards.services import importing, stock
from rewards.services.import_files import ImportFile
from rewards.services.importing import Progress
from rewards.services.rejects import Reject, RejectsFile
from rewards.services.row_import import RowImport
from tiers.models import Tier

DELIVERY: Final = "delivery"


@dataclass(frozen=True, slots=True)
class StockTaker:
    """Moves stock as a file says; a row that cannot be is rejected, the others are taken."""

    at: datetime
    actor: str

    def take(self, rows: Sequence[StockRow], rejects: RejectsFile) -> Counter[str]:
        """Move the stock; in the caller's transaction."""
        counts: Counter[str] = Counter()
        rewards = Reward.objects.in_bulk({row.reward for row in rows}, field_name="code")
        tiers = Tier.objects.in_bulk({row.tier for row in rows if row.tier}, field_name="code")
        slots = RewardSlot.objects.filter(reward__in=rewards.values())
        by_code = {(slot.reward_id, slot.code): slot for slot in slots}
        for row in rows:
            reward = rewards.get(row.reward)
            slot = by_code.get((reward.pk, row.slot)) if reward else None
            fault = _unknown(row, reward, slot, tiers) or self._move(row, reward, slot, tiers)
            counts["rejected" if fault else "applied"] += 1
            if fault:
                rejects.add([fault])
        return counts

    def rehearse(self, rows: Sequence[StockRow], rejects: RejectsFile) -> Counter[str]:
        """Move the stock and put it back."""
        with transaction.atomic():
            counts = self.take(rows, rejects)
            transaction.set_rollback(True)
        counts["would_apply"] = counts.pop("applied", 0)
        return counts

    def _move(
        self,
        row: StockRow,
        reward: Reward | None,
        slot: RewardSlot | None,
        tiers: dict[str, Tier],
    ) -> Reject | None:
        assert reward is not None
        try:
            with transaction.atomic():
                stock.receive(
                    reward=reward, quantity=row.quantity, reason=row.reason or DELIVERY,
                    at=self.at, actor=self.actor, place=(slot, tiers.get(row.tier)),
                )  # fmt: skip
        except stock.StockCorrectionError as error:
            return Reject(row.row, error.code, "quantity", str(row.quantity))
        return None


def stock_import(
    *,
    file: ImportFile,
    taker: StockTaker,
    mapping: ColumnMapping,
    progress: Progress = importing.unheard,
) -> RowImport[StockRow]:
    """Return the import of a stock file."""
    return RowImport(
        kind="stock",
        file=file,
        at=taker.at,
        columns=STOCK_COLUMNS,
        parse=stock_row,
        taker=taker,
        mapping=mapping,
        progress=progress,
    )


def _unknown(
    row: StockRow, reward: Reward | None, slot: RewardSlot | None, tiers: dict[str, Tier]
) -> Reject | None:
    if reward is None:
        return Reject(row.row, "reward_unknown", "reward", row.reward)
    if row.slot and slot is None:
        return Reject(row.row, "slot_unknown", "slot", row.slot)
    if row.tier and row.tier not in tiers:
        return Reject(row.row, "tier_unknown", "tier", row.tier)
    return None
