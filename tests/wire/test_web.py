"""The HTTP API on the whole product: what it answers, and that no answer holds a key."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.azure import Azure
from emulator.faults import Fault
from rotation import web

from .product import Product, playground, product


class Api:
    """Calls the API and keeps every answer in a file, which is searched for keys afterwards."""

    def __init__(self, product: Product, file: Path) -> None:
        self.product, self._file = product, file

    def _kept(self, answer: web.Answer) -> tuple[int, Any]:
        with self._file.open("a") as file:
            file.write(f"{answer.status} {dict(answer.headers)} {answer.body}\n")
        return answer.status, json.loads(answer.body)

    async def post(self, *, key: str = "", **fields: Any) -> tuple[int, Any]:
        body, headers = json.dumps(fields).encode(), {"Idempotency-Key": key} if key else {}
        return self._kept(await web.request(self.product.triggers, body, headers))

    async def get(self, operation: str) -> tuple[int, Any]:
        return self._kept(await web.status(self.product.triggers, operation))

    async def answer(self, operation: str, what: str, **fields: Any) -> tuple[int, Any]:
        body = json.dumps(fields).encode()
        return self._kept(await web.answer(self.product.triggers, operation, what, body))


@pytest.fixture
def azure() -> Azure:
    return playground()


@pytest.fixture
async def api(azure: Azure, tmp_path: Path) -> AsyncIterator[Api]:
    async with product(azure, str(tmp_path / "journal"), ROTATION_PATIENCE="PT10M") as p:
        yield Api(p, tmp_path / "answers.txt")


SECRET = {"vault": "kv-demo", "secret": "ai-key"}


async def test_a_request_is_accepted_followed_and_ends(azure: Azure, api: Api) -> None:
    leaked = azure.secret("kv-demo", "ai-key").current.value
    status, accepted = await api.post(**SECRET, leaked="key1", reason="in a chat")
    assert status == 202
    status, waiting = await api.get(accepted["id"])
    assert (status, waiting["state"]) == (200, "waiting")
    await api.product.run(timedelta(minutes=10))
    _, ended = await api.get(accepted["id"])
    assert ended["state"] == "ended"
    assert ended["outcome"] == "the old key is refused"
    assert ended["purpose"] == "emergency"
    assert ended["audit"][-1]["what"].startswith("ended")
    assert azure.accounts.accepted(leaked) is None


async def test_a_running_rotation_says_what_it_waits_for_and_until_when(api: Api) -> None:
    _, accepted = await api.post(account=str(api.product.account()), reason="by account")
    await api.product.run(timedelta(minutes=10))
    _, running = await api.get(accepted["id"])
    assert (running["state"], running["phase"]) == ("running", "overlap")
    assert "consumers still move" in running["waitingFor"]
    assert running["waitingUntil"] > running["startedAt"]


async def test_an_idempotency_key_makes_a_repeat_the_same_operation(api: Api) -> None:
    _, first = await api.post(key="k-1", **SECRET, leaked="unknown", reason="r")
    await api.product.run(timedelta(minutes=1))
    _, again = await api.post(key="k-1", **SECRET, leaked="unknown", reason="r")
    assert first["id"] == again["id"]


async def test_what_is_wrong_is_said_as_problem_details(api: Api) -> None:
    status, problem = await api.post(**SECRET)
    assert (status, problem["status"]) == (400, 400)
    assert "reason" in problem["detail"]
    status, problem = await api.post(vault="kv-demo", secret="nothing", reason="r")
    assert status == 404
    assert "ProviderAddress" in problem["detail"]
    for unknown in ("x", "0123456789abcdef-12", "../../etc", "0123456789abcdef-", ""):
        status, _ = await api.get(unknown)
        assert status == 404


async def test_a_blocked_operation_is_resumed_or_abandoned(azure: Azure, api: Api) -> None:
    azure.account("aoai-demo").new_key_delay = timedelta(minutes=45)
    _, accepted = await api.post(**SECRET, reason="r")
    await api.product.run(timedelta(minutes=30))
    _, blocked = await api.get(accepted["id"])
    assert blocked["state"] == "blocked"
    assert blocked["trouble"]["code"] == "new-key-not-proven"
    assert "resume or abandon" in blocked["trouble"]["remedy"]
    assert (await api.answer(accepted["id"], "resume"))[0] == 400
    assert (await api.answer(accepted["id"], "explode", reason="r"))[0] == 404
    azure.advance(timedelta(minutes=30))
    status, _ = await api.answer(accepted["id"], "resume", reason="it works now")
    assert status == 202
    await api.product.run(timedelta(minutes=10))
    _, resumed = await api.get(accepted["id"])
    assert (resumed["state"], resumed["phase"]) == ("running", "overlap")
    status, _ = await api.answer(accepted["id"], "abandon", reason="changed my mind")
    assert status == 202
    await api.product.run(timedelta(minutes=1))
    _, ended = await api.get(accepted["id"])
    assert ended["outcome"] == "abandoned by function key: changed my mind"
    assert len(azure.account("aoai-demo").history) == 2, "both keys are left as they are"


async def test_a_service_that_fails_is_a_503_that_says_try_again(azure: Azure, api: Api) -> None:
    azure.faults.add(Fault("answer", "keyvault.get_secret", status=500))
    status, problem = await api.post(**SECRET, reason="r")
    assert status == 503
    assert problem["title"] == "Try again"


async def test_requests_that_pile_up_are_refused_before_the_record_grows(api: Api) -> None:
    for _ in range(20):
        assert (await api.post(**SECRET, reason="again"))[0] == 202
    status, problem = await api.post(**SECRET, reason="again")
    assert (status, problem["code"]) == (409, "TooManyRequests")
    await api.product.run(timedelta(minutes=5))
    assert (await api.product.record()).wishes == ()
    assert len(api.product.azure.account("aoai-demo").history) == 2, "all were one rotation"
