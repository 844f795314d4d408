"""Spare every posting the keys and indexes that nobody reads and the audit proves.

Not in one transaction: an index goes without locking anybody out, and of the constraints each for a
moment, or not at all where a long transaction is in the way; then run it again.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("rewards", "0009_adjustment_budgets")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "RESET lock_timeout"),
        RemoveIndexConcurrently("lot", "lot_expiring"),
        RemoveIndexConcurrently("lotuse", "lot_use_lot"),
        migrations.AlterField(
            "entry", "account",
            models.ForeignKey(
                "rewards.pointsaccount", django.db.models.deletion.PROTECT, db_constraint=False,
                db_index=False, related_name="entries", verbose_name="account",
            ),
        ),
        migrations.AlterField(
            "entry", "fact",
            models.ForeignKey(
                "members.receivedfact", django.db.models.deletion.PROTECT, null=True, blank=True,
                db_constraint=False, db_index=False, related_name="+", verbose_name="fact",
            ),
        ),
        migrations.AlterField(
            "entry", "rule",
            models.ForeignKey(
                "rewards.ruleversion", django.db.models.deletion.PROTECT, null=True, blank=True,
                db_constraint=False, db_index=False, related_name="+", verbose_name="rule",
            ),
        ),
        migrations.AlterField(
            "entry", "order",
            models.ForeignKey(
                "members.order", django.db.models.deletion.PROTECT, null=True, blank=True,
                db_constraint=False, db_index=False, related_name="entries", verbose_name="order",
            ),
        ),
        migrations.AlterField(
            "entry", "interaction",
            models.ForeignKey(
                "members.interaction", django.db.models.deletion.PROTECT, null=True, blank=True,
                db_constraint=False, db_index=False, related_name="entries", verbose_name="interaction",
            ),
        ),
        migrations.AlterField(
            "entry", "reservation",
            models.ForeignKey(
                "rewards.reservation", django.db.models.deletion.PROTECT, null=True, blank=True,
                db_constraint=False, db_index=False, related_name="entries", verbose_name="reservation",
            ),
        ),
        migrations.AlterField(
            "lotuse", "entry",
            models.ForeignKey(
                "rewards.entry", django.db.models.deletion.PROTECT, db_constraint=False,
                db_index=False, related_name="uses", verbose_name="entry",
            ),
        ),
        migrations.AlterField(
            "lotuse", "lot",
            models.ForeignKey(
                "rewards.lot", django.db.models.deletion.PROTECT, db_constraint=False,
                db_index=False, related_name="uses", verbose_name="lot",
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = '5s'"),
    ]
