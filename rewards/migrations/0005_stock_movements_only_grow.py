"""Let the record of stock only grow."""

from django.db import migrations

from config.base.append_only import RefuseChanges


class Migration(migrations.Migration):
    dependencies = [("rewards", "0004_storefront_keys")]

    operations = [RefuseChanges("rewards_stockmovement")]
