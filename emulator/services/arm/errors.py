"""ARM's errors, each as Azure words it."""

from __future__ import annotations

from ...core.identity import Principal


class ArmError(Exception):
    """An error response: status, code, message, and headers such as Retry-After."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def no_route(path: str) -> ArmError:
    return ArmError(404, "InvalidResourceType", f"There is no such resource or action: {path}")


def no_subscription(subscription: str) -> ArmError:
    text = f"The subscription '{subscription}' could not be found."
    return ArmError(404, "SubscriptionNotFound", text)


def no_group(group: str) -> ArmError:
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def no_resource(type_and_name: str, group: str) -> ArmError:
    text = f"The Resource '{type_and_name}' under resource group '{group}' was not found."
    return ArmError(404, "ResourceNotFound", text)


def not_registered() -> ArmError:
    text = "The subscription is not registered to use namespace 'Microsoft.CognitiveServices'."
    return ArmError(409, "MissingSubscriptionRegistration", text)


def locked(scope: str, lock: str) -> ArmError:
    text = (
        f"The scope '{scope}' cannot perform write operation because following scope(s) are "
        f"locked: '{lock}'. Please remove the lock and try again."
    )
    return ArmError(409, "ScopeLocked", text)


def check_right(principal: Principal, action: str, scope: str) -> None:
    """Raise AuthorizationFailed if the principal may not perform the action."""
    if principal.may(action, scope):
        return
    raise ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have "
        f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials.",
    )
