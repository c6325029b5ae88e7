"""The JSON of logging in, accounts, keys, sessions and the audit trail."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.etags import Stamped
from api.moments import Moment
from api.rights import Role

Login = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._@+-]+$", to_lower=True)
]
Named = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Code = Annotated[str, StringConstraints(min_length=6, max_length=40)]
Scope = Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,40}:(read|write)$")]
PersonRole = Literal["operator", "agency", "system", "security", "auditor"]


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class PasswordLogin(BaseModel):
    """A person's way in. `code` is from the authenticator, or a recovery code."""

    model_config = _like(login="wang", password="three red cranes over rice", code="287082")

    login: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    password: Secret
    code: Code | None = None


class Ways(BaseModel):
    """How somebody may log in here."""

    model_config = _like(password=True, token=True, provider=False)

    password: bool
    token: bool
    provider: bool


class NewPassword(BaseModel):
    """A change of one's own password."""

    model_config = _like(old="three red cranes over rice", new="seven grey herons by the weir")

    old: Secret
    new: Secret


class SecondFactorBegun(BaseModel):
    """What the authenticator needs, shown once."""

    model_config = _like(
        secret="JBSWY3DPEHPK3PXP", uri="otpauth://totp/Gridpatrol:wang?secret=JBSWY3DPEHPK3PXP"
    )

    secret: str
    uri: str


class SecondFactorCode(BaseModel):
    """A code that shows that the authenticator is set up."""

    model_config = _like(code="287082")

    code: Code


class RecoveryCodes(BaseModel):
    """Ten codes for a lost phone, shown once."""

    model_config = _like(recovery_codes=["1f0c9a3b-77ab02cd"])

    recovery_codes: list[str]


class AccountIn(BaseModel):
    """A new person. Without a password the identity provider lets them in, once `subject` is set."""

    model_config = _like(login="wang", name="Wang Mei", role="agency", agency="forestry", password="…")

    login: Login
    name: Named
    role: PersonRole
    agency: Named | None = None
    password: Secret | None = None
    subject: Named | None = Field(None, description="ISSUER|SUBJECT at the identity provider")


class AccountChange(BaseModel):
    """What is to change; what is left out stays."""

    model_config = _like(disabled=True)

    name: Named | None = None
    password: Secret | None = None
    disabled: bool | None = None
    unlock: Literal[True] | None = None
    forget_second_factor: Literal[True] | None = None
    subject: Named | None = None


class AccountOut(Stamped):
    """One person, as the security administrator sees them."""

    model_config = _like(
        id="7d…", login="wang", name="Wang Mei", role="agency", agency="forestry", second_factor=True,
        subject=None, locked_until=None, disabled_at=None, created_at="2026-06-01T02:00:00Z",
    )  # fmt: skip

    UNSTAMPED: ClassVar[frozenset[str]] = frozenset({"locked_until"})

    id: str
    login: str
    name: str
    role: PersonRole
    agency: str | None
    second_factor: bool
    subject: str | None
    locked_until: datetime | None
    disabled_at: datetime | None
    created_at: datetime


class Accounts(BaseModel):
    accounts: list[AccountOut]


class KeyIn(BaseModel):
    """A key for a program. Scopes are SUBJECT:read or SUBJECT:write; none means all its role may do."""

    model_config = _like(
        name="forestry hotline", role="agency", agency="forestry", scopes=["incidents:read", "alerts:read"]
    )

    name: Named
    role: Role
    agency: Named | None = None
    scopes: Annotated[list[Scope], Field(max_length=50)] | None = None
    expires_at: Moment | None = None


class KeyOut(BaseModel):
    """One key. The key itself was shown once, when it was made."""

    model_config = _like(
        id="9a…", name="forestry hotline", role="agency", agency="forestry", scopes=["incidents:read"],
        created_at="2026-06-01T02:00:00Z", expires_at=None, revoked_at=None,
    )  # fmt: skip

    id: str
    name: str
    role: Role
    agency: str | None
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewKey(KeyOut):
    """A key just made: `key` is shown this once."""

    model_config = _like(
        id="9a…", name="forestry hotline", role="agency", agency="forestry", scopes=["incidents:read"],
        created_at="2026-06-01T02:00:00Z", expires_at=None, revoked_at=None, key="gp_…",
    )  # fmt: skip

    key: str


class Keys(BaseModel):
    keys: list[KeyOut]


class SessionOut(BaseModel):
    """One open session."""

    model_config = _like(
        id="4e…", name="Wang Mei", role="agency", agency="forestry", account="7d…", mine=True,
        created_at="2026-06-01T02:00:00Z", seen_at="2026-06-01T02:10:00Z", expires_at="2026-06-01T14:00:00Z",
    )  # fmt: skip

    id: str
    name: str
    role: Role
    agency: str | None
    account: str | None
    mine: bool
    created_at: datetime
    seen_at: datetime | None
    expires_at: datetime | None


class Sessions(BaseModel):
    sessions: list[SessionOut]


class OutboundOut(BaseModel):
    """One kind of connection to the outside."""

    model_config = _like(to="identity provider", on=False, where=None)

    to: str
    on: bool
    where: str | None


class SystemOut(BaseModel):
    """Which version runs, and where it may connect to."""

    model_config = _like(version="0.1.0", outbound=[{"to": "identity provider", "on": False, "where": None}])

    version: str
    outbound: list[OutboundOut]


class AuditEntry(BaseModel):
    """One entry of the trail."""

    model_config = _like(
        seq=3, at="2026-06-01T02:00:00Z", actor="Wang Mei", role="agency", agency="forestry",
        action="incident.release", target="I1", details={}, previous="00…", hash="5f…",
    )  # fmt: skip

    seq: int
    at: datetime
    actor: str
    role: str
    agency: str | None
    action: str
    target: str
    details: dict[str, Any]
    previous: str
    hash: str


class AuditPage(BaseModel):
    """Entries from the newest back; ask on with `before` = the last one's number."""

    entries: list[AuditEntry]


class AuditVerdict(BaseModel):
    """Whether the whole trail holds."""

    model_config = _like(holds=True, entries=4711, head="5f…", broken_at=None, reason=None)

    holds: bool
    entries: int
    head: str
    broken_at: int | None
    reason: str | None
