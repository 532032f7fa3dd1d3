"""The bindings in force: the setting, or what the store remembers of an earlier one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from msgspec import Struct, field
from msgspec.structs import replace

from ..domain import bindings, codec
from ..domain.bindings import Bindings
from ..domain.errors import Conflict, Unreadable, of_service
from ..domain.ids import AccountId, TargetId, target_id
from ..ports import Store

_NAME = "bindings"

_FORMAT = 1

UNSET = (
    "ROTATION_BINDINGS is not set, so no new secret is admitted: set it as doctor proposes, which "
    "says whose key each vault may hold"
)

_DIFFERS = (
    "ROTATION_BINDINGS at this terminal is not that of the service; the service's is in force"
)

Pair = tuple[TargetId, AccountId]


class Stored(Struct, frozen=True):
    """The bindings' stored document.

    ``setting`` is the last good text. ``frozen`` maps a vault's URL to the pairs (secret, account)
    that were rotated when several vaults were first listed without a setting.
    """

    format: int = _FORMAT
    setting: str | None = None
    frozen: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


class BindingRegistry:
    """Decides which bindings are in force, and remembers good ones.

    ``setting`` is the text of ROTATION_BINDINGS, possibly empty. ``problem`` is set once
    ``current`` was called and says why the setting is not in force.

    ``as_operator``: the setting is that of an operator's terminal. The service's stored one is in
    force, nothing is stored, and ``difference`` says if there are two that are not the same.
    """

    def __init__(
        self, store: Store, setting: str, vaults: tuple[str, ...], *, as_operator: bool = False
    ) -> None:
        self._store = store
        self._as_operator = as_operator
        self._setting = setting
        self._vaults = vaults
        self._current: Bindings | None = None
        self._loading = asyncio.Lock()
        self.problem = ""
        self.difference = ""

    async def current(self) -> Bindings:
        """Return the bindings in force. Raises RotationError if the store fails."""
        async with self._loading:  # all vaults are listed at the same time and need it
            if self._current is None:
                self._current = await self._load()
            return self._current

    async def problems(self) -> list[str]:
        """Return what a person should correct in the setting, for the fleet's overview."""
        current = await self.current()
        if self.difference:
            return [self.difference]
        if self.problem:
            return [f"ROTATION_BINDINGS is not in force: {self.problem}; the last good one is"]
        if current.are_frozen:
            return [UNSET]
        return []

    async def is_undecided(self, vault: str) -> bool:
        """Return whether the vault must be listed completely before anything is bound."""
        return (await self.current()).is_undecided(vault)

    async def freeze(self, vault: str, pairs: Iterable[Pair]) -> None:
        """Bind the pairs of a vault that was rotated before there was a setting, for good.

        A vault that is frozen already stays as it is. Raises RotationError if the store fails.
        """
        found = tuple(sorted((str(target), str(account)) for target, account in pairs))
        await self._amend(lambda s: _with_frozen(s, vault, found))
        self._current = None

    async def _load(self) -> Bindings:
        entries, self.problem = self._parsed(self._setting)
        if self._as_operator:
            stored, _ = await self._read()
            services, _ = self._parsed(stored.setting or "")
            if services is not None:
                differs = bool(self._setting.strip()) and entries != services
                self.problem, self.difference = "", _DIFFERS if differs else ""
                return Bindings(services)
        if entries is not None:
            await self._amend(lambda s: replace(s, setting=self._setting))
            return Bindings(entries)
        stored, _ = await self._read()
        if stored.setting is not None or self.problem:
            last_good, _ = self._parsed(stored.setting or "")
            self.problem = self.problem or "it was set before and is not set now"
            return Bindings(last_good or (), admits=False)
        if len(self._vaults) == 1:
            return Bindings(single_vault=True)
        return Bindings(frozen=tuple((v, _pairs(texts)) for v, texts in stored.frozen.items()))

    def _parsed(self, text: str) -> tuple[tuple[bindings.Entry, ...] | None, str]:
        if not text.strip():
            return None, ""
        try:
            return bindings.parse(text, self._vaults), ""
        except ValueError as exc:
            return None, str(exc)

    async def _read(self) -> tuple[Stored, str | None]:
        """Load the document. One that cannot be read counts as empty: it binds nothing.

        Raises Unreadable if a newer version wrote it, so that it is never overwritten.
        """
        document = await self._store.read(_NAME)
        if document is None:
            return Stored(), None
        with suppress(ValueError):
            if codec.format_of(document.body) > _FORMAT:
                raise of_service(Unreadable(_NAME, newer=True))
            return codec.load(Stored, document.body), document.etag
        return Stored(), document.etag

    async def _amend(self, change: Callable[[Stored], Stored]) -> None:
        """Write the changed document, unless as an operator.

        On a conflict, the other process has written the same.
        """
        if self._as_operator:
            return
        stored, etag = await self._read()
        changed = change(stored)
        if changed != stored:
            with suppress(Conflict):
                await self._store.write(_NAME, codec.dump(changed), etag)


def _with_frozen(stored: Stored, vault: str, pairs: tuple[tuple[str, str], ...]) -> Stored:
    if vault in stored.frozen:
        return stored
    return replace(stored, frozen={**stored.frozen, vault: pairs})


def _pairs(texts: Iterable[tuple[str, str]]) -> frozenset[Pair]:
    return frozenset((target_id(secret), AccountId.parse(account)) for secret, account in texts)
