"""Keep which members were merged into which, and which merges were undone."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("members", "0015_service_desk")]

    operations = [
        migrations.CreateModel(
            name="MemberMerge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="merged at")),
                ("actor", models.CharField(max_length=80, verbose_name="merged by")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("moved_points", models.BigIntegerField(default=0, verbose_name="points moved")),
                ("debt_points", models.BigIntegerField(default=0, verbose_name="debt taken on")),
                (
                    "details",
                    models.JSONField(blank=True, default=dict, verbose_name="what has gone over"),
                ),
                (
                    "undone_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="undone at"),
                ),
                (
                    "undone_by",
                    models.CharField(blank=True, max_length=80, verbose_name="undone by"),
                ),
                ("undone_note", models.TextField(blank=True, verbose_name="note of undoing")),
                (
                    "away",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges_away", to="members.member",
                        verbose_name="merged member",
                    ),
                ),
                (
                    "into",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges_in", to="members.member", verbose_name="survivor",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "permissions": [("merge_member", "Can merge members and undo merges")],
                "indexes": [
                    models.Index(fields=["into", "at"], name="merge_into"),
                    models.Index(fields=["away", "at"], name="merge_away"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(undone_at__isnull=True), fields=("away",),
                        name="merge_away_once",
                    ),
                    models.CheckConstraint(
                        condition=~Q(away=F("into")), name="merge_of_two_members"
                    ),
                    models.CheckConstraint(
                        condition=Q(undone_at__isnull=True, undone_by="")
                        | (Q(undone_at__isnull=False) & ~Q(undone_by="")),
                        name="merge_undone_by_somebody",
                    ),
                ],
            },
        ),
    ]  # fmt: skip
