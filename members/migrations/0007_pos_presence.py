"""Tills that exist ask for a member code above 2,000 points, as new ones do."""

from django.db import migrations

SET = """
UPDATE members_touchpoint SET spend_needs = 'member_code', spend_free_points = 2000
WHERE channel = 'pos' AND spend_needs = 'none' AND spend_free_points = 0
"""
UNSET = """
UPDATE members_touchpoint SET spend_needs = 'none', spend_free_points = 0
WHERE channel = 'pos' AND spend_needs = 'member_code' AND spend_free_points = 2000
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0006_touchpoint_limits")]

    operations = [migrations.RunSQL(SET, UNSET)]
