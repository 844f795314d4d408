"""Let the ladder say how long before its end a tier is warned of, and remember who was told."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0002_append_only'),
        ('tiers', '0005_overrides_to_follow'),
    ]

    operations = [
        migrations.AddField(
            model_name='ladderversion',
            name='warning_days',
            field=models.PositiveIntegerField(default=30, help_text='0: none.', verbose_name='warning before the end (days)'),
        ),
        migrations.CreateModel(
            name='LapseWarning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kept_until_on', models.DateField(verbose_name='kept until')),
                ('warned_at', models.DateTimeField(verbose_name='warned at')),
                ('member', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lapse_warnings', to='members.member', verbose_name='member')),
                ('tier', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='tiers.tier', verbose_name='tier')),
            ],
            options={
                'verbose_name': "warning of a tier's end",
                'verbose_name_plural': "warnings of tiers' ends",
                'constraints': [models.UniqueConstraint(fields=('member', 'tier', 'kept_until_on'), name='lapse_warning_unique')],
            },
        ),
    ]
