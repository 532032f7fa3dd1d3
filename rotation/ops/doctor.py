"""Is everything there that a rotation needs? Asked before the first call that cannot be undone.

Azure's permissions API and harmless reads only; each finding names the command that mends it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..domain import permissions as rights
from ..domain import tags
from ..domain.errors import Permanent, RotationError
from ..domain.events import NEAR_EXPIRY
from ..domain.model import AccountId
from ..domain.policy import Policy
from ..engine.journal import Journal
from ..ports import Accounts, Listed, Resources, SeenVault, Vaults
from ..runtime.clock import Clock
from ..runtime.concurrency import together
from .survey import seen_vaults

AT_ONCE = 8

MAX_ACCOUNTS = 100


class State(StrEnum):
    """``UNKNOWN``: it could not be asked, which is no fault by itself."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One check of one thing; ``fix`` is what to do, a command where there is one."""

    check: str
    subject: str
    state: State
    detail: str = ""
    fix: str = ""


@dataclass
class Doctor:
    """Looks with the service's own identity, or with that of an operator who acts directly."""

    resources: Resources
    accounts: Accounts
    vaults: Vaults
    journal: Journal
    clock: Clock
    policy: Policy
    _object_id: str = "OBJECT_ID"

    async def examine(self) -> list[Finding]:
        """Every finding; no check that fails keeps another from being made."""
        findings = [await self._identity(), await self._journal()]
        listed: list[Listed] = []
        for vault in self.vaults.urls:
            findings.append(await self._listing(vault, listed))
        subscriptions = sorted({s.account.subscription for s in listed if s.account})
        seen = await seen_vaults(self.resources, subscriptions)
        for vault in self.vaults.urls:
            findings += [found async for found in self._vault(vault, seen.get(vault), listed)]
        findings += [finding for secret in listed for finding in self._secret(secret)]
        managed = sorted({s.account for s in listed if s.account})
        looked = await together((self._account(a) for a in managed[:MAX_ACCOUNTS]), AT_ONCE)
        findings += [finding for found in looked for finding in found]
        if len(managed) > MAX_ACCOUNTS:
            rest = f"{len(managed) - MAX_ACCOUNTS} more accounts were not looked at"
            findings.append(Finding("account", "", State.UNKNOWN, rest))
        findings.append(self._clock())
        return findings

    async def _identity(self) -> Finding:
        async def ask() -> str:
            who = await self.resources.whoami()
            self._object_id = who.object_id
            return f"{who.name} (object id {who.object_id})"

        return await _tried("identity", "", ask)

    async def _journal(self) -> Finding:
        async def read() -> str:
            last = await self.journal.last_sweep()
            return "readable" if last else "readable; no sweep has run yet"

        return await _tried("journal", "", read)

    async def _listing(self, vault: str, listed: list[Listed]) -> Finding:
        async def read() -> str:
            found = [secret async for secret in self.vaults.enrolled(vault)]
            listed.extend(found)
            return f"{len(found)} enrolled secrets"

        return await _tried("vault", vault, read)

    async def _vault(
        self, url: str, seen: SeenVault | None, listed: list[Listed]
    ) -> AsyncIterator[Finding]:
        if seen is None:
            detail = "Resource Manager does not show this vault, so its rights cannot be asked"
            yield Finding("vault rights", url, State.UNKNOWN, detail, _reader("the vault"))
            return
        yield await self._vault_rights(url, seen)
        yield await self._events(url, seen.id)
        yield await self._validity(url, seen.id, [s for s in listed if s.target.vault == url])

    async def _vault_rights(self, url: str, seen: SeenVault) -> Finding:
        if not seen.by_roles:
            detail = "access policies rule it: get, list and set on secrets are needed"
            return Finding("vault rights", url, State.UNKNOWN, detail)
        grant = self._grant("Secret publisher", seen.id)
        return await self._rights("vault rights", url, seen.id, rights.ON_VAULT, grant, data=True)

    def _grant(self, role: str, scope: str) -> str:
        """Custom roles are named with the subscription that they are defined in (infra/)."""
        full = f"{role} ({scope.split('/')[2]})"
        return (
            f'az role assignment create --assignee {self._object_id} --role "{full}" '
            f"--scope {scope}"
        )

    async def _rights(
        self, check: str, subject: str, scope: str, wanted: Iterable[str], fix: str, *, data: bool
    ) -> Finding:
        async def ask() -> str:
            lacking = rights.missing(await self.resources.grants(scope), wanted, data=data)
            if lacking:
                message = "not allowed: " + ", ".join(lacking)
                raise Permanent(message, code="NotAllowed", remedy=fix)
            return "all that is needed"

        return await _tried(check, subject, ask)

    async def _events(self, url: str, scope: str) -> Finding:
        fix = (
            "azd provision, with the vault in ROTATION_VAULT_IDS (docs/deploy.md); or by hand: "
            "az eventgrid event-subscription create --name key-rotation "
            f"--source-resource-id {scope} --included-event-types {NEAR_EXPIRY} "
            "--endpoint-type azurefunction --endpoint <the function app's id>"
            "/functions/secret_expiring"
        )
        try:
            taken = await self.resources.event_types(scope)
        except RotationError as exc:
            return Finding("events", url, State.UNKNOWN, str(exc), _reader("the vault"))
        if any(not types or NEAR_EXPIRY in types for types in taken):
            return Finding("events", url, State.OK, "SecretNearExpiry is subscribed to")
        detail = "nobody is told of SecretNearExpiry; the sweep alone rotates in time"
        return Finding("events", url, State.WARNING, detail, fix)

    async def _validity(self, url: str, scope: str, listed: list[Listed]) -> Finding:
        try:
            limit = await self.resources.longest_validity(scope)
        except RotationError as exc:
            return Finding("policy", url, State.UNKNOWN, str(exc), _reader("the vault"))
        if limit is None:
            return Finding("policy", url, State.OK, "no policy limits how long a secret is valid")
        late = [s.target.name for s in listed if _validity(s) > limit]
        if not late:
            return Finding("policy", url, State.OK, f"at most {limit} days, which all keep")
        detail = f"Azure Policy denies more than {limit} days: {', '.join(late)} would not publish"
        fix = f"set ValidityPeriodDays to at most {limit}"
        return Finding("policy", url, State.FAILED, detail, fix)

    def _secret(self, listed: Listed) -> list[Finding]:
        enrolment = tags.read(listed.tags) if listed.account else None
        problems = enrolment.problems if enrolment else (listed.problem,)
        name = str(listed.target)
        return [Finding("secret", name, State.FAILED, p, "correct its tags") for p in problems]

    async def _account(self, account: AccountId) -> list[Finding]:
        name = str(account)
        fix = self._grant("Key rotator", name)
        may = await self._rights("account rights", name, name, rights.ON_ACCOUNT, fix, data=False)

        async def read() -> str:
            found = await self.accounts.get(account)
            if found.local_auth_disabled:
                raise Permanent(
                    "key authentication is switched off",
                    code="LocalAuthDisabled",
                    remedy=f"az resource update --ids {name} "
                    "--set properties.disableLocalAuth=false; or remove the secret's tags",
                )
            await self.accounts.keys(account)
            return f"{found.kind}; both keys can be read"

        return [may, await _tried("account", name, read)]

    def _clock(self) -> Finding:
        seconds = int(self.clock.skew.total_seconds())
        if abs(self.clock.skew) <= self.policy.max_skew:
            return Finding("clock", "", State.OK, f"{seconds} s from Azure's")
        detail = f"{seconds} s from Azure's; a regenerate is refused"
        return Finding("clock", "", State.FAILED, detail, "set the clock: enable NTP")


async def _tried(check: str, subject: str, read: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(check, subject, State.OK, await read())
    except Permanent as exc:
        return Finding(check, subject, State.FAILED, str(exc), exc.remedy)
    except RotationError as exc:
        return Finding(check, subject, State.FAILED, str(exc), "try again")


def _validity(listed: Listed) -> int:
    enrolment = tags.read(listed.tags) if listed.account else None
    return enrolment.validity.days if enrolment and enrolment.validity else 0


def _reader(what: str) -> str:
    return f"to check it, grant Reader on {what} and ask again"


def shown(findings: Iterable[Finding]) -> dict[str, Any]:
    """The body of ``GET /api/doctor``; the worst finding is the verdict."""
    found = list(findings)
    worst = max((f.state for f in found), key=list(State).index)
    return {"verdict": worst, "findings": [vars(f) for f in found]}
