"""Runs every check and collects the findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...domain import tags
from ...domain.ids import AccountId
from ...domain.permissions import VaultInfo
from ...domain.policy import Policy, settings_remarks
from ...domain.targets import ListedSecret
from ...engine.bindings import BindingRegistry
from ...engine.journal import Journal
from ...ports import Accounts, Resources, Vaults
from ...runtime.clock import Clock
from ...runtime.concurrency import gather_until
from ..pace import Pace
from ..proof import Prover
from ..survey import visible_vaults
from .accounts import AccountChecks
from .apps import check_apps
from .bindings import check_bindings
from .cloud import check_cloud
from .findings import CheckState, Finding, attempt
from .vaults import VaultChecks

CONCURRENCY = 8

PART_SECONDS = 25  # then no further account is begun: a client waits for the reply


@dataclass(frozen=True)
class Examination:
    """The findings of one part: ``checked`` accounts of ``total`` are done by now."""

    findings: list[Finding]
    checked: int
    total: int

    @property
    def rest(self) -> list[Finding]:
        """The finding that accounts are left to the next part, if any are."""
        left = self.total - self.checked
        if not left:
            return []
        detail = f"{left} more accounts were not checked"
        return [Finding("account", "", CheckState.UNKNOWN, detail)]


@dataclass
class Doctor:
    """Checks as the service's own identity, or as an operator who acts directly.

    The accounts are checked in parts, at the rate of ``pace``.
    """

    resources: Resources
    accounts: Accounts
    vaults: Vaults
    journal: Journal
    clock: Clock
    policy: Policy
    bindings: BindingRegistry
    prover: Prover
    pace: Pace

    async def examine(self, done: int = 0) -> Examination:
        """Run all checks, each regardless of the others' failures.

        ``done`` is ``checked`` of the part before; later parts have only checks of accounts.
        """
        object_id, identity = await self._identity()
        secrets: list[ListedSecret] = []
        vaults = [await self._list_secrets(vault, secrets) for vault in self.vaults.urls]
        managed = sorted({s.account for s in secrets if s.account})
        part = await self._accounts(object_id, managed[done:])
        findings = [finding for found in part for finding in found]
        if not done:
            first = [identity, *await self._service(object_id, vaults, secrets)]
            findings = [*first, *findings, *settings_findings(self.policy), self._clock()]
        return Examination(findings, min(done, len(managed)) + len(part), len(managed))

    async def _service(
        self, object_id: str, vaults: list[Finding], secrets: list[ListedSecret]
    ) -> list[Finding]:
        """Return the findings about the service, its vaults and their secrets."""
        cloud = check_cloud(self.prover.cloud, self.vaults.urls)
        findings = [cloud, await self._journal(), *vaults]
        subscriptions = sorted({s.account.subscription for s in secrets if s.account})
        visible = await visible_vaults(self.resources, subscriptions)
        findings.append(await check_bindings(self.bindings, secrets, visible))
        findings += await self._vaults(object_id, secrets, visible)
        findings += await check_apps(self.resources, object_id, self.policy.consumers)
        return findings + [finding for secret in secrets for finding in _tag_problems(secret)]

    async def _identity(self) -> tuple[str, Finding]:
        """Return the caller's object id, or a placeholder for commands, and the finding."""
        object_id = "OBJECT_ID"

        async def read() -> str:
            nonlocal object_id
            caller = await self.resources.whoami()
            object_id = caller.object_id
            return f"{caller.name} (object id {caller.object_id})"

        finding = await attempt("identity", "", read)
        return object_id, finding

    async def _journal(self) -> Finding:
        async def read() -> str:
            last = await self.journal.last_sweep()
            return "readable" if last else "readable; no sweep has run yet"

        return await attempt("journal", "", read)

    async def _list_secrets(self, vault: str, secrets: list[ListedSecret]) -> Finding:
        async def read() -> str:
            found = [s async for s in self.vaults.list_secrets(vault) if s.is_enrolled]
            secrets.extend(found)
            return f"enrolled secrets: {len(found)}"

        return await attempt("vault", vault, read)

    async def _vaults(
        self, object_id: str, secrets: Sequence[ListedSecret], visible: Mapping[str, VaultInfo]
    ) -> list[Finding]:
        checks = VaultChecks(self.resources, object_id)
        findings: list[Finding] = []
        for url in self.vaults.urls:
            enrolled = [secret for secret in secrets if secret.target.vault == url]
            findings += [f async for f in checks.run(url, visible.get(url), enrolled)]
        return findings

    async def _accounts(self, object_id: str, accounts: Iterable[AccountId]) -> list[list[Finding]]:
        """Return the findings of each account that was checked before the part ended."""
        checks = AccountChecks(self.resources, self.accounts, self.prover, object_id, self.pace)
        end = self.pace.now() + PART_SECONDS
        return await gather_until(accounts, checks.run, CONCURRENCY, lambda: self.pace.now() >= end)

    def _clock(self) -> Finding:
        difference = f"{int(self.clock.skew.total_seconds())} s from Azure's clock"
        if abs(self.clock.skew) <= self.policy.max_skew:
            return Finding("clock", "", CheckState.OK, difference)
        detail = f"{difference}, so keys are not regenerated"
        return Finding("clock", "", CheckState.FAILED, detail, "Set the clock: enable NTP.")


def settings_findings(policy: Policy) -> list[Finding]:
    """Return the settings that count as another value."""
    return [
        Finding("settings", "", CheckState.WARNING, remark, "Correct the setting.")
        for remark in settings_remarks(policy)
    ]


def _tag_problems(secret: ListedSecret) -> list[Finding]:
    enrolment = tags.read(secret.tags) if secret.account else None
    problems = enrolment.problems if enrolment else (secret.problem,)
    subject = str(secret.target)
    return [
        Finding("secret", subject, CheckState.FAILED, problem, "Correct its tags.")
        for problem in problems
    ]
