"""The admin endpoints of API keys: list, issue, rotate, revoke."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

from bff_core.admin.actions import AdminAction, AdminActions
from bff_core.auth.api_keys.lifecycle import DAY_SECONDS, ApiKeys
from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.auth.authenticator import HasKeys
from bff_core.edge.json_errors import unreadable
from bff_core.errors import ConfigurationError, InvalidInput

T = TypeVar("T")

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class IssueRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an issue; `lifetime` in seconds, 0 for a key that never expires."""

    name: Text
    subject: Text
    tenant: str = ""
    scopes: list[Text] = []
    lifetime: Seconds = 0.0


class RotateRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a rotation; the old key stays valid for `overlap` seconds beside the new one."""

    prefix: Text
    overlap: Seconds = DAY_SECONDS


class RevokeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a revocation: from now on the key is refused."""

    prefix: Text


def api_key_actions(owner: HasKeys) -> AdminActions:
    """Return the endpoints that manage the API keys of an authenticator."""

    def keys() -> ApiKeys:
        found = owner.keyring()
        if not isinstance(found, ApiKeys):
            raise ConfigurationError("this gateway does not issue the keys of its authenticator")
        return found

    async def act_issue(body: bytes) -> Mapping[str, object]:
        request = _read(body, IssueRequest)
        try:
            key, record = await keys().issue(
                request.name,
                request.subject,
                tenant=request.tenant,
                scopes=request.scopes,
                lifetime=request.lifetime,
            )
        except ConfigurationError as error:
            raise InvalidInput(str(error)) from error
        return {"key": key, **_shown(record)}

    async def act_list(_: bytes) -> Mapping[str, object]:
        return {"keys": [_shown(record) for record in await keys().listed()]}

    async def act_rotate(body: bytes) -> Mapping[str, object]:
        request = _read(body, RotateRequest)
        key, record = await keys().rotate(request.prefix, overlap=request.overlap)
        return {"key": key, **_shown(record)}

    async def act_revoke(body: bytes) -> Mapping[str, object]:
        request = _read(body, RevokeRequest)
        await keys().revoke(request.prefix)
        return {"revoked": request.prefix}

    return {
        "/operator/api-keys": AdminAction("GET", act_list),
        "/operator/api-keys/issue": AdminAction("POST", act_issue),
        "/operator/api-keys/rotate": AdminAction("POST", act_rotate),
        "/operator/api-keys/revoke": AdminAction("POST", act_revoke),
    }


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error) from error


def _shown(record: ApiKeyRecord) -> dict[str, object]:
    return {
        "prefix": record.prefix,
        "name": record.name,
        "subject": record.subject,
        "tenant": record.tenant,
        "scopes": sorted(record.scopes),
        "created_at": record.created_at,
        "expires_at": record.expires_at or None,
        "last_used_at": record.last_used_at or None,
    }
