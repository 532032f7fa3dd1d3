"""Turns the arguments of enrol into enrolment requests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from ..bootstrap.tools import OperatorTools
from ..domain.account import Account
from ..domain.ids import AccountId, TargetId
from ..domain.keys import Slot
from ..ops.enrolment.plan import EnrolmentRequest
from .arguments import SecretArgument, vault_name
from .exit_status import CommandError, ExitStatus

_SCOPE = re.compile(
    r"(/subscriptions/)?(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"(?(1)(/resourcegroups/(?P<group>[\w().-]+))?)/?"
)


@dataclass(frozen=True)
class EnrolmentArguments:
    """The arguments of enrol."""

    accounts: AccountSelection
    vault: str
    secret: str
    validity: timedelta
    in_use: Slot | None


@dataclass(frozen=True)
class AccountSelection:
    """Accounts by id, name or pattern in ``name``, or all of a ``scope``.

    ``subscriptions`` are those to read, all visible ones if empty.
    """

    name: str
    scope: str
    subscriptions: Sequence[str]

    def __contains__(self, account: AccountId) -> bool:
        id_, name = str(account).lower(), self.name.lower()
        if self.scope:
            return id_.startswith(f"{self.scope}/")
        return name == id_ or fnmatchcase(account.name, name)

    def __str__(self) -> str:
        return self.scope or self.name


def selection(name: str, scope: str, subscriptions: Sequence[str]) -> AccountSelection:
    """Return the selection. Raises CommandError unless exactly one of name and scope is given."""
    if bool(name) == bool(scope):
        text = "Name the accounts: either by ACCOUNT, or by --all-in SCOPE."
        raise CommandError(ExitStatus.USAGE, text, "List them with: keyrotation discover")
    if not scope:
        return AccountSelection(name, "", subscriptions)
    match = _SCOPE.fullmatch(scope.lower())
    if not match:
        raise CommandError(
            ExitStatus.USAGE,
            f"{scope!r} is not a scope.",
            "Write a subscription's id, or /subscriptions/ID/resourceGroups/NAME.",
        )
    group = f"/resourcegroups/{match['group']}" if match["group"] else ""
    return AccountSelection("", f"/subscriptions/{match['id']}{group}", (match["id"],))


async def to_requests(
    tools: OperatorTools, arguments: EnrolmentArguments
) -> list[EnrolmentRequest]:
    """Return a request for each account. Raises CommandError if the arguments fit none."""
    vault = _choose_vault(tools.discovery.vaults.urls, arguments.vault)
    accounts = await _select_accounts(tools, arguments.accounts)
    if arguments.secret and len(accounts) > 1:
        text = f"{len(accounts)} accounts cannot share one --secret."
        raise CommandError(ExitStatus.USAGE, text, "Enrol them separately.")
    return [
        EnrolmentRequest(
            account,
            TargetId(vault, arguments.secret or f"{account.id.name.replace('.', '-')}-key"),
            arguments.validity,
            arguments.in_use,
            shared=bool(arguments.secret),
        )
        for account in accounts
    ]


def to_target(tools: OperatorTools, secret: SecretArgument) -> TargetId:
    """Return the target that an argument names. Raises CommandError for an unknown vault."""
    return TargetId(_choose_vault(tools.discovery.vaults.urls, secret.vault), secret.secret)


def _choose_vault(known: Sequence[str], wanted: str) -> str:
    found = [url for url in known if wanted in ("", url) or url.startswith(f"https://{wanted}.")]
    if len(found) == 1:
        return found[0]
    names = ", ".join(map(vault_name, known))
    problem = (
        "Several vaults are configured; choose one." if found else f"{wanted!r} is not configured."
    )
    raise CommandError(ExitStatus.USAGE, problem, f"Give --vault with one of: {names}")


async def _select_accounts(tools: OperatorTools, wanted: AccountSelection) -> list[Account]:
    """Return the accounts that are selected. Raises CommandError if there are none."""
    discovery = tools.discovery
    subscriptions = wanted.subscriptions or await discovery.resources.subscriptions()
    visible = [a for s in subscriptions for a in await discovery.accounts.list(s)]
    found = [account for account in visible if account.id in wanted]
    if not found:
        text = f"None of the {len(visible)} visible accounts matches {str(wanted)!r}."
        raise CommandError(ExitStatus.USAGE, text, "List them with: keyrotation discover")
    return found
