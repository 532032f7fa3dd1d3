"""A subscription's registration for the provider of accounts; the SDKs register automatically.

"Azure resource providers and types": a registration needs ``PROVIDER/register/action``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote

from ...core.clock import Clock
from ...core.identity import Principal
from ...core.wire import Request, Response
from .errors import check_right
from .responses import ok

PROVIDER = "Microsoft.CognitiveServices"
_PATH = re.compile(
    r"/subscriptions/([^/]+)/providers/microsoft\.cognitiveservices(/register)?/?", re.I
)


@dataclass(frozen=True)
class ProviderRequest:
    """A request's public name, and the subscription as the caller wrote it."""

    name: str
    subscription: str


@dataclass
class Registrations:
    """``absent`` are subscriptions, in lower case, without a registration.

    ``delay`` is how long a registration takes.
    """

    clock: Clock
    delay: timedelta = timedelta(minutes=1)
    absent: set[str] = field(default_factory=set)
    begun: dict[str, datetime] = field(default_factory=dict)

    def state(self, subscription: str) -> str:
        """Return NotRegistered, Registering or Registered."""
        key = subscription.lower()
        if key not in self.absent:
            return "Registered"
        if key not in self.begun:
            return "NotRegistered"
        done = self.begun[key] + self.delay <= self.clock.now()
        return "Registered" if done else "Registering"

    def respond(self, parsed: ProviderRequest, principal: Principal) -> Response:
        """Begin a registration if that is asked, and show the provider. Raises ArmError."""
        scope = f"/subscriptions/{parsed.subscription}"
        registers = parsed.name == "register_provider"
        action = f"{PROVIDER}/register/action" if registers else f"{PROVIDER}/read"
        check_right(principal, action, scope)
        if registers:
            self.begun.setdefault(parsed.subscription.lower(), self.clock.now())
        return ok(
            {
                "id": f"{scope}/providers/{PROVIDER}",
                "namespace": PROVIDER,
                "registrationPolicy": "RegistrationRequired",
                "registrationState": self.state(parsed.subscription),
            }
        )


def parse(request: Request) -> ProviderRequest | None:
    """Return what a request asks of the provider, or None."""
    found = _PATH.fullmatch(unquote(request.path))
    if found is None or request.method != ("POST" if found[2] else "GET"):
        return None
    return ProviderRequest("register_provider" if found[2] else "get_provider", found[1])
