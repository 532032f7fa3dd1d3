"""Formats of a secret's value: the key alone, or the key inside a text or a JSON object.

The setting ``ROTATION_FORMATS`` is a JSON object of formats by name. A text is a template; an
object is a JSON document whose texts are templates. ``{key}`` stands in one place; ``{account}``
and ``{endpoint}`` are optional. A value that is not exactly of its format is somebody else's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .consumers import NAME
from .errors import Permanent
from .ids import TargetId
from .keys import Key
from .redaction import redact
from .targets import Target

# The value of a secret that is not of its format: like no key, so that nothing is done with it.
FOREIGN = Key("")

RAW = ""

_PLACE = re.compile(r"\{(key|account|endpoint)\}")

_PATTERNS = {
    "key": r"(?P<key>[A-Za-z0-9+/=_-]+)",
    "account": r"[A-Za-z0-9][A-Za-z0-9_.-]{1,63}",
    "endpoint": r"https://[A-Za-z0-9.-]+/?",
}

# A longer value is foreign: its pattern could take long to match.
_LONGEST = 2048

_EXAMPLE = '{"connection": "Endpoint={endpoint};Key={key}"}'


@dataclass(frozen=True)
class Format:
    """One format: a template, or an object of templates."""

    template: str | Mapping[str, Any]

    def render(self, key: Key, account: str, endpoint: str) -> Key:
        """Return the value to publish. Raises ValueError if the format cannot hold it."""
        parts = {"key": key.reveal(), "account": account, "endpoint": endpoint}
        filled = _filled(self.template, parts)
        value = filled if isinstance(filled, str) else json.dumps(filled, ensure_ascii=False)
        if self.extract(value) != key.reveal():
            raise ValueError("the value could not be read again")
        return Key(value)

    def extract(self, value: str) -> str | None:
        """Return the key in a value, or None if the value is not exactly of this format."""
        if len(value) > _LONGEST:
            return None
        if isinstance(self.template, str):
            return next(iter(_matched(self.template, value) or ()), None)
        try:
            found = json.loads(value, object_pairs_hook=_unique)
        except (ValueError, RecursionError):
            return None
        return next(iter(_matched(self.template, found) or ()), None)


@dataclass(frozen=True)
class Formats:
    """All formats of the setting, by name."""

    by_name: Mapping[str, Format] = field(default_factory=dict)

    def extract(self, name: str, value: str) -> str | None:
        """Return the key in a value; FOREIGN's if it is of another form, None if unknown."""
        if name == RAW:
            return value
        found = self.by_name.get(name)
        return None if found is None else found.extract(value) or FOREIGN.reveal()

    def render(self, target: Target, key: Key, endpoint: str) -> Key:
        """Return the value to publish to a target. Raises Permanent if its format cannot hold it.

        ``endpoint`` is that of the account.
        """
        name = target.enrolment.format
        if name == RAW:
            return key
        if name not in self.by_name:
            raise unknown(target.id, name)
        try:
            return self.by_name[name].render(key, target.enrolment.account.name, endpoint)
        except ValueError:
            raise Permanent(
                f"{target.id.name}: its format {name!r} cannot hold this account's key or endpoint",
                code="UnknownFormat",
                remedy="correct the format in ROTATION_FORMATS",
            ) from None


def unknown(target: TargetId, name: str) -> Permanent:
    """Return the error of a secret whose format the setting does not have."""
    return Permanent(
        f"{target.name}: its format {redact(name[:40])!r} is not defined in ROTATION_FORMATS",
        code="UnknownFormat",
        remedy="define it there, or correct the tag RotationFormat",
    )


def parse(text: str) -> Formats:
    """Parse the setting. Raises ValueError, which repeats no value."""
    try:
        given = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise ValueError(f"write a JSON object, for example {_EXAMPLE}")
    wrong = [number for number, one in enumerate(given.items(), 1) if not _is_valid(*one)]
    if wrong:
        raise ValueError(
            f"format {', '.join(map(str, wrong))} is not valid: a name of lower-case letters, "
            "digits and hyphens; a text, or an object of texts, with {key} in one place"
        )
    return Formats({name: Format(template) for name, template in given.items()})


def _is_valid(name: str, template: object) -> bool:
    if not NAME.fullmatch(name) or not isinstance(template, str | dict):
        return False
    texts = list(_texts(template))
    places = [place for text in texts for place in _PLACE.findall(text)]
    adjacent = any(re.search(r"\}\{", _PLACE.sub("{}", text)) for text in texts)
    return places.count("key") == 1 and not adjacent and template != "{key}"


def _texts(template: object) -> Iterable[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict):
        for one in template.values():
            yield from _texts(one)


def _filled(template: Any, parts: Mapping[str, str]) -> Any:
    if isinstance(template, str):
        return _PLACE.sub(lambda place: parts[place[1]], template)
    if isinstance(template, Mapping):
        return {name: _filled(one, parts) for name, one in template.items()}
    return template


def _matched(template: Any, value: Any) -> list[str] | None:
    """Return the keys in a value (one or none), or None if it does not match the template."""
    if isinstance(template, str):
        found = re.fullmatch(_pattern(template), value) if isinstance(value, str) else None
        return None if found is None else [*found.groupdict().values()]
    if isinstance(template, Mapping):
        if not isinstance(value, dict) or value.keys() != template.keys():
            return None
        inner = [_matched(one, value[name]) for name, one in template.items()]
        return None if None in inner else [key for one in inner if one for key in one]
    same = type(value) is type(template) and value == template
    return [] if same else None


def _pattern(template: str) -> str:
    literals = _PLACE.split(template)
    return "".join(
        _PATTERNS[part] if place % 2 else re.escape(part) for place, part in enumerate(literals)
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Raises ValueError if a member occurs twice."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)
