"""The member that a body names."""

from members.api.views import MemberNotFoundError
from members.services import identity
from rewards.domain.submission import MemberRef


def member_named(named: MemberRef) -> int:
    """Return the member that a body names.

    Raises: MemberNotFoundError.
    """
    if named.public_id is not None:
        found = identity.resolve_public_ids([named.public_id]).get(named.public_id)
    else:
        key = (named.kind, named.app, named.value)
        found = identity.find([key]).get(key)
    if found is None:
        raise MemberNotFoundError
    return found
