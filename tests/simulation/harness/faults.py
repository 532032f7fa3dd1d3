"""The faults that can be injected into a call, at both levels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

LATE = timedelta(seconds=240)
FREEZE = timedelta(seconds=90)  # longer than the lease; LATE + FREEZE < ROTATION_SETTLE

EFFECTS = frozenset(
    {
        "arm.regenerate_key",
        "keyvault.set_secret",
        "keyvault.update_secret",
        "journal.write",
        "queue.put",
        "eventgrid.publish",
    }
)


@dataclass(frozen=True)
class Fault:
    """``status`` is the response's, or None if there is no response.

    ``done``: the effect happens all the same. ``late``: it happens ``LATE`` later. ``crash`` and
    ``freeze`` stop the worker itself.
    """

    name: str
    status: int | None = None
    code: str = "Fault"
    retry_after: int | None = None
    done: bool = False
    late: bool = False
    crash: bool = False
    freeze: bool = False


_ANY_CALL = (
    Fault("401", 401, "Unauthorized"),
    Fault("403", 403, "Forbidden"),
    Fault("404", 404, "NotFound"),
    Fault("409", 409, "Conflict"),
    Fault("412", 412, "PreconditionFailed"),
    Fault("429", 429, "TooManyRequests"),
    Fault("429+", 429, "TooManyRequests", retry_after=17),
    Fault("500", 500, "InternalServerError"),
    Fault("503", 503, "ServiceUnavailable"),
    Fault("504", 504, "GatewayTimeout"),
    Fault("dropped"),
)
_EFFECT_FAULTS = (
    Fault("500 done", 500, "InternalServerError", done=True),
    Fault("503 done", 503, "ServiceUnavailable", done=True),
    Fault("504 done", 504, "GatewayTimeout", done=True),
    Fault("lost", done=True),
    Fault("late", late=True),
)
CRASH = Fault("crash", crash=True)
CRASH_DONE = Fault("crash done", done=True, crash=True)
FREEZE_BEFORE = Fault("freeze", freeze=True)
FREEZE_AFTER = Fault("freeze done", done=True, freeze=True)

BY_NAME = {
    fault.name: fault
    for fault in (*_ANY_CALL, *_EFFECT_FAULTS, CRASH, CRASH_DONE, FREEZE_BEFORE, FREEZE_AFTER)
}
_READS = tuple(name for name in BY_NAME if BY_NAME[name] not in (*_EFFECT_FAULTS, CRASH_DONE))
# The data plane checks the key first, and never refuses one that works.
_PROBES = tuple(name for name in _READS if name not in ("400", "401", "404", "409", "412"))
# For pairs: one fault of each class that the service cannot tell apart.
_READ_CLASSES = ("503", "403", "crash")
_EFFECT_CLASSES = ("503", "403", "504", "lost", "late", "crash", "crash done")


def possible_faults(call: str, *, classes: bool = False) -> tuple[str, ...]:
    """Return the faults that make sense at a call; with ``classes``, one of each class."""
    if call == "probe":
        return ("503", "crash") if classes else _PROBES
    if classes:
        return _EFFECT_CLASSES if call in EFFECTS else _READ_CLASSES
    return tuple(BY_NAME) if call in EFFECTS else _READS
