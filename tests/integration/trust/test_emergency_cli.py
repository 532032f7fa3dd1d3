"""The command line says NOT REVOKED at once, with the reason, the remedy and an exit status."""

from __future__ import annotations

from typing import Any

import pytest

from rotation.cli.batch import follow_batch, show_batch
from rotation.cli.clients.protocol import ApiRequest
from rotation.cli.exit_status import ExitStatus
from rotation.cli.progress import TextReport, follow
from tests.integration.wire.product import Product

from .leaking import MINUTE, RESPONDER, every, report, send, stuck


class InProcess:
    """A client of the service in this process. A poll takes a second of the emulated Azure."""

    def __init__(self, p: Product) -> None:
        self.p, self.polls = p, 0

    async def send(self, request: ApiRequest) -> tuple[int, str]:
        self.polls += 1
        await self.p.run(MINUTE / 60)
        _, _, rotation = request.path.partition("/")
        name = "get_rotation" if rotation else "list_rotations"
        answer = await send(self.p, "GET", name, RESPONDER, query=request.query, id=rotation)
        return answer.status, str(answer.body)

    async def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rotation.cli.progress.POLL_SECONDS", 0)


@pytest.mark.parametrize(("until_end", "polls"), [(False, 20), (True, 70)])
async def test_one_emergency(p: Product, capsys: Any, until_end: bool, polls: int) -> None:
    client = InProcess(p)
    status = await follow(client, await stuck(p), TextReport(), until_end=until_end)
    err = capsys.readouterr().err
    assert status is ExitStatus.FAILING
    assert client.polls < polls, "a poll takes a second"
    assert err.count("NOT REVOKED: key authentication is disabled") == 1
    assert "→ enable it" in err


async def test_it_is_said_when_it_is_seen_although_it_is_followed_until_the_end(
    p: Product, capsys: Any
) -> None:
    azure = p.azure
    azure.account("aoai-demo").old_key_lag = 8 * MINUTE / 60
    client = InProcess(p)
    status = await follow(client, await report(p), TextReport(), until_end=True)
    shown = capsys.readouterr()
    assert "NOT REVOKED: the leaked key is not refused yet" in shown.err
    assert "Done:" in shown.out
    assert status is ExitStatus.OK, "it is revoked in the end"


async def test_a_batch(p: Product, capsys: Any) -> None:
    p.azure.account("aoai-demo").disable_local_auth = True
    accepted = await every(p)
    client = InProcess(p)
    result = await follow_batch(client, accepted["batch"], 2)
    err = capsys.readouterr().err
    assert result.status is ExitStatus.FAILING
    assert client.polls < 60
    assert result.states == {"waiting": 1, "ended": 1}
    assert err.count("aoai-demo: NOT REVOKED: key authentication is disabled") == 1
    assert "→ enable it" in err
    assert [one["account"].split("/")[-1] for one in result.not_revoked] == ["aoai-demo"]

    show_batch(accepted, result)
    shown = capsys.readouterr().out
    assert "aoai-demo: waiting" in shown, "the account that it still waits for"
    assert "1 ended, 1 waiting" in shown


async def test_a_batch_whose_keys_are_all_refused(p: Product, capsys: Any) -> None:
    accepted = await every(p)
    result = await follow_batch(InProcess(p), accepted["batch"], 2)
    assert result.status is ExitStatus.OK
    assert not result.not_revoked
    assert "NOT REVOKED" not in capsys.readouterr().err


async def test_a_batch_with_a_key_that_is_not_proven_needs_attention(p: Product) -> None:
    azure = p.azure
    accepted = await every(p, leaked="key2")
    azure.regenerate_by_hand("aoai-demo", "Key2")
    await p.run(20 * MINUTE)
    result = await follow_batch(InProcess(p), accepted["batch"], 2)
    assert result.status is ExitStatus.ATTENTION
