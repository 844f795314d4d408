"""Requests can be taken back, also by who made them: nothing was decided."""

from django.db import migrations, models
from django.db.models import F, Q

STATES = [
    ("requested", "Requested"), ("approved", "Approved"), ("refused", "Refused"),
    ("withdrawn", "Withdrawn"),
]

# The state before knows no requests taken back: they count as refused by nobody in particular.
BACK = """
UPDATE members_approval SET state = 'refused', decided_by = 'system' WHERE state = 'withdrawn'
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0009_verifications")]

    operations = [
        migrations.RemoveConstraint(model_name="approval", name="approval_four_eyes"),
        migrations.AlterField(
            model_name="approval",
            name="state",
            field=models.CharField(
                choices=STATES, default="requested", max_length=10, verbose_name="state"
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, BACK),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=Q(state__in=["requested", "withdrawn"])
                | ~Q(decided_by=F("requested_by")),
                name="approval_four_eyes",
            ),
        ),
    ]
