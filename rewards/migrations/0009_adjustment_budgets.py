"""Count what touchpoints adjust by hand."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0006_touchpoint_limits"),
        ("rewards", "0008_inbound"),
    ]

    operations = [
        migrations.CreateModel(
            name="AdjustmentBudget",
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
                    "touchpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="members.touchpoint",
                        verbose_name="touchpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "used adjustment budget",
                "verbose_name_plural": "used adjustment budgets",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("touchpoint", "period", "member"),
                        name="adjustment_budget_unique",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("points__gt", 0)), name="adjustment_budget_positive"
                    ),
                ],
            },
        ),
    ]
