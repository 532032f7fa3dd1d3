"""Consumers that the operator names: where to ask for the key in use, and what to refresh.

The setting ``ROTATION_CONSUMERS`` is a comma-separated list of ``name@vault[/secret pattern]=``,
followed by one or more of: an https URL, the audience of its token (``api://…``), and the resource
id of an app. A secret's tag selects a name; the address always comes from the setting.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from .bindings import Place, place_of
from .ids import TargetId
from .redaction import redact

EXAMPLE = "shop@kv-a/shop-*=https://shop.contoso.com/key api://shop"

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_AUDIENCE = re.compile(r"api://[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")
_RESOURCE = re.compile(
    r"/subscriptions/[a-z0-9-]{1,64}/resourcegroups/[\w().-]{0,89}[\w()-]/providers/"
    r"(?:microsoft\.web/sites/[a-z0-9-]{2,60}(?:/slots/[a-z0-9-]{1,59})?"
    r"|microsoft\.app/containerapps/[a-z0-9-]{2,32})",
    re.I | re.A,
)


@dataclass(frozen=True)
class Consumer:
    """An app that reads secrets of ``place``.

    ``url`` answers which version or key it uses, given a token for ``audience``; ``resource`` is
    the ARM id of what is refreshed after a new version. Each may be missing.
    """

    name: str
    place: Place
    url: str | None = None
    audience: str | None = None
    resource: str | None = None

    @property
    def is_container_app(self) -> bool:
        """Return whether ``resource`` is a Container App; otherwise it is an App Service app."""
        return "/microsoft.app/" in (self.resource or "").lower()

    @property
    def role(self) -> str:
        """Return the built-in role that allows a refresh of ``resource``."""
        return "Container Apps Contributor" if self.is_container_app else "Website Contributor"


@dataclass(frozen=True)
class Consumers:
    """All consumers of the setting."""

    all: tuple[Consumer, ...] = ()

    @property
    def have_checks(self) -> bool:
        """Return whether a consumer can be asked which key it uses."""
        return any(consumer.url for consumer in self.all)

    @property
    def have_resources(self) -> bool:
        """Return whether a consumer has an app that can be refreshed."""
        return any(consumer.resource for consumer in self.all)

    def find(self, name: str) -> Consumer | None:
        """Return the consumer of this name, or None."""
        return next((consumer for consumer in self.all if consumer.name == name), None)

    def of(self, target: TargetId, names: Iterable[str]) -> tuple[Consumer, ...]:
        """Return the consumers of these names that the setting allows this secret to select."""
        found = (self.find(name) for name in names)
        return tuple(one for one in found if one and one.place.covers(target))


def parse(text: str, vaults: tuple[str, ...]) -> Consumers:
    """Parse the setting. Raises ValueError that names every problem at once."""
    found: list[Consumer] = []
    problems: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            found.append(_consumer(part, vaults))
        except ValueError as exc:
            problems.append(str(exc))
    count = Counter(consumer.name for consumer in found)
    problems += [f"{name!r} is named twice" for name, times in count.items() if times > 1]
    if problems:
        raise ValueError("; ".join(problems))
    return Consumers(tuple(found))


def parse_names(text: str) -> tuple[str, ...]:
    """Parse the tag: names of consumers, comma-separated. Raises ValueError."""
    names = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    wrong = next((name for name in names if not NAME.fullmatch(name)), None)
    if wrong:
        raise ValueError(f"{redact(wrong[:40])!r} is not the name of a consumer")
    return names


def _consumer(part: str, vaults: tuple[str, ...]) -> Consumer:
    head, _, rest = part.partition("=")
    name, _, place = head.strip().lower().partition("@")
    if not NAME.fullmatch(name) or not place or not rest.split():
        raise ValueError(f"{redact(head)!r} is not name@vault=…; write for example {EXAMPLE}")
    given: dict[str, str] = {}
    for word in rest.split():
        kind = _kind(word)
        if kind is None or kind in given:
            raise ValueError(
                f"{name}: write one https URL of a public host name, one api:// audience and one "
                "resource id of an App Service app or a Container App at most"
            )
        given[kind] = word
    if "audience" in given and "url" not in given:
        raise ValueError(f"{name}: an audience needs a URL")
    return Consumer(name, place_of(place, vaults), **given)


def _kind(word: str) -> str | None:
    """Return which member of a consumer a word is, or None if it is not valid."""
    if _RESOURCE.fullmatch(word):
        return "resource"
    if _AUDIENCE.fullmatch(word):
        return "audience"
    return "url" if _is_public_url(word) else None


def _is_public_url(word: str) -> bool:
    """Return whether it is an https URL of a host name; an address is not a name."""
    try:
        parts = urlsplit(word)
        plain = parts.scheme == "https" and parts.port is None and not parts.fragment
    except ValueError:
        return False
    host = parts.netloc.lower()
    return plain and word.isascii() and bool(_HOST.fullmatch(host))
