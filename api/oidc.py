"""Logging in at an identity provider: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636).

Off unless the settings name an issuer. The provider says who somebody is; what
they may do here is said by the account that the security administrator linked
to them, so a person whom nobody added cannot come in.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.errors import Unauthenticated, Unavailable
from missions.errors import InputWrong

PATIENCE_S = 10.0
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Public-key signatures alone: "none" and shared secrets are not taken."""
LEEWAY_S = 60
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Provider:
    """What the operator said of the identity provider. `secret` never reaches a log: see `repr`."""

    issuer: str
    client_id: str
    secret: str
    redirect_uri: str

    def __post_init__(self) -> None:
        where = urlsplit(self.issuer)
        if where.scheme != "https" and where.hostname not in _LOOPBACK:
            raise InputWrong(f"GRIDPATROL_OIDC_ISSUER: found {self.issuer!r}, expected an https:// address")

    def __repr__(self) -> str:
        return f"Provider({self.issuer!r}, {self.client_id!r})"


@dataclass(frozen=True, slots=True)
class Start:
    """A login begun: where the browser goes, and what must come back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who the provider says it is."""

    subject: str
    """ISSUER|SUB: the pair that names a person for good (Core section 5.7)."""
    login: str | None
    name: str | None


async def start(provider: Provider, client: httpx.AsyncClient) -> Start:
    """Return a new login at the provider.

    Raises:
        Unavailable: the provider does not answer, or not as one.
    """
    known = await _discover(provider, client)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "scope": "openid profile",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if urlsplit(known["authorization_endpoint"]).query else "?"
    return Start(f"{known['authorization_endpoint']}{joint}{urlencode(query)}", state, nonce, verifier)


async def finish(
    provider: Provider, client: httpx.AsyncClient, *, code: str, nonce: str, verifier: str, wall_s: float
) -> Person:
    """Return who logged in, from the code the browser brought back.

    wall_s: the wall clock, seconds since 1970, against which the provider's times are held.

    Raises:
        Unauthenticated: the provider does not stand by this code, or its token does not hold.
        Unavailable: the provider does not answer, or not as one.
    """
    known = await _discover(provider, client)
    answer = await _ask(
        client,
        "POST",
        known["token_endpoint"],
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": provider.redirect_uri,
            "code_verifier": verifier,
        },
        auth=httpx.BasicAuth(provider.client_id, provider.secret),
    )
    if "id_token" not in answer:
        raise Unauthenticated("the identity provider did not stand by this login: begin again")
    keys = await _ask(client, "GET", known["jwks_uri"])
    claims = _claims(str(answer["id_token"]), keys, provider, nonce=nonce, wall_s=wall_s)
    login = claims.get("preferred_username")
    return Person(
        f"{provider.issuer}|{claims['sub']}",
        login.lower() if isinstance(login, str) else None,
        claims.get("name"),
    )


def _claims(
    token: str, keys: Mapping[str, Any], provider: Provider, *, nonce: str, wall_s: float
) -> dict[str, Any]:
    """Return the claims of an ID token that holds (Core section 3.1.3.7)."""
    try:
        claims = dict(jwt.decode(token, KeySet.import_key_set(dict(keys)), algorithms=ALGORITHMS).claims)  # type: ignore[arg-type]
        wanted = jwt.JWTClaimsRegistry(
            now=int(wall_s),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": provider.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        wanted.validate(claims)
    except (JoseError, ValueError, KeyError) as error:
        raise Unauthenticated(
            f"the identity provider's token does not hold ({type(error).__name__}): begin again"
        ) from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise Unauthenticated("the identity provider's token was made for another service")
    return claims


async def _discover(provider: Provider, client: httpx.AsyncClient) -> dict[str, Any]:
    """Return the provider's own description (OpenID Connect Discovery 1.0)."""
    known = await _ask(client, "GET", f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    missing = {"authorization_endpoint", "token_endpoint", "jwks_uri"} - known.keys()
    if missing or known.get("issuer") != provider.issuer:
        raise Unavailable(
            f"{provider.issuer} does not describe itself as that identity provider: check the issuer"
        )
    return known


async def _ask(client: httpx.AsyncClient, method: str, url: str, **sent: Any) -> dict[str, Any]:
    try:
        reply = await client.request(method, url, timeout=PATIENCE_S, follow_redirects=False, **sent)
        answer = reply.json()
    except (httpx.HTTPError, ValueError):
        raise Unavailable("the identity provider does not answer: log in with a password, or later") from None
    if reply.status_code >= 500 or not isinstance(answer, dict):
        raise Unavailable("the identity provider does not answer: log in with a password, or later")
    return answer
