"""Reading of references to members, the same wherever one is named."""

import uuid
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from config.base.api.reading import ObjectReader
from members.domain import identifiers

IDENTIFIER_KEYS = frozenset({"kind", "value", "app"})
MAX_KIND_LENGTH = 24
MAX_VALUE_LENGTH = 254
MAX_APP_LENGTH = 64


@dataclass(frozen=True, slots=True)
class IdentifierText:
    """An identifier in its normal form."""

    kind: str
    app: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MemberName:
    """Whom a body names: by member id, or by identifier."""

    public_id: uuid.UUID | None = None
    identifier: IdentifierText | None = None


NOBODY = MemberName()


def identifier(reader: ObjectReader) -> IdentifierText:
    """Return an identifier of the form `{kind, value, app?}` in its normal form."""
    reader.only(IDENTIFIER_KEYS)
    noted = len(reader.errors)
    kind = reader.text("kind", MAX_KIND_LENGTH)
    value = reader.text("value", MAX_VALUE_LENGTH)
    app = reader.text("app", MAX_APP_LENGTH, required=False)
    if len(reader.errors) > noted:
        return IdentifierText(kind, app, value)
    try:
        normal = identifiers.normalise(kind, value, app)
    except identifiers.IdentifierInvalid as error:
        reason = str(error.details.get("reason", ""))
        key = "kind" if reason == "kind_unknown" else "app" if "app_" in reason else "value"
        reader.note(key, error.code, error.message)
        return IdentifierText(kind, app, value)
    return IdentifierText(kind, app, normal)


def member(reader: ObjectReader) -> MemberName:
    """Return whom the body names by `member` or `identifier`, or nobody."""
    public_id = reader.uuid("member", required=False)
    below = reader.object("identifier", required=False)
    if below is None:
        return MemberName(public_id) if public_id else NOBODY
    if "member" in reader.data and reader.data["member"] is not None:
        reader.note("identifier", "member_or_identifier", _("Name the member once."))
    return MemberName(public_id, identifier(below))


def required_member(reader: ObjectReader) -> MemberName:
    """Return whom the body names; it has to name somebody."""
    noted = len(reader.errors)
    named = member(reader)
    if named == NOBODY and len(reader.errors) == noted:
        reader.note("member", "required", _("Name a member or an identifier."))
    return named
