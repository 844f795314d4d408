"""A check with an absent amount is neither true nor false, and lets the row pass: ask for it."""

from django.db import migrations, models
from django.db.models import Q

NAME = "coupon_template_says_what"
OTHERS = (Q(kind="free_item") & ~Q(free_sku="")) | Q(kind="free_shipping")


class Migration(migrations.Migration):
    dependencies = [("rewards", "0010_lighter_ledger_writes")]

    operations = [
        migrations.RemoveConstraint(model_name="coupontemplate", name=NAME),
        migrations.AddConstraint(
            model_name="coupontemplate",
            constraint=models.CheckConstraint(
                condition=Q(kind="amount", amount__isnull=False, amount__gt=0)
                | Q(kind="percent", percent__isnull=False, percent__gt=0, percent__lte=100)
                | OTHERS,
                name=NAME,
            ),
        ),
    ]
