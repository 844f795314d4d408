"""Let each touchpoint say what it may do alone, how often, and what spending needs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0005_brand_only_grows")]

    operations = [
        migrations.AddField(
            model_name="touchpoint",
            name="adjustment_daily_limit_points",
            field=models.PositiveBigIntegerField(
                db_default=20000, default=20000, verbose_name="adjustment limit (points per day)"
            ),
        ),
        migrations.AddField(
            model_name="touchpoint",
            name="adjustment_member_month_limit_points",
            field=models.PositiveBigIntegerField(
                db_default=2000,
                default=2000,
                verbose_name="adjustment limit (points per member and month)",
            ),
        ),
        migrations.AddField(
            model_name="touchpoint",
            name="member_requests_per_minute",
            field=models.PositiveIntegerField(
                db_default=120,
                default=120,
                help_text="0 = no limit",
                verbose_name="requests per minute of one member's tokens",
            ),
        ),
        migrations.AddField(
            model_name="touchpoint",
            name="requests_per_minute",
            field=models.PositiveIntegerField(
                db_default=60000,
                default=60000,
                help_text="0 = no limit",
                verbose_name="requests per minute and key",
            ),
        ),
        migrations.AddField(
            model_name="touchpoint",
            name="spend_free_points",
            field=models.PositiveBigIntegerField(
                db_default=0, default=0, verbose_name="points spent without that, per call"
            ),
        ),
        migrations.AddField(
            model_name="touchpoint",
            name="spend_needs",
            field=models.CharField(
                choices=[
                    ("none", "Nothing"),
                    ("member_code", "Member code"),
                    ("otp", "One-time password"),
                ],
                db_default="none",
                default="none",
                max_length=12,
                verbose_name="spending points needs",
            ),
        ),
        migrations.AddField(
            model_name="touchpoint",
            name="unknown_lookups_per_minute",
            field=models.PositiveIntegerField(
                db_default=30,
                default=30,
                help_text="0 = no limit",
                verbose_name="look-ups of unknown identifiers per minute and key",
            ),
        ),
        migrations.AlterField(
            model_name="approval",
            name="requested_by",
            field=models.CharField(max_length=80, verbose_name="requested by"),
        ),
        migrations.AddConstraint(
            model_name="touchpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("spend_needs__in", ["none", "member_code", "otp"])),
                name="touchpoint_spend_needs_known",
            ),
        ),
    ]
