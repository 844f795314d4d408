"""Let the tables that are the record only grow."""

from django.db import migrations

from config.base.append_only import RefuseChanges


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [
        RefuseChanges("members_consent"),
        RefuseChanges("members_memberevent"),
    ]
