"""Make the tables of staff acts and of second factors, and chain the acts."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from config.base.append_only import RefuseChanges


SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('config', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffActAnchor',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('hash', models.BinaryField()),
            ],
            options={
                'verbose_name': 'anchor of staff acts',
                'verbose_name_plural': 'anchors of staff acts',
            },
        ),
        migrations.CreateModel(
            name='RoleSafety',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('requires_second_factor', models.BooleanField(default=True, verbose_name='requires a second factor')),
                ('group', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='safety', to='auth.group', verbose_name='group')),
            ],
            options={
                'verbose_name': 'role safety',
                'verbose_name_plural': 'role safety',
            },
        ),
        migrations.CreateModel(
            name='StaffAct',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('actor', models.CharField(max_length=64, verbose_name='actor')),
                ('roles', models.CharField(blank=True, max_length=200, verbose_name='roles')),
                ('source', models.CharField(choices=[('console', 'Console'), ('command', 'Command line'), ('shell', 'Shell'), ('api', 'API')], max_length=8, verbose_name='source')),
                ('address', models.CharField(blank=True, max_length=45, verbose_name='address')),
                ('act', models.CharField(max_length=100, verbose_name='act')),
                ('operation', models.CharField(choices=[('act', 'Act'), ('insert', 'Added'), ('update', 'Changed'), ('delete', 'Removed')], max_length=6, verbose_name='operation')),
                ('table', models.CharField(blank=True, max_length=63, verbose_name='table')),
                ('row_id', models.CharField(blank=True, max_length=64, verbose_name='row')),
                ('member_id', models.BigIntegerField(blank=True, null=True, verbose_name='member')),
                ('before', models.JSONField(blank=True, null=True, verbose_name='before')),
                ('after', models.JSONField(blank=True, null=True, verbose_name='after')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('approval_id', models.BigIntegerField(blank=True, null=True, verbose_name='approval')),
                ('prev_hash', models.BinaryField()),
                ('hash', models.BinaryField()),
            ],
            options={
                'verbose_name': 'staff act',
                'verbose_name_plural': 'staff acts',
                'indexes': [models.Index(fields=['at'], name='staff_act_at'), models.Index(fields=['actor', '-seq'], name='staff_act_actor'), models.Index(fields=['act', '-seq'], name='staff_act_act'), models.Index(fields=['table', 'row_id', '-seq'], name='staff_act_row'), models.Index(condition=models.Q(('member_id__isnull', False)), fields=['member_id', '-seq'], name='staff_act_member')],
            },
        ),
        migrations.CreateModel(
            name='StaffActHead',
            fields=[
                ('id', models.SmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(verbose_name='number')),
                ('hash', models.BinaryField()),
            ],
            options={
                'verbose_name': 'head of staff acts',
                'verbose_name_plural': 'head of staff acts',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='staff_act_head_one_row')],
            },
        ),
        migrations.CreateModel(
            name='RecoverySheet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The human-readable name of this device.', max_length=64)),
                ('confirmed', models.BooleanField(default=True, help_text='Is this device ready for use?')),
                ('throttling_failure_timestamp', models.DateTimeField(blank=True, default=None, help_text='A timestamp of the last failed verification attempt. Null if last attempt succeeded.', null=True)),
                ('throttling_failure_count', models.PositiveIntegerField(default=0, help_text='Number of successive failed attempts.')),
                ('hashes', django.contrib.postgres.fields.ArrayField(base_field=models.BinaryField(), default=list, size=None, verbose_name='codes left')),
                ('user', models.ForeignKey(help_text='The user that this device belongs to.', on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'recovery sheet',
                'verbose_name_plural': 'recovery sheets',
                'constraints': [models.UniqueConstraint(fields=('user',), name='recovery_sheet_once')],
            },
        ),
        migrations.RunSQL(
            (SQL / "staff_acts.sql").read_text(encoding="utf-8")
            + (SQL / "staff_acts_install.sql").read_text(encoding="utf-8"),
            # The triggers of watched tables go with their function.
            """DROP FUNCTION loyalty_record_change() CASCADE;
            DROP FUNCTION loyalty_chain_staff_act() CASCADE;
            DROP FUNCTION loyalty_move_head() CASCADE;
            DROP FUNCTION loyalty_staff_act_text(config_staffact);""",
        ),
        RefuseChanges("config_staffact"),
        RefuseChanges("config_staffactanchor"),
    ]
