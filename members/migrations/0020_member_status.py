from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # The index is built beside running work.
    atomic = False

    dependencies = [
        ('members', '0019_insight'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='member',
            index=models.Index(fields=['status', 'id'], name='member_status'),
        ),
    ]
