"""The unenrol command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...domain.errors import Permanent
from ...ops.enrolment.leaving import LeavingPlan
from .. import interruption, output
from ..arguments import SecretArgument
from ..clients.operator import operator_tools
from ..enrolment import to_target
from ..exit_status import CommandError, ExitStatus
from ..options import Options
from ..parameters import DryRun, Json, Secret, Yes
from ..run import run

_AGAIN = "Run the same command again."


def unenrol(
    secret: Secret, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Stop managing a secret; both keys stay (uses your own credentials)."""
    run(_unenrol(SecretArgument.parse(secret), Options(as_json, dry_run, yes)))


async def _unenrol(secret: SecretArgument, options: Options) -> ExitStatus:
    async with operator_tools() as tools:
        with interruption.explained("Nothing was changed."), _refusals():
            plan = await tools.unenroller.plan(to_target(tools, secret))
        if not options.as_json:
            output.echo(f"{secret} leaves the rotation:")
            output.steps(plan.effects)
        if not options.dry_run:
            options.confirm("Proceed?")
            with interruption.explained("It may have been done.", _AGAIN), _refusals():
                await tools.unenroller.apply(plan)
    if options.as_json:
        output.as_json(_to_json(plan, is_done=not options.dry_run))
    elif not options.dry_run:
        output.echo(f"{secret} is no longer enrolled.")
    return ExitStatus.OK


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise CommandError for an error that only a person can put right."""
    try:
        yield
    except Permanent as exc:
        raise CommandError(ExitStatus.REFUSED, str(exc), exc.remedy) from None


def _to_json(plan: LeavingPlan, *, is_done: bool) -> dict[str, Any]:
    return {
        "account": str(plan.account),
        "secret": str(plan.target),
        "others": [str(other) for other in plan.others],
        "atOnce": plan.at_once,
        "effects": plan.effects,
        "done": is_done,
    }
