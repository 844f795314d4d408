"""Roles, who staff are as members, limits by the day and per member; requests withdrawn."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# What was a limit per call alone goes on as it was, with the other two as generous as a till's.
LIMITS_OF_OLD = """
UPDATE members_staffauthority
SET adjustment_daily_limit_points = adjustment_limit_points * 40,
    adjustment_member_month_limit_points = adjustment_limit_points * 4
WHERE adjustment_limit_points IS NOT NULL AND adjustment_daily_limit_points IS NULL
"""
# Before there were withdrawals a request was closed by somebody else only.
WITHDRAWN_AS_REFUSED = """
UPDATE members_approval SET state = 'refused', decided_by = 'withdrawn' WHERE state = 'withdrawn'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("members", "0012_data_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RoleAuthority",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "adjustment_limit_points",
                    models.PositiveBigIntegerField(
                        blank=True, null=True, verbose_name="adjustment limit (points per call)"
                    ),
                ),
                (
                    "adjustment_daily_limit_points",
                    models.PositiveBigIntegerField(
                        blank=True, null=True, verbose_name="adjustment limit (points per day)"
                    ),
                ),
                (
                    "adjustment_member_month_limit_points",
                    models.PositiveBigIntegerField(
                        blank=True,
                        null=True,
                        verbose_name="adjustment limit (points per member and month)",
                    ),
                ),
            ],
            options={
                "verbose_name": "authority of a role",
                "verbose_name_plural": "authorities of roles",
            },
        ),
        migrations.AlterModelOptions(
            name="staffauthority",
            options={
                "permissions": [("view_league_table", "Can view who enrolled how many members")],
                "verbose_name": "staff authority",
                "verbose_name_plural": "staff authorities",
            },
        ),
        migrations.RemoveConstraint(
            model_name="approval",
            name="approval_four_eyes",
        ),
        migrations.RunSQL(migrations.RunSQL.noop, WITHDRAWN_AS_REFUSED),
        migrations.AddField(
            model_name="staffauthority",
            name="adjustment_daily_limit_points",
            field=models.PositiveBigIntegerField(
                blank=True, null=True, verbose_name="adjustment limit (points per day)"
            ),
        ),
        migrations.AddField(
            model_name="staffauthority",
            name="adjustment_member_month_limit_points",
            field=models.PositiveBigIntegerField(
                blank=True, null=True, verbose_name="adjustment limit (points per member and month)"
            ),
        ),
        migrations.AddField(
            model_name="staffauthority",
            name="member",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="staff",
                to="members.member",
                verbose_name="own member account",
            ),
        ),
        migrations.AddField(
            model_name="staffauthority",
            name="staff_no",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="As tills report it; the user name counts as well.",
                max_length=64,
                verbose_name="staff number",
            ),
        ),
        migrations.AlterField(
            model_name="approval",
            name="state",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("approved", "Approved"),
                    ("refused", "Refused"),
                    ("withdrawn", "Withdrawn"),
                ],
                default="requested",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="staffauthority",
            name="adjustment_limit_points",
            field=models.PositiveBigIntegerField(
                blank=True, null=True, verbose_name="adjustment limit (points per call)"
            ),
        ),
        migrations.AlterField(
            model_name="staffauthority",
            name="org_unit",
            field=models.ForeignKey(
                blank=True,
                help_text="Only members and orders of its stores are shown; empty: all of them.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="members.orgunit",
                verbose_name="organisation unit",
            ),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                condition=models.Q(("state", "requested")),
                fields=["requested_at"],
                name="approval_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "requested"),
                    models.Q(("state", "withdrawn"), ("decided_by", models.F("requested_by"))),
                    models.Q(
                        models.Q(("state", "withdrawn"), _negated=True),
                        models.Q(("decided_by", models.F("requested_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="approval_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="staffauthority",
            constraint=models.UniqueConstraint(
                condition=models.Q(("staff_no", ""), _negated=True),
                fields=("staff_no",),
                name="staff_no_unique",
            ),
        ),
        migrations.RunSQL(LIMITS_OF_OLD, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="roleauthority",
            name="group",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="authority",
                to="auth.group",
                verbose_name="role",
            ),
        ),
    ]
