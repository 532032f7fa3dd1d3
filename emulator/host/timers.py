"""Timer triggers: NCRONTAB in UTC, never two runs at once, one catch-up with ``useMonitor``."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.functions import meta
from azure.functions.timer import TimerRequestConverter
from croniter import croniter

from .functions import BadApp, Function

_log = logging.getLogger("host")


_MINUTE = timedelta(minutes=1)


class Timer:
    """One timer function and its schedule: six fields, or five without seconds.

    A schedule with more than one run a minute has no monitor, as in the real host.
    """

    def __init__(self, function: Function, status: Path | None, timeout: timedelta) -> None:
        self.function = function
        self._expression = str(function.trigger.get("schedule", "")).strip()
        self._monitor = function.trigger.get("useMonitor", True)
        self._status = status / f"{function.name}.json" if status else None
        self._timeout = timeout
        self._running = asyncio.Lock()
        if not croniter.is_valid(self._expression, second_at_beginning=True):
            raise BadApp(f"{function.name}: {self._expression!r} is not a schedule")

    def next_after(self, moment: datetime) -> datetime:
        """Return the first occurrence after a moment."""
        found = croniter(self._expression, moment, second_at_beginning=True).get_next(datetime)
        assert isinstance(found, datetime)
        return found

    async def run(self) -> None:
        """Run on schedule until cancelled."""
        if self.function.trigger.get("runOnStartup") or self._missed():
            await self.fire(past_due=self._missed())
        while True:
            now = datetime.now(UTC)
            await asyncio.sleep((self.next_after(now) - now).total_seconds())
            await self.fire()

    async def fire(self, *, past_due: bool = False) -> bool:
        """Run once; return whether it succeeded. A failure is logged and not tried again."""
        async with self._running:
            last, following = self._last(), self.next_after(datetime.now(UTC))
            info = {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": {
                    "Last": last.isoformat() if last else "0001-01-01T00:00:00+00:00",
                    "Next": following.isoformat(),
                    "LastUpdated": datetime.now(UTC).isoformat(),
                },
                "IsPastDue": past_due,
            }
            datum = meta.Datum(json.dumps(info), "json")
            request = TimerRequestConverter.decode(datum, trigger_metadata={})
            try:
                await self.function.invoke(request, self._timeout)
            except Exception:
                _log.exception("function %s failed", self.function.name)
                return False
            finally:
                self._note()
        return True

    def _last(self) -> datetime | None:
        if self._status is None or not self._status.exists():
            return None
        return datetime.fromisoformat(json.loads(self._status.read_text())["last"])

    def _missed(self) -> bool:
        last = self._last() if self._is_monitored() else None
        return last is not None and self.next_after(last) < datetime.now(UTC)

    def _is_monitored(self) -> bool:
        first = self.next_after(datetime.now(UTC))
        return bool(self._monitor) and self.next_after(first) - first >= _MINUTE

    def _note(self) -> None:
        if self._status is not None:
            self._status.parent.mkdir(parents=True, exist_ok=True)
            self._status.write_text(json.dumps({"last": datetime.now(UTC).isoformat()}))
