"""Load coupon codes that others have made into a template's pool."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.base import clock
from rewards.management import imports
from rewards.models import CouponTemplate
from rewards.services import coupon_batches


class Command(BaseCommand):
    """Load a file of codes; the same file again changes nothing."""

    help = "Load coupon codes from a file: one a line, or a column `code` beside `expires_on`."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the template and the file."""
        parser.add_argument("template", help="code of the coupon template")
        parser.add_argument("file", type=Path, metavar="FILE", help="text, CSV or Parquet")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen, and change nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load or rehearse, and print what became of the rows.

        Raises: CommandError for a template that is not there, or a file that cannot be read.
        """
        template = CouponTemplate.objects.filter(code=options["template"]).first()
        if template is None:
            raise CommandError(_("There is no such coupon template."))
        with imports.refusals():
            report = coupon_batches.load(
                template=template,
                path=options["file"],
                at=clock.now(),
                actor="import",
                is_dry_run=options["dry_run"],
            )
        imports.print_report(self.stdout, options["file"], report)
