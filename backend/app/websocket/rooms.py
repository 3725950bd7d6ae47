"""Which rooms exist; a client may join no other."""

import re

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ROOM = re.compile(rf"(?:jobs|system|(?:training|extraction|job):{_UUID})")


def is_room(name: object) -> bool:
    """Whether a client may subscribe to this name."""
    return isinstance(name, str) and _ROOM.fullmatch(name) is not None
