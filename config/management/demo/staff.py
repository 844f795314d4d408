"""The people behind the console, one per role."""

import secrets
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base.names import in_active_language
from config.wiring import roles
from members.models import Member, Order, OrgUnit, StaffAuthority, Store

PASSWORD_BYTES: Final = 9
DISTRICT: Final = ("demo-district", "示范片区 · Demo district")
STORES_OF_DISTRICT: Final = 5


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the demo: superuser without roles, else what the roles say."""

    username: str
    roles: tuple[str, ...] = ()
    is_scoped: bool = False

    @property
    def title(self) -> Promise | str:
        """Return what the person is, for people."""
        if not self.roles:
            return _("Administrator")
        names = (roles.BY_CODE[code] for code in self.roles)
        return " + ".join(in_active_language(zh=r.name_zh, en=r.name_en) for r in names)


@dataclass(frozen=True, slots=True)
class LogIn:
    """A user of the console, with a password that is told once."""

    role: Person
    password: str = field(repr=False)


PEOPLE: Final = (
    Person("admin"),
    Person("operations", ("programme_manager",)),
    Person("benefits", ("benefits_operator",)),
    Person("data", ("data",)),
    Person("communication", ("member_communication",)),
    Person("coordination", ("coordination",)),
    Person("approver", ("campaign_approver",)),
    Person("service", ("service_agent",)),
    Person("supervisor", ("service_lead",)),
    Person("manager", ("store_manager",), is_scoped=True),
    Person("finance", ("finance",)),
    Person("auditor", ("auditor",)),
)


@transaction.atomic
def appoint() -> list[LogIn]:
    """Make the users of all roles, or give those that exist new passwords."""
    roles.reset()
    return [_appoint(person) for person in PEOPLE]


def _appoint(person: Person) -> LogIn:
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user, _created = User.objects.get_or_create(username=person.username)
    user.is_staff, user.is_active, user.is_superuser = True, True, not person.roles
    user.set_password(password)
    user.save()
    user.groups.set(Group.objects.filter(name__in=person.roles))
    unit = OrgUnit.objects.get_or_create(code=DISTRICT[0], defaults={"name": DISTRICT[1]})[0]
    StaffAuthority.objects.update_or_create(
        user=user, defaults={"org_unit": unit if person.is_scoped else None}
    )
    return LogIn(person, password)


def open_district() -> None:
    """Give the demo's store manager some of the stores that orders have named by now.

    Whoever has no home store gets that of their first order.
    """
    first = Order.objects.filter(member=OuterRef("pk")).order_by("placed_at").values("store")[:1]
    Member.objects.filter(home_store=None).update(home_store=Subquery(first))
    unit = OrgUnit.objects.get(code=DISTRICT[0])
    if not Store.objects.filter(org_unit=unit).exists():
        found = Store.objects.filter(org_unit=None).order_by("code")[:STORES_OF_DISTRICT]
        Store.objects.filter(pk__in=[store.pk for store in found]).update(org_unit=unit)
