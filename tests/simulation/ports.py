"""The port level: the emulator's state directly behind the ports, call for call as on the wire.

What fails becomes an error by the adapters' own table, so only the way to the wire is left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any, NoReturn, TypeVar

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError

from emulator.accounts import Account as Stateful
from emulator.azure import Azure
from emulator.keyvault.model import Refused as VaultRefused
from emulator.keyvault.model import Secret as StoredSecret
from emulator.keyvault.model import Version as Stored
from emulator.keyvault.vault import Vault
from rotation import tags as tag
from rotation.adapters.failures import failure
from rotation.clock import Clock
from rotation.errors import Permanent, RotationError
from rotation.model import (
    Account,
    AccountId,
    Answer,
    Key,
    Keys,
    Slot,
    Target,
    TargetId,
    Verdict,
    Version,
)
from rotation.ports import Listed
from rotation.record import Put

from .faults import EFFECTS, Fault
from .gate import Gate, Process

T = TypeVar("T")
PAGE = 25


class Refused(Exception):
    """A service says no: what the SDK would make an HttpResponseError of."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code, self.retry_after = status, code, None


@dataclass
class Port:
    """What the four ports share: the gate, the clock that each answer's date corrects."""

    gate: Gate
    by: Process
    clock: Clock

    @property
    def azure(self) -> Azure:
        return self.gate.azure

    async def call(self, name: str, doing: str, effect: Callable[[], T]) -> T:
        """Raises what the adapters raise."""

        def fail(fault: Fault) -> NoReturn:
            raise error_of(fault, name, doing)

        dates: list[datetime] = []

        def dated() -> T:
            dates.append(self.azure.clock.now())
            return effect()

        try:
            return await self.gate.call(self.by, name, dated, fail)
        except (Refused, VaultRefused) as refused:
            raise answered(refused.status, _code(refused), name, doing) from None
        finally:
            self._see(dates[-1] if dates else self.azure.clock.now())

    def _see(self, date: datetime) -> None:
        """The answer's date; a clock that is right learns nothing from it."""
        if self.by.skewed or self.clock.skew or date != self.azure.clock.now():
            self.clock.observe(format_datetime(date, usegmt=True))


def _code(refused: Refused | VaultRefused) -> str:
    return getattr(refused, "inner", None) or refused.code


def error_of(fault: Fault, name: str, doing: str) -> RotationError:
    """The error that the adapters raise for a fault at a call."""
    if fault.status is None:
        return failure(_unanswered(), doing, effect=name in EFFECTS)
    return answered(fault.status, fault.code, name, doing, fault.retry_after)


def answered(
    status: int, code: str, name: str, doing: str, retry_after: int | None = None
) -> RotationError:
    exc: Any = HttpResponseError("refused")
    exc.status_code, exc.reason = status, code
    exc.error = SimpleNamespace(code=code, message=code, innererror=None)
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    exc.response = SimpleNamespace(headers=headers)
    found: RotationError = failure(exc, doing, effect=name in EFFECTS)
    return found


def _unanswered() -> AzureError:
    return ServiceRequestError("the connection is gone")


@dataclass
class SimAccounts(Port):
    def _account(self, account: AccountId) -> Stateful:
        found = self.azure.accounts.by_id.get(str(account).lower())
        if found is None:
            raise Refused(404, "ResourceNotFound")
        return found

    async def get(self, account: AccountId) -> Account:
        def shown() -> Account:
            found = self._account(account)
            return Account(
                account,
                found.kind,
                found.endpoint,
                found.api_endpoints(),
                found.disable_local_auth,
                found.provisioning_state,
            )

        return await self.call("arm.get_account", f"read account {account.name}", shown)

    async def keys(self, account: AccountId) -> Keys:
        def both() -> Keys:
            found = self._usable(account)
            keys = found.shown_keys(self.azure.clock.now())
            return Keys(Key(keys["Key1"]), Key(keys["Key2"]))

        return await self.call("arm.list_keys", f"list the keys of {account.name}", both)

    async def regenerate(self, account: AccountId, slot: Slot) -> None:
        def effect() -> None:
            self.azure.accounts.regenerate(self._usable(account), slot.value)

        await self.call("arm.regenerate_key", f"regenerate {slot} of {account.name}", effect)

    def _usable(self, account: AccountId) -> Stateful:
        found = self._account(account)
        if found.locked:
            raise Refused(409, "ScopeLocked")
        if found.provisioning_state != "Succeeded":
            raise Refused(409, "AccountProvisioningStateInvalid")
        if found.disable_local_auth:
            raise Refused(400, "LocalAuthDisabled")
        return found


@dataclass
class SimVaults(Port):
    urls: tuple[str, ...] = ()

    async def enrolled(self, vault: str) -> AsyncIterator[Listed]:
        def names() -> list[str]:
            return sorted(self._vault(vault).secrets)

        listed = await self.call("keyvault.list_secrets", f"list the secrets of {vault}", names)
        for _ in range(PAGE, len(listed), PAGE):
            await self.call("keyvault.list_secrets", f"list the secrets of {vault}", names)
        for name in listed:
            secret = self._vault(vault).secrets.get(name)
            found = _listed(vault, secret) if secret else None
            if found:
                yield found

    async def read(self, target: TargetId) -> Target | None:
        try:
            stored = await self._get(target, "", f"read secret {target.name}")
        except RotationError as exc:
            if exc.code == "SecretDisabled":
                return await self._read_disabled(target)
            if is_missing(exc):
                return None
            raise
        return _target(target, stored, Key(stored.value))

    async def _get(self, target: TargetId, version: str, doing: str) -> Stored:
        def found() -> Stored:
            stored = self._vault(target.vault).shown_version(target.name, version)[1]
            if not stored.enabled:
                raise Refused(403, "SecretDisabled")
            return stored

        return await self.call("keyvault.get_secret", doing, found)

    async def _read_disabled(self, target: TargetId) -> Target | None:
        listed = await self._list_versions(target)
        latest = max(listed, key=lambda v: _whole(v.made), default=None)
        return _target(target, latest, None) if latest else None

    async def _list_versions(self, target: TargetId) -> list[Stored]:
        def shown() -> list[Stored]:
            vault = self._vault(target.vault)
            secret = vault.secrets.get(target.name.lower())
            found = vault.shown_versions(secret) if secret else []
            return sorted(found, key=lambda version: version.id)

        doing = f"list the versions of secret {target.name}"
        return await self.call("keyvault.list_versions", doing, shown)

    async def versions(self, target: TargetId) -> tuple[Version, ...]:
        return tuple([await self._version(target, v) for v in await self._list_versions(target)])

    async def _version(self, target: TargetId, listed: Stored) -> Version:
        value = await self._value(target, listed.id) if listed.enabled else None
        return Version(target, listed.id, _whole(listed.made), value)

    async def _value(self, target: TargetId, version: str) -> Key | None:
        try:
            stored = await self._get(target, version, f"read a version of secret {target.name}")
        except RotationError as exc:
            if exc.code == "SecretDisabled" or is_missing(exc):
                return None
            raise
        return Key(stored.value)

    async def publish(
        self, target: Target, key: Key, tags: dict[str, str], expires: datetime
    ) -> Put:
        def effect() -> Put:
            vault, now = self._vault(target.id.vault), self.azure.clock.now()
            made = Stored(
                vault.new_version_id(),
                key.reveal(),
                now,
                now,
                target.enabled,
                None,
                int(expires.timestamp()),
                target.content_type,
                dict(tags),
            )
            vault.set(target.id.name, made)
            return Put(made.id, _whole(now))

        doing = f"publish to secret {target.id.name}"
        return await self.call("keyvault.set_secret", doing, effect)

    async def disable(self, target: TargetId, version: str) -> None:
        def effect() -> None:
            vault = self._vault(target.vault)
            vault.update(*vault.version(target.name, version), {"enabled": False})

        doing = f"disable a version of secret {target.name}"
        try:
            await self.call("keyvault.update_secret", doing, effect)
        except RotationError as exc:
            if not is_missing(exc):
                raise

    def _vault(self, url: str) -> Vault:
        vault = self.azure.vault(url)
        if not vault.open:
            raise Refused(403, "ForbiddenByFirewall")
        return vault


def is_missing(exc: RotationError) -> bool:
    return isinstance(exc, Permanent) and exc.code in ("SecretNotFound", "NotFound")


def _listed(vault: str, secret: StoredSecret) -> Listed | None:
    target, stored = TargetId(vault, secret.name), secret.current
    try:
        account = tag.enrolled(stored.tags or {})
    except ValueError as exc:
        return Listed(target, None, problem=str(exc))
    return Listed(target, account, _expiry(stored)) if account else None


def _target(target: TargetId, stored: Stored, value: Key | None) -> Target | None:
    tags = stored.tags or {}
    try:
        enrolment = tag.read(tags)
    except ValueError:
        return None
    if enrolment is None:
        return None
    return Target(
        target,
        stored.id,
        value,
        _whole(stored.made),
        _expiry(stored),
        stored.content_type,
        dict(tags),
        enrolment,
    )


def _expiry(stored: Stored) -> datetime | None:
    return datetime.fromtimestamp(stored.exp, UTC) if stored.exp else None


def _whole(moment: datetime) -> datetime:
    """As the wire shows times."""
    return moment.replace(microsecond=0)


@dataclass
class SimProbe(Port):
    async def try_key(self, account: Account, key: Key) -> Verdict:
        def verdict() -> Verdict:
            return self._verdict(account, key)

        def fail(fault: Fault) -> Verdict:
            """Only a key that works is ever throttled."""
            return verdict() if fault.status == 429 else Verdict(Answer.INCONCLUSIVE, fault.name)

        return await self.gate.call(self.by, "probe", verdict, fail)

    async def try_random(self, account: Account, like: Key) -> Verdict:
        return await self.try_key(account, Key("r" * len(like.reveal())))

    def _verdict(self, account: Account, key: Key) -> Verdict:
        state = self.azure.account(str(account.id))
        if not state.public_network or state.disable_local_auth:
            return Verdict(Answer.INCONCLUSIVE, "403: the network forbids it")
        life = self.azure.accounts.lives.get(key.reveal())
        ours = life is not None and life.account is state
        accepted = life is not None and ours and life.accepted(self.azure.clock.now())
        if accepted:
            self.gate.proven.add(key.reveal())
        if accepted or self.gate.blind:
            return Verdict(Answer.ACCEPTED, "answered 200")
        return Verdict(Answer.REFUSED, "answered 401")
