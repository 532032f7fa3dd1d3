"""Azure SDK exceptions as errors of the domain.

Raise the result ``from None``: an SDK's exception may quote a body, and a body may hold a key.
Only the code, the status and the service's message, redacted, are kept.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
)

from ..domain.errors import Permanent, RotationError, Transient, Unknown, of_service
from .keys_in_memory import hide, hide_known

_REMEDIES = {
    "AuthorizationFailed": "grant the service's identity the custom role Key rotator on this "
    "account; role assignments take a few minutes to take effect",
    "ForbiddenByRbac": "grant the service's identity the custom role Secret publisher on this "
    "vault; role assignments take a few minutes to take effect",
    "AccessDenied": "grant get, list and set on secrets in the vault's access policy, or use RBAC",
    "ForbiddenByConnection": "connect the service to the vault by a private endpoint and VNet "
    "integration, and let it resolve privatelink.vaultcore; the vault allows no public access",
    "ForbiddenByPolicy": "an assignment of Azure Policy refuses this version: give the secret a "
    "content type, shorten ValidityPeriodDays, or ask for an exemption; doctor names the "
    "assignment. Nothing is regenerated until the version is accepted",
    "ForbiddenByFirewall": "allow the service through the vault's firewall, "
    "or use VNet integration",
    "ScopeLocked": "remove the read-only lock from the account or its group",
    "MissingSubscriptionRegistration": "register Microsoft.CognitiveServices in the subscription",
    "ResourceNotFound": "correct or remove the tag ProviderAddress of the secrets",
    "ResourceGroupNotFound": "correct or remove the tag ProviderAddress of the secrets",
    "SubscriptionNotFound": "correct or remove the tag ProviderAddress of the secrets",
    "SecretNotFound": "restore the secret, or remove it from rotation",
    "ObjectIsDeletedButRecoverable": "recover or purge the deleted secret",
    "RequestDisallowedByPolicy": "ask for an exemption from the Azure Policy that forbids it",
    "LocalAuthDisabled": "turn key authentication on, or remove the secrets from rotation",
}

_REFUSALS = frozenset({"AuthorizationFailed", "ForbiddenByRbac"})

# Refusals quote the missing action, which redaction would take for a key, and the identity.
_ACTION = re.compile(r"action:? '(Microsoft\.[A-Za-z]{1,20}(?:/[A-Za-z]{1,20})+)'", re.I)

# Key Vault says ForbiddenByPolicy of Azure Policy, and also of the vault's own access policy.
_ACCESS_POLICY = re.compile(r"does not have secrets \w+ permission", re.I)

_OBJECT_ID = re.compile(
    r"(?:object id '|oid=)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b", re.I
)

# Codes are words, such as AccountProvisioningStateInvalid, or short, such as 401.
_CODE = re.compile(r"[A-Za-z]{1,64}|[A-Za-z0-9_.-]{1,23}")

_DEFAULT_REMEDY = "see the message; the service retries on its next visit"

_TRANSIENT_STATUS = frozenset({401, 408, 412, 423, 425, 429})

_TRANSIENT_CODES = frozenset(
    {"AccountProvisioningStateInvalid", "RequestConflict", "Conflict", "ObjectIsBeingDeleted"}
)

_MESSAGE_LENGTH = 300


# The SDKs' own errors, and those that they raise for a response that is not as documented.
SDK_ERRORS = (AzureError, TypeError, ValueError, AttributeError, LookupError)


def failure(exc: Exception, doing: str, *, effect: bool = False) -> RotationError:
    """Return the error that the caller raises.

    With ``effect``, a call that may have had its effect is Unknown: the service responded 5xx, 408
    or a success that the SDK does not know, such as 202; the response was lost; or the connection
    broke. (With aiohttp a dropped connection is a ServiceRequestError, which otherwise means "never
    sent".)
    """
    if isinstance(exc, HttpResponseError) and exc.status_code is not None:
        return _answered(exc, doing, effect)
    if isinstance(exc, ClientAuthenticationError):
        return _identity(doing)
    if not isinstance(exc, AzureError):
        kind = Unknown if effect else Transient
        return kind(f"{doing}: the response cannot be read", code="Unreadable")
    if effect and not _never_sent(exc):
        return Unknown(f"{doing}: no response", code="NoAnswer")
    return Transient(f"{doing}: cannot reach the service", code="Unreachable")


def code_of(exc: HttpResponseError) -> str:
    """Return the innermost error code, such as SecretDisabled, or the status if there is none."""
    error = getattr(exc, "error", None)
    inner = getattr(error, "innererror", None) or {}
    code = (inner.get("code") if isinstance(inner, dict) else None) or getattr(error, "code", None)
    is_word = isinstance(code, str) and _CODE.fullmatch(code) and hide_known(code) == code
    return str(code) if is_word else f"HTTP{exc.status_code}"


def _answered(exc: HttpResponseError, doing: str, effect: bool) -> RotationError:
    status, code = exc.status_code or 0, code_of(exc)
    text = str(getattr(getattr(exc, "error", None), "message", None) or exc.reason or "")
    text = " ".join(text.split())
    if code == "BadRequest" and "disablelocalauth" in text.lower():
        code = "LocalAuthDisabled"
    if code == "ForbiddenByPolicy" and _ACCESS_POLICY.search(text):
        code = "AccessDenied"
    refused = _refused(text) if code in _REFUSALS else ""
    message = f"{doing}: {status} {code}: {(refused or hide(text))[:_MESSAGE_LENGTH]}"
    if effect and (status >= 500 or status == 408 or status < 400):
        return Unknown(message, code=code)
    if status >= 500 or status in _TRANSIENT_STATUS or code in _TRANSIENT_CODES:
        return Transient(message, code=code, retry_after=_retry_after(exc))
    return Permanent(message, code=code, remedy=_REMEDIES.get(code, _DEFAULT_REMEDY))


def _refused(text: str) -> str:
    """Return the refused action and identity, or an empty text if the message has no action."""
    action, identity = _ACTION.search(text), _OBJECT_ID.search(text)
    to = f" to the identity with object id {identity[1]}" if identity else ""
    return hide_known(f"{action[1]} is not allowed{to}") if action else ""


def _retry_after(exc: HttpResponseError) -> timedelta | None:
    headers = getattr(exc.response, "headers", None) or {}
    try:
        return timedelta(seconds=min(float(headers.get("Retry-After", "")), 3600))
    except ValueError:
        return None


def _identity(doing: str) -> RotationError:
    """Return Permanent only without an endpoint: azure-identity reports all failures alike."""
    message = f"{doing}: could not obtain a token for the managed identity"
    if os.environ.get("IDENTITY_ENDPOINT"):
        return of_service(Transient(message, code="NoToken"))
    remedy = "assign a managed identity; locally set ROTATION_CREDENTIAL=developer and sign in"
    return of_service(Permanent(message, code="NoIdentity", remedy=remedy))


def _never_sent(exc: AzureError) -> bool:
    from aiohttp import ClientConnectorError

    if isinstance(exc, ServiceRequestTimeoutError):
        return True
    inner = getattr(exc, "inner_exception", None)
    return isinstance(exc, ServiceRequestError) and isinstance(inner, ClientConnectorError)
