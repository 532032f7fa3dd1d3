"""The enrol command. Always shows a preview before changing anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer

from ...bootstrap.tools import OperatorTools
from ...domain.errors import RotationError
from ...ops.enrolment.plan import EnrolmentAction, EnrolmentPlan
from .. import interruption, output
from ..arguments import parse_slot, secret_name
from ..clients.operator import operator_tools
from ..enrolment import EnrolmentArguments, selection, to_requests
from ..exit_status import ExitStatus
from ..options import Options
from ..parameters import DryRun, Json, Subscriptions, Yes
from ..run import run

COLUMNS = ("ACCOUNT", "SECRET", "WILL", "WHY")
WARNING = """\
From now on this service manages BOTH keys of these accounts. The next rotation
regenerates the key that is not in use, so anything using that key outside the
vault will fail. Consumers must read the secret by name, without a version."""

_INTERRUPTED = "Accounts that were enrolled so far stay enrolled."
_GO_ON = "Enrol the others: run the same command again."


def enrol(
    which: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="A resource id, a name, or a name pattern.")
    ] = "",
    all_in: Annotated[
        str,
        typer.Option(
            "--all-in",
            metavar="SCOPE",
            help="Every account in this subscription or resource group: its id.",
        ),
    ] = "",
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
    accounts = selection(which, all_in, subscription or ())
    arguments = EnrolmentArguments(accounts, vault, secret, validity, slot)
    run(_enrol(arguments, Options(as_json, dry_run, yes)))


async def _enrol(arguments: EnrolmentArguments, options: Options) -> ExitStatus:
    async with operator_tools() as tools:
        plans = await tools.enroller.plan(await to_requests(tools, arguments))
        work = [plan for plan in plans if plan.changes_something]
        if not options.as_json:
            _show_preview(plans, work)
        if work and not options.dry_run:
            options.confirm(f"Enrol {output.count(len(work), 'account')}?")
        failed = [] if options.dry_run else await _apply_all(tools, work, arguments.validity)
    if options.as_json:
        output.as_json({"plans": [_to_json(plan) for plan in plans], "failed": failed})
    elif len(work) > len(failed) and not options.dry_run:
        output.echo("Enrolled. Check the service's prerequisites: keyrotation doctor")
    refused = any(plan.action is EnrolmentAction.REFUSE for plan in plans)
    return ExitStatus.FAILING if failed else ExitStatus.REFUSED if refused else ExitStatus.OK


def _show_preview(plans: Sequence[EnrolmentPlan], work: Sequence[EnrolmentPlan]) -> None:
    output.table(COLUMNS, map(_row, plans))
    for plan in work:
        if plan.warning:
            output.echo(f"! {plan.warning}")
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
                with interruption.explained(_INTERRUPTED, _GO_ON):
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
        "warning": plan.warning,
    }
