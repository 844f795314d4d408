"""Units, stores, and what belongs to them."""

import pytest
from django.db import transaction
from django.db.models import ProtectedError

from members.models import OrgUnit, StaffAuthority, Store
from members.services import touchpoints
from tests.factories import console


@pytest.mark.django_db
@pytest.mark.req("ORG-07")
def test_units_form_a_tree_with_stores_and_staff() -> None:
    east = OrgUnit.objects.create(code="east", name="华东")
    shanghai = OrgUnit.objects.create(code="sh", name="上海", parent=east)
    store = Store.objects.create(code="sh-01", name="南京西路店", org_unit=shanghai)
    StaffAuthority.objects.create(user=console.staff("wang.fang"), org_unit=shanghai)

    assert list(east.children.all()) == [shanghai]
    assert list(shanghai.store_set.all()) == [store]
    assert touchpoints.store_ids(["sh-01"]) == {"sh-01": store.pk}


@pytest.mark.django_db
@pytest.mark.req("ORG-07")
def test_a_unit_that_something_belongs_to_stays() -> None:
    east = OrgUnit.objects.create(code="east", name="华东")
    OrgUnit.objects.create(code="sh", name="上海", parent=east)
    with pytest.raises(ProtectedError), transaction.atomic():
        east.delete()


@pytest.mark.django_db
@pytest.mark.req("ORG-07")
def test_a_store_is_made_when_an_order_first_names_it() -> None:
    known = touchpoints.store_ids(["new-07"])
    assert Store.objects.get(code="new-07").pk == known["new-07"]
