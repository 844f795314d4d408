"""What the service desk gives to make good a failure."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0015_service_desk"),
        ("rewards", "0015_rule_publishing"),
    ]

    operations = [
        migrations.AddField(
            model_name="coupontemplate",
            name="is_goodwill",
            field=models.BooleanField(
                default=False,
                help_text="The service desk may give it to make good a failure.",
                verbose_name="for goodwill",
            ),
        ),
        migrations.CreateModel(
            name="Goodwill",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "points",
                    models.PositiveBigIntegerField(blank=True, null=True, verbose_name="points"),
                ),
                ("given_by", models.CharField(max_length=80, verbose_name="given by")),
                ("given_at", models.DateTimeField(verbose_name="given at")),
                (
                    "undone_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="taken back at"),
                ),
                (
                    "case",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.case",
                        verbose_name="case",
                    ),
                ),
                (
                    "coupon",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="goodwill",
                        to="rewards.coupon",
                        verbose_name="coupon",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "goodwill",
                "verbose_name_plural": "goodwill",
                "permissions": [("give_goodwill", "Can give goodwill points and coupons")],
                "indexes": [models.Index(fields=["given_by", "given_at"], name="goodwill_by_day")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("points__isnull", True), ("coupon__isnull", True), _connector="OR"
                        ),
                        name="goodwill_one_thing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("points__isnull", False), ("coupon__isnull", False), _connector="OR"
                        ),
                        name="goodwill_something",
                    ),
                ],
            },
        ),
    ]
