"""Keep what shows that a member is there."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0007_pos_presence")]

    operations = [
        migrations.CreateModel(
            name="MemberCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code_hash",
                    models.BinaryField(max_length=32, unique=True, verbose_name="code hash"),
                ),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
            ],
            options={
                "verbose_name": "member code",
                "verbose_name_plural": "member codes",
            },
        ),
        migrations.CreateModel(
            name="OneTimePassword",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code_hash", models.BinaryField(max_length=32, verbose_name="code hash")),
                ("channel", models.CharField(max_length=16, verbose_name="sent by")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("tries", models.PositiveIntegerField(default=0, verbose_name="tries")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
            ],
            options={
                "verbose_name": "one-time password",
                "verbose_name_plural": "one-time passwords",
            },
        ),
        migrations.AddField(
            model_name="membercode",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="codes",
                to="members.member",
                verbose_name="member",
            ),
        ),
        migrations.AddField(
            model_name="onetimepassword",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="one_time_passwords",
                to="members.member",
                verbose_name="member",
            ),
        ),
        migrations.AddIndex(
            model_name="membercode",
            index=models.Index(fields=["expires_at"], name="member_code_expires"),
        ),
        migrations.AddConstraint(
            model_name="membercode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("used_at__isnull", True),
                    ("used_at__lt", models.F("expires_at")),
                    _connector="OR",
                ),
                name="member_code_used_in_time",
            ),
        ),
        migrations.AddIndex(
            model_name="onetimepassword",
            index=models.Index(fields=["member", "made_at"], name="otp_member_made"),
        ),
        migrations.AddIndex(
            model_name="onetimepassword",
            index=models.Index(fields=["expires_at"], name="otp_expires"),
        ),
    ]
