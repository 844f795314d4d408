"""Let the benefits follow overrides that were set before benefits did."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tiers", "0004_benefits_follow")]

    operations = [
        migrations.RunSQL(
            "UPDATE tiers_standingoverride SET follow_at = from_at WHERE revoked_at IS NULL",
            migrations.RunSQL.noop,
        ),
    ]
