"""Turns the arguments of enrol into enrolment requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from ..bootstrap.tools import OperatorTools
from ..domain.account import Account
from ..domain.ids import TargetId
from ..domain.keys import Slot
from ..ops.enrolment.plan import EnrolmentRequest
from .arguments import vault_name
from .exit_status import CommandError, ExitStatus


@dataclass(frozen=True)
class EnrolmentArguments:
    """The arguments of enrol: ``which`` is an account's id, its name, or a pattern of names."""

    which: str
    subscriptions: Sequence[str]
    vault: str
    secret: str
    validity: timedelta
    in_use: Slot | None


async def to_requests(
    tools: OperatorTools, arguments: EnrolmentArguments
) -> list[EnrolmentRequest]:
    """Return a request for each account. Raises CommandError if the arguments fit none."""
    vault = _choose_vault(tools.discovery.vaults.urls, arguments.vault)
    accounts = await _select_accounts(tools, arguments)
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


def _choose_vault(known: Sequence[str], wanted: str) -> str:
    found = [url for url in known if wanted in ("", url) or url.startswith(f"https://{wanted}.")]
    if len(found) == 1:
        return found[0]
    names = ", ".join(map(vault_name, known))
    problem = (
        "Several vaults are configured; choose one." if found else f"{wanted!r} is not configured."
    )
    raise CommandError(ExitStatus.USAGE, problem, f"Give --vault with one of: {names}")


async def _select_accounts(tools: OperatorTools, arguments: EnrolmentArguments) -> list[Account]:
    """Return the accounts with this id or a matching name. Raises CommandError if none match."""
    discovery, wanted = tools.discovery, arguments.which.lower()
    subscriptions = arguments.subscriptions or await discovery.resources.subscriptions()
    visible = [a for s in subscriptions for a in await discovery.accounts.list(s)]
    found = [a for a in visible if wanted == str(a.id).lower() or fnmatchcase(a.id.name, wanted)]
    if not found:
        text = f"None of the {len(visible)} visible accounts matches {arguments.which!r}."
        raise CommandError(ExitStatus.USAGE, text, "List them with: keyrotation discover")
    return found
