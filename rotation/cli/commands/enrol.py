"""The enrol command. Always shows a preview before changing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any

import typer

from ...bootstrap.tools import OperatorTools
from ...domain.account import Account
from ...domain.errors import RotationError
from ...domain.ids import TargetId
from ...domain.keys import Slot
from ...ops.enrolment.plan import EnrolmentAction, EnrolmentPlan, EnrolmentRequest
from .. import output
from ..arguments import parse_slot, secret_name, vault_name
from ..clients.operator import operator_tools
from ..exit_status import CommandError, ExitStatus
from ..options import Options
from ..parameters import DryRun, Json, Subscriptions, Yes
from ..run import run

COLUMNS = ("ACCOUNT", "SECRET", "WILL", "WHY")
WARNING = """\
From now on this service manages BOTH keys of these accounts. The next rotation
regenerates the key that is not in use, so anything using that key outside the
vault will fail. Consumers must read the secret by name, without a version."""


def enrol(
    which: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="A resource id, a name, or a name pattern.")
    ],
    in_use: Annotated[str, typer.Option(help="The key that consumers use now: key1 or key2.")] = "",
    vault: Annotated[
        str, typer.Option("--vault", help="The vault that will hold the secret.")
    ] = "",
    secret: Annotated[
        str, typer.Option(help="The secret's name.", show_default="ACCOUNT-key")
    ] = "",
    validity_days: Annotated[
        int, typer.Option(help="For how many days a key is valid.", min=1)
    ] = 90,
    subscription: Subscriptions = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Enrol accounts: create or tag a secret for the key in use (uses your own credentials)."""
    validity, slot = timedelta(days=validity_days), parse_slot(in_use)
    selected = _Selection(which, subscription or (), vault, secret, validity, slot)
    run(_enrol(selected, Options(as_json, dry_run, yes)))


@dataclass(frozen=True)
class _Selection:
    """The accounts to enrol: ``which`` is an account's id, its name, or a pattern of names."""

    which: str
    subscriptions: Sequence[str]
    vault: str
    secret: str
    validity: timedelta
    in_use: Slot | None


async def _enrol(selected: _Selection, options: Options) -> ExitStatus:
    async with operator_tools() as tools:
        plans = await tools.enroller.plan(await _requests(tools, selected))
        work = [plan for plan in plans if plan.changes_something]
        if not options.as_json:
            _show_preview(plans, work)
        if work and not options.dry_run:
            options.confirm(f"Enrol {output.count(len(work), 'account')}?")
        failed = [] if options.dry_run else await _apply_all(tools, work, selected.validity)
    if options.as_json:
        output.as_json({"plans": [_to_json(plan) for plan in plans], "failed": failed})
    elif len(work) > len(failed) and not options.dry_run:
        output.echo("Enrolled. Check the service's prerequisites: python -m rotation doctor")
    refused = any(plan.action is EnrolmentAction.REFUSE for plan in plans)
    return ExitStatus.FAILING if failed else ExitStatus.REFUSED if refused else ExitStatus.OK


async def _requests(tools: OperatorTools, selected: _Selection) -> list[EnrolmentRequest]:
    vault = _choose_vault(tools.discovery.vaults.urls, selected.vault)
    accounts = await _select_accounts(tools, selected)
    if selected.secret and len(accounts) > 1:
        text = f"{len(accounts)} accounts cannot share one --secret."
        raise CommandError(ExitStatus.USAGE, text, "Enrol them separately.")
    return [
        EnrolmentRequest(
            account,
            TargetId(vault, selected.secret or f"{account.id.name.replace('.', '-')}-key"),
            selected.validity,
            selected.in_use,
            shared=bool(selected.secret),
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


async def _select_accounts(tools: OperatorTools, selected: _Selection) -> list[Account]:
    """Return the accounts with this id or a matching name. Raises CommandError if none match."""
    discovery, wanted = tools.discovery, selected.which.lower()
    subscriptions = selected.subscriptions or await discovery.resources.subscriptions()
    visible = [a for s in subscriptions for a in await discovery.accounts.readable(s)]
    found = [a for a in visible if wanted == str(a.id).lower() or fnmatchcase(a.id.name, wanted)]
    if not found:
        text = f"None of the {len(visible)} visible accounts matches {selected.which!r}."
        raise CommandError(ExitStatus.USAGE, text, "List them with: python -m rotation discover")
    return found


def _show_preview(plans: Sequence[EnrolmentPlan], work: Sequence[EnrolmentPlan]) -> None:
    output.table(COLUMNS, map(_row, plans))
    if work:
        output.echo(WARNING)


def _row(plan: EnrolmentPlan) -> tuple[str, ...]:
    secret = secret_name(plan.target.vault, plan.target.name)
    return plan.account.name, secret, plan.action, plan.why


async def _apply_all(
    tools: OperatorTools, work: Sequence[EnrolmentPlan], validity: timedelta
) -> list[str]:
    """Apply the plans in turn, each regardless of the others' failures. Return the failures."""
    failed = []
    with output.progress("accounts") as advance:
        for number, plan in enumerate(work, 1):
            try:
                await tools.enroller.apply(plan, validity)
            except RotationError as exc:
                failed.append(f"{plan.account.name}: {exc}")
                output.error(f"{plan.account.name}: {exc.advice}")
            advance(number, len(work))
    return failed


def _to_json(plan: EnrolmentPlan) -> dict[str, Any]:
    return {
        "account": str(plan.account),
        "secret": str(plan.target),
        "will": plan.action.value,
        "why": plan.why,
        "inUse": plan.slot,
    }
