"""Count what staff adjust by hand."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0013_roles"),
        ("rewards", "0013_files"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="entry",
            options={
                "permissions": [
                    ("approve_adjustment", "Can decide adjustments beyond the limits of others"),
                    ("release_own_till", "Can release points earned at one's own till"),
                ],
                "verbose_name": "entry",
                "verbose_name_plural": "entries",
            },
        ),
        migrations.CreateModel(
            name="StaffBudget",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("period", models.CharField(max_length=10, verbose_name="period")),
                ("points", models.PositiveBigIntegerField(verbose_name="points")),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="staff",
                    ),
                ),
            ],
            options={
                "verbose_name": "used budget of staff",
                "verbose_name_plural": "used budgets of staff",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "period", "member"),
                        name="staff_budget_unique",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
