"""What the service desk keeps: reveals of a day, and orders that were moved."""

import django.db.models.deletion
from django.db import migrations, models

from config.base.append_only import RefuseChanges


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0014_drafts_withdrawn"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="member",
            options={
                "permissions": [
                    ("erase_member", "Can agree to erase members"),
                    ("assign_account_manager", "Can give members a dedicated agent"),
                    ("reveal_member", "Can look at a member's personal data in clear"),
                    ("change_contact_member", "Can change a member's phone and card"),
                ],
                "verbose_name": "member",
                "verbose_name_plural": "members",
            },
        ),
        migrations.AddField(
            model_name="staffauthority",
            name="goodwill_coupons_per_day",
            field=models.PositiveSmallIntegerField(
                default=3, verbose_name="goodwill coupons per day"
            ),
        ),
        migrations.CreateModel(
            name="RevealCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("actor", models.CharField(max_length=80, verbose_name="actor")),
                ("day", models.DateField(verbose_name="day")),
                ("count", models.PositiveIntegerField(verbose_name="times")),
            ],
            options={
                "verbose_name": "reveals of a day",
                "verbose_name_plural": "reveals of a day",
                "constraints": [
                    models.UniqueConstraint(fields=("actor", "day"), name="reveal_count_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("actor", models.CharField(max_length=80, verbose_name="actor")),
                ("moved_at", models.DateTimeField(verbose_name="moved at")),
                (
                    "from_member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="from member",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="moves",
                        to="members.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "to_member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="to member",
                    ),
                ),
            ],
            options={
                "verbose_name": "order move",
                "verbose_name_plural": "order moves",
                "permissions": [("move_order", "Can move an order to another member")],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("from_member", models.F("to_member")), _negated=True),
                        name="order_move_to_another",
                    )
                ],
            },
        ),
        RefuseChanges("members_ordermove"),
    ]
