"""Let an index give members in the order in which they joined, to the last one of an instant.

Not in one transaction: the index is built without locking anybody out.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("members", "0022_prospects")]

    operations = [
        AddIndexConcurrently(
            "member", models.Index(fields=["joined_at", "id"], name="member_joined_in_order")
        ),
        RemoveIndexConcurrently("member", "member_joined"),
    ]
