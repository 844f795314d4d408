"""Name the permission to decide tier overrides."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("tiers", "0006_tier_warning_days"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="standingoverride",
            options={
                "permissions": [("approve_override", "Can decide requests for tier overrides")],
                "verbose_name": "tier override",
                "verbose_name_plural": "tier overrides",
            },
        ),
    ]
