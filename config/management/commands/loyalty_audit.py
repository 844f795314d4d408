"""Prove the invariants on the live database; name the rows of a broken one; repair nothing."""

from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.base import audit
from config.wiring import audits


class Command(BaseCommand):
    """Run every check, or the named ones, on one snapshot of the database."""

    help = "Prove the invariants of ledger, tiers and facts; exit non-zero if any is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which checks to run and how much to show."""
        parser.add_argument("checks", nargs="*", help="codes of checks; all when none is given")
        parser.add_argument("--list", action="store_true", help="list the checks and stop")
        parser.add_argument(
            "--limit", type=int, default=audit.SHOWN_ROWS, help="rows shown per broken check"
        )
        parser.add_argument("--json", action="store_true", help="one JSON line per check")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the checks and report each.

        Raises: CommandError when an invariant is broken.
        """
        audits.install()
        checks = self._selected(options["checks"])
        if options["list"]:
            for check in checks:
                self.stdout.write(f"{check.code:24} {check.says}")
            return
        report = self._report_json if options["json"] else self._report
        broken = 0
        for result in audit.run(checks, shown=max(1, options["limit"])):
            broken += result.count > 0
            report(result, options["verbosity"])
        if broken:
            raise CommandError(f"{broken} of {len(checks)} invariants are broken")
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS(f"{len(checks)} invariants hold"))

    def _selected(self, codes: list[str]) -> list[audit.Check]:
        try:
            return audit.select(codes)
        except audit.AuditError as error:
            raise CommandError(f"unknown checks: {', '.join(error.args[0])}") from error

    def _report(self, result: audit.Result, verbosity: int) -> None:
        code, says = result.check.code, result.check.says
        if not result.count:
            if verbosity > 1:
                self.stdout.write(f"ok      {code:24} {result.seconds:7.3f} s  {says}")
            return
        self.stdout.write(self.style.ERROR(f"BROKEN  {code} ({result.count}): {says}"))
        for violation in result.violations:
            self.stdout.write(f"        {violation}")
        if result.count > len(result.violations):
            self.stdout.write(f"        … {result.count - len(result.violations)}")

    def _report_json(self, result: audit.Result, verbosity: int) -> None:
        line = {
            "check": result.check.code,
            "says": str(result.check.says),
            "broken": result.count,
            "seconds": round(result.seconds, 3),
            "violations": [
                {**violation.ids, "expected": violation.expected, "found": violation.found}
                for violation in result.violations
            ],
        }
        self.stdout.write(orjson.dumps(line, default=str).decode())
