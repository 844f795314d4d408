"""Let the brand's versions only grow."""

from django.db import migrations

from config.base.append_only import RefuseChanges


class Migration(migrations.Migration):
    dependencies = [("members", "0004_brand")]

    operations = [RefuseChanges("members_brand")]
