"""Let points go over to another account whatever they are: pending, expired, or owed.

Not in one transaction: the new check takes a moment's lock, and looks at the rows there are without
keeping anybody out.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

from config.base.append_only import RefuseChanges

NAME = "entry_transfer_allowed"
ALLOWED = (
    ("adjustment", "available"),
    ("available", "adjustment"),
    ("available", "debt"),
    ("available", "expired"),
    ("available", "redeemed"),
    ("available", "reserved"),
    ("available", "reversed"),
    ("available", "transfer"),
    ("debt", "reversed"),
    ("debt", "transfer"),
    ("expired", "reversed"),
    ("expired", "transfer"),
    ("issuance", "available"),
    ("issuance", "pending"),
    ("pending", "available"),
    ("pending", "reversed"),
    ("pending", "transfer"),
    ("redeemed", "available"),
    ("reserved", "available"),
    ("reserved", "redeemed"),
    ("transfer", "available"),
    ("transfer", "pending"),
)


def _condition() -> Q:
    condition = Q(pk__in=[])
    for source, target in ALLOWED:
        condition |= Q(source=source, target=target)
    return condition


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("members", "0016_merges"),
        ("rewards", "0016_goodwill"),
    ]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        migrations.RemoveConstraint("entry", NAME),
        AddConstraintNotValid("entry", models.CheckConstraint(condition=_condition(), name=NAME)),
        ValidateConstraint("entry", NAME),
        migrations.CreateModel(
            name="MergedLot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "merge",
                    models.ForeignKey(
                        "members.membermerge", django.db.models.deletion.PROTECT,
                        related_name="lots", verbose_name="merge",
                    ),
                ),
                (
                    "from_lot",
                    models.ForeignKey(
                        "rewards.lot", django.db.models.deletion.PROTECT, db_index=False,
                        related_name="merged_into", verbose_name="lot of the merged member",
                    ),
                ),
                (
                    "lot",
                    models.OneToOneField(
                        "rewards.lot", django.db.models.deletion.PROTECT,
                        related_name="merged_from", verbose_name="lot of the survivor",
                    ),
                ),
            ],
            options={
                "verbose_name": "merged lot",
                "verbose_name_plural": "merged lots",
                "abstract": False,
            },
        ),
        RefuseChanges("rewards_mergedlot"),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]  # fmt: skip
