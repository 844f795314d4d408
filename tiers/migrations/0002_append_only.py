"""Let the tables that are the record only grow."""

from django.db import migrations

from config.base.append_only import RefuseChanges


class Migration(migrations.Migration):
    dependencies = [("tiers", "0001_initial")]

    operations = [
        RefuseChanges("tiers_progressentry"),
    ]
