"""The roles of callers, without anything else, so that the command line can name them quickly."""

from enum import StrEnum


class Role(StrEnum):
    """What a caller may do."""

    OPERATOR = "operator"
    AGENCY = "agency"
    GATEWAY = "gateway"
    SYSTEM = "system"  # how the service meets the world: receivers, outbound connections
    SECURITY = "security"  # who may log in: accounts, keys, sessions
    AUDITOR = "auditor"  # reads what everybody did, and does nothing


ADMINISTRATORS = frozenset({Role.SYSTEM, Role.SECURITY, Role.AUDITOR})
"""Three offices held apart: none of them sees incidents or flies, and none can do another's work."""
