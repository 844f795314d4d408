"""Both may be there in either order."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rewards", "0006_coupon_lookups"), ("rewards", "0006_grants_calendar")]
    operations = []
