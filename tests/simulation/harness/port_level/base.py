"""The base of the simulated ports: one call with its date and its errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any, NoReturn, TypeVar

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError

from emulator.azure import Azure
from emulator.services.keyvault.errors import KeyVaultError
from rotation.adapters.sdk_errors import failure
from rotation.domain.errors import RotationError
from rotation.runtime.clock import Clock

from ..faults import EFFECTS, Fault
from ..interceptor import Interceptor, Process

T = TypeVar("T")


class Refusal(Exception):
    """A service refuses a call; the SDK would raise an HttpResponseError."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code, self.retry_after = status, code, None


@dataclass
class SimulatedPort:
    """``clock`` is the worker's, which each response's date corrects."""

    interceptor: Interceptor
    by: Process
    clock: Clock

    @property
    def azure(self) -> Azure:
        return self.interceptor.azure

    async def call(self, name: str, doing: str, effect: Callable[[], T]) -> T:
        """Make one call. Raises the errors that the adapters raise."""

        def fail(fault: Fault) -> NoReturn:
            raise error_of(fault, name, doing)

        dates: list[datetime] = []

        def dated_effect() -> T:
            dates.append(self.azure.clock.now())
            return effect()

        try:
            return await self.interceptor.call(self.by, name, dated_effect, fail)
        except (Refusal, KeyVaultError) as refused:
            raise response_error(refused.status, _code(refused), name, doing) from None
        finally:
            self._observe_date(dates[-1] if dates else self.azure.clock.now())

    def _observe_date(self, date: datetime) -> None:
        """Correct the clock. Skipped, for speed, if the clock is right."""
        if self.by.skewed or self.clock.skew or date != self.azure.clock.now():
            self.clock.observe(format_datetime(date, usegmt=True))


def _code(refused: Refusal | KeyVaultError) -> str:
    return getattr(refused, "inner", None) or refused.code


def error_of(fault: Fault, name: str, doing: str) -> RotationError:
    """Return the error that the adapters raise for a fault at a call."""
    if fault.status is None:
        return failure(_no_response(), doing, effect=name in EFFECTS)
    return response_error(fault.status, fault.code, name, doing, fault.retry_after)


def response_error(
    status: int, code: str, name: str, doing: str, retry_after: int | None = None
) -> RotationError:
    exc: Any = HttpResponseError("refused")
    exc.status_code, exc.reason = status, code
    exc.error = SimpleNamespace(code=code, message=code, innererror=None)
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    exc.response = SimpleNamespace(headers=headers)
    found: RotationError = failure(exc, doing, effect=name in EFFECTS)
    return found


def _no_response() -> AzureError:
    return ServiceRequestError("the connection is gone")
