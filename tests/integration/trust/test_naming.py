"""A person who names a secret with ``enrol`` lifts what is withheld from it; pausing members."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from emulator.azure import Azure
from rotation.domain.account import Account
from rotation.domain.emergency import Verdict
from rotation.domain.ids import TargetId
from rotation.ops.enrolment.enroller import Enroller
from rotation.ops.enrolment.plan import EnrolmentAction, EnrolmentRequest
from tests.integration.wire.product import Product

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags, values
from .leaking import MINUTE, OPERATOR, latest, leaked_of, minutes, report, send, the, works

LATE = TargetId(f"https://{NEIGHBOURS}.vault.azure.net", "late")


def broad(azure: Azure) -> dict[str, str]:
    """Both vaults bound to the accounts' group, so that entries name neither side."""
    group = azure.account("aoai-demo").id.partition("/providers/")[0]
    return {"ROTATION_BINDINGS": f"{OWNERS}={group},{NEIGHBOURS}={group}"}


async def enrol(p: Product, *, name_it: bool = True) -> EnrolmentAction:
    commands, inventory = p.service.commands, p.service.queries.inventory
    enroller = Enroller(
        commands.acceptance.accounts,
        commands.vaults,
        p.triggers.clock,
        inventory.bindings,
        p.service.doctor.prover,
        p.triggers.journal,
    )
    account = Account(p.account(), "OpenAI", "https://aoai-demo.openai.azure.com")
    (plan,) = await enroller.plan([EnrolmentRequest(account, LATE, 90 * DAY, shared=name_it)])
    await enroller.apply(plan, 90 * DAY)
    return plan.action


async def withheld(p: Product) -> str:
    """An emergency of whose new key a secret that was admitted an hour ago gets nothing."""
    await live(p, 2 * DAY)
    put(p.azure, "late", leaked_of(p.azure), tags(p.azure, "aoai-demo"))
    await live(p, timedelta(hours=1))
    asked = await report(p, overlap=timedelta(hours=1))
    await p.run(5 * MINUTE)
    assert len(values(p.azure, NEIGHBOURS, "late")) == 1
    return asked


async def test_naming_it_lifts_the_withholding_while_the_emergency_is_open(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path, **broad(azure)) as p:
        asked = await withheld(p)
        action = await enrol(p)
        await minutes(p, 3)
        assert (await the(p, asked)).is_open
        assert latest(azure, "late", NEIGHBOURS) == latest(azure)
        await minutes(p, 90)
        assert (await the(p, asked)).verdict is Verdict.REFUSED
        again = await enrol(p)
    assert (action, again) == (EnrolmentAction.ADMIT, EnrolmentAction.NOTHING)
    assert works(azure, latest(azure, "late", NEIGHBOURS))


async def test_naming_it_lifts_the_withholding_after_the_emergency(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path, **broad(azure)) as p:
        asked = await withheld(p)
        await p.run(timedelta(hours=2))
        assert (await the(p, asked)).verdict is Verdict.REFUSED
        await live(p, DAY)
        assert len(values(azure, NEIGHBOURS, "late")) == 1
        await enrol(p)
        await live(p, DAY)
    assert latest(azure, "late", NEIGHBOURS) == latest(azure)


async def test_only_naming_the_secret_lifts_it(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path, **broad(azure)) as p:
        await withheld(p)
        action = await enrol(p, name_it=False)
        await live(p, DAY)
    assert action is EnrolmentAction.NOTHING
    assert len(values(azure, NEIGHBOURS, "late")) == 1


async def hold(p: Product, what: str, secret: str = "aoai-demo-key") -> int:
    body = {"reason": "holidays"}
    answer = await send(
        p, "POST", "hold_secret", OPERATOR, body, vault=OWNERS, secret=secret, hold=what
    )
    if answer.status == 404:
        assert json.loads(answer.body)["code"] == "NotEnrolled"
    return answer.status


async def test_a_member_whose_latest_version_has_no_tags_is_paused_and_unpaused(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path) as p:
        await live(p, DAY)
        value = latest(azure)
        put(azure, "aoai-demo-key", value, {}, OWNERS)
        assert await hold(p, "pause") == 200
        await live(p, 100 * DAY, every=DAY / 2)
        assert latest(azure) == value, "paused"
        assert await hold(p, "resume") == 200
        await live(p, 10 * DAY, every=DAY / 2)
        assert latest(azure) != value, "no longer paused"


async def test_a_secret_that_nobody_enrolled_cannot_be_paused(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    put(azure, "password", "hunter2", {}, OWNERS)
    async with serving(azure, tmp_path) as p:
        await live(p, DAY)
        assert await hold(p, "pause", "password") == 404
        assert await hold(p, "pause", "absent") == 404
    assert not azure.secret(OWNERS, "password").current.tags
