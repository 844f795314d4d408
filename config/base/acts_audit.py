"""What the audit proves of the record of staff acts.

Source: MEM-10, LEG-09, ORG-06.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base import audit, watching

SQL: Final = Path(__file__).resolve().parent.parent / "sql"
FUNCTIONS: Final = re.compile(r"FUNCTION (\w+)\(.*?AS \$\$(.*?)\$\$", re.DOTALL)

# How the catalogue writes a trigger down: for each row, after, and the operations.
ROW, INSERT, DELETE, UPDATE = 1, 4, 8, 16

TEXTS: Final[dict[str, Promise]] = {
    "staff_act_anchor": _("The record of staff acts stands where it was noted to stand."),
    "staff_act_chain": _("Each staff act carries the hash of itself and of those before it."),
    "staff_act_head": _("No staff act is missing at the end of the record."),
    "staff_act_seq": _("Staff acts are numbered without gaps in the order of their instants."),
    "staff_act_watched": _("What staff can change is watched, and acts are chained."),
}


def _watched() -> Mapping[str, Any]:
    watches = watching.watches()
    functions = dict(FUNCTIONS.findall((SQL / "staff_acts.sql").read_text(encoding="utf-8")))
    return {
        "tables": [watch.table for watch in watches],
        "types": [ROW | UPDATE | DELETE | (INSERT if watch.added else 0) for watch in watches],
        "arguments": [watch.found[1] for watch in watches],
        "guard": "%loyalty.acting%<> ''%",
        "functions": list(functions),
        "bodies": list(functions.values()),
    }


def checks() -> list[audit.Check]:
    """Return the checks of the record of staff acts."""
    return audit.load(SQL / "audit", TEXTS, {"staff_act_watched": _watched})
