import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # The index is built beside running work; the column itself is an entry in the catalogue.
    atomic = False

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('members', '0010_cases_and_moderation'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='member',
            options={'permissions': [('assign_account_manager', 'Can give members a dedicated agent')], 'verbose_name': 'member', 'verbose_name_plural': 'members'},
        ),
        migrations.AddField(
            model_name='member',
            name='account_manager',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='dedicated agent'),
        ),
        AddIndexConcurrently(
            model_name='member',
            index=models.Index(condition=models.Q(('account_manager__isnull', False)), fields=['account_manager'], name='member_account_manager'),
        ),
    ]
