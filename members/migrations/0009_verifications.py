"""Keep enrolments that wait for a phone to be verified."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0008_member_codes")]

    operations = [
        migrations.CreateModel(
            name="Verification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(editable=False, unique=True, verbose_name="verification id"),
                ),
                ("phone_hash", models.BinaryField(verbose_name="phone hash")),
                ("wrapped", models.BinaryField(blank=True, null=True, verbose_name="wrapped key")),
                (
                    "master_version",
                    models.PositiveSmallIntegerField(verbose_name="master key version"),
                ),
                ("sealed", models.BinaryField(blank=True, null=True, verbose_name="sealed values")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                (
                    "resolved_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="resolved at"),
                ),
                (
                    "same_person",
                    models.BooleanField(blank=True, null=True, verbose_name="same person"),
                ),
            ],
            options={
                "verbose_name": "phone verification",
                "verbose_name_plural": "phone verifications",
            },
        ),
        migrations.AddField(
            model_name="verification",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="verifications",
                to="members.member",
                verbose_name="member",
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="touchpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                to="members.touchpoint",
                verbose_name="touchpoint",
            ),
        ),
        migrations.AddIndex(
            model_name="verification",
            index=models.Index(fields=["expires_at"], name="verification_expires"),
        ),
        migrations.AddConstraint(
            model_name="verification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("resolved_at__isnull", True), ("same_person__isnull", True)),
                    models.Q(("resolved_at__isnull", False), ("same_person__isnull", False)),
                    _connector="OR",
                ),
                name="verification_resolved_with_answer",
            ),
        ),
        migrations.AddConstraint(
            model_name="verification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("resolved_at__isnull", True),
                    models.Q(("sealed__isnull", True), ("wrapped__isnull", True)),
                    _connector="OR",
                ),
                name="verification_resolved_forgets",
            ),
        ),
    ]
