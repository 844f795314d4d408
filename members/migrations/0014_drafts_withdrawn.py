"""A draft that is changed is taken back from review by whoever changes it."""

from django.db import migrations, models
from django.db.models import F, Q

# Before, only who asked for it took a request back.
BACK = """
UPDATE members_approval SET decided_by = requested_by WHERE state = 'withdrawn'
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0013_roles")]

    operations = [
        migrations.RemoveConstraint(model_name="approval", name="approval_four_eyes"),
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
