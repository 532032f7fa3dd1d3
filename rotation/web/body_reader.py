"""Reads the fields of a JSON body and collects every problem."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from ..domain.keys import Key
from ..domain.parsing import TextReader
from ..domain.redaction import looks_like_key, redact
from .bodies import MAX_REASON, AnswerBody, HoldBody, KeyBody
from .errors import BadRequest

MAX_BODY = 8 * 1024

_KEY = re.compile(r"[!-~]{16,256}")


class BodyReader(TextReader):
    """Reads fields one by one. An invalid field adds to ``problems`` and reads as empty."""

    def __init__(self, fields: dict[str, Any], kind: type[msgspec.Struct]) -> None:
        """Report fields that ``kind``, the type of the body, does not have."""
        super().__init__(fields)
        known = sorted(field.encode_name for field in msgspec.structs.fields(kind))
        unknown = sorted(set(map(str, fields)) - set(known))
        names = ", ".join(known)
        self.problems += [f"{redact(name[:40])}: unknown field; use {names}" for name in unknown]
        self.problems += [f"{n}: must not be null" for n in known if fields.get(n, "") is None]

    @classmethod
    def from_json(cls, body: bytes, kind: type[msgspec.Struct]) -> BodyReader:
        """Read a JSON object; an empty body is an empty object. Raises BadRequest."""
        return cls(_parse_object(body), kind)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def check(self) -> None:
        """Raise BadRequest if there is a problem."""
        if self.problems:
            raise BadRequest(self.problems)

    def flag(self, name: str) -> bool:
        """Return a boolean, False if absent."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            self.report(name, "must be true or false")
            return False
        return value

    def number(self, name: str) -> int | None:
        """Return an integer, or None if absent."""
        value = self._values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.report(name, "must be an integer")
        return None

    def reason(self) -> str:
        """Return the reason, which every change requires."""
        reason = self.text("reason")
        if not reason:
            self.report("reason", "required, for the audit trail")
        if len(reason) > MAX_REASON or not reason.isprintable():
            self.report("reason", f"at most {MAX_REASON} printable characters")
        if looks_like_key(reason):
            self.report("reason", "seems to contain a key; remove it")
        return reason


def read_answer(body: bytes) -> tuple[str, bool]:
    """Return the reason, and whether it is a dry run. Raises BadRequest."""
    reader = BodyReader.from_json(body, AnswerBody)
    dry_run, reason = reader.flag("dry_run"), reader.reason()
    reader.check()
    return reason, dry_run


@dataclass(frozen=True)
class HoldRequest:
    """A request to hold scheduled work ``until`` a time, or if None to end the hold."""

    until: datetime | None
    reason: str
    dry_run: bool


def read_hold(body: bytes) -> HoldRequest:
    """Return a request for a hold. Raises BadRequest."""
    reader = BodyReader.from_json(body, HoldBody)
    until, off = reader.parse("until", _time, None), reader.flag("off")
    told = any(problem.startswith(("until:", "off:")) for problem in reader.problems)
    if off == (until is not None) and not told:
        reader.report("until", "required, unless off is true")
    dry_run, reason = reader.flag("dry_run"), reader.reason()
    reader.check()
    return HoldRequest(until, reason, dry_run)


def read_time(name: str, text: str | None) -> datetime | None:
    """Return a time that was given outside a body; None if absent. Raises BadRequest."""
    reader = TextReader({name: text})
    found = reader.parse(name, _time, None)
    if text is not None and not text.strip():
        reader.report(name, "must be a time, for example 2026-12-24T18:00:00Z")
    if reader.problems:
        raise BadRequest(reader.problems)
    return found


def _time(text: str) -> datetime | None:
    """Parse an RFC 3339 time. Raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("must have a time zone, for example 2026-12-24T18:00:00Z")
    return found


def read_key(body: bytes) -> tuple[Key, int]:
    """Return a key and how much of the search is done. Raises BadRequest, which has no value."""
    reader = BodyReader.from_json(body, KeyBody)
    key, done = reader.text("key"), reader.number("done") if "done" in reader else 0
    if not _KEY.fullmatch(key):
        reader.report("key", "16 to 256 printable characters without blanks")
    if done is None or not 0 <= done < 2**31:
        reader.report("done", "must be checked of the last reply")
    reader.check()
    return Key(key), done or 0


def read_reason(text: str) -> str:
    """Return a valid reason that was given outside a body. Raises BadRequest."""
    reader = BodyReader({"reason": text}, AnswerBody)
    reason = reader.reason()
    reader.check()
    return reason


def _parse_object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise BadRequest([f"the body is larger than {MAX_BODY} bytes"])
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise BadRequest(["the body is not valid JSON"]) from None
    if not isinstance(fields, dict):
        raise BadRequest(["the body is not a JSON object"])
    return fields
