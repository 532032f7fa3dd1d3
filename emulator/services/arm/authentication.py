"""Resource Manager's check of the token, and the challenge to a request without a good one."""

from __future__ import annotations

from ...core import clouds
from ...core.clouds import Cloud
from ...core.identity import TENANT, Identity, Principal
from ...core.wire import Request
from .errors import ArmError

_FAULTS = {
    "missing": ("AuthenticationFailed", "Authentication failed. The header is missing."),
    "expired": ("ExpiredAuthenticationToken", "The access token expiry has passed."),
    "audience": ("InvalidAuthenticationTokenAudience", "The audience is not accepted."),
    "invalid": ("InvalidAuthenticationToken", "The access token is invalid."),
}


def authenticate(identity: Identity, request: Request, cloud: Cloud) -> Principal:
    """Return the caller. Raises ArmError with the challenge."""
    found = identity.bearer(request, cloud.audiences)
    if isinstance(found, Principal):
        return found
    login = "login.windows.net" if cloud is clouds.PUBLIC else cloud.login
    code, text = _FAULTS[found]
    challenge = f'Bearer authorization_uri="https://{login}/{TENANT}", error="invalid_token"'
    challenge += f', error_description="{text}"'
    raise ArmError(401, code, text, WWW_Authenticate=challenge)
