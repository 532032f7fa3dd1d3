"""The calls of one account, in their order: a call that comes back is seen here.

A blank line of the story is a new visit. Probes: the first of a step tries a random key.
"""

from __future__ import annotations

from datetime import timedelta

from benchmarks.scenarios import Scene, scene
from rotation.domain.request import Leaked
from rotation.engine.resting import FULL
from rotation.service.requests import RotationRequest

ACCOUNT, SECRET, KEYS = "arm.get_account", "keyvault.get_secret", "arm.list_keys"
REGENERATE, PUBLISH, DISABLE = "arm.regenerate_key", "keyvault.set_secret", "keyvault.update_secret"
LIST, VERSIONS = "keyvault.list_secrets", "keyvault.list_versions"
PROBE, EVENT = "inference.openai_models", "eventgrid.publish"

READ = [ACCOUNT, SECRET, KEYS]
TWO, THREE, FOUR = [PROBE] * 2, [PROBE] * 3, [PROBE] * 4


def made(s: Scene) -> list[str]:
    """Return the calls to Azure since the last reading."""
    calls = [call.operation for call in s.azure.calls]
    s.meter.reset()
    return calls


async def test_the_calls_of_a_rotation_and_of_its_revocation() -> None:
    async with scene() as s:
        await s.rotate()
        assert made(s) == [
            *(LIST, *READ, *TWO, REGENERATE, *TWO),
            *(*READ, *TWO, PUBLISH, SECRET, EVENT),
        ]
        await s.revoke()
        assert made(s) == [
            *(*READ, LIST, *TWO, REGENERATE, *THREE),
            *(ACCOUNT, KEYS, VERSIONS, *THREE, SECRET, DISABLE, EVENT, EVENT),
        ]


async def test_a_sweep_of_an_account_at_rest_reads_its_secret_and_tries_its_key() -> None:
    async with scene() as s:
        await s.product.triggers.sweep()
        made(s)
        await s.idle(timedelta(minutes=30))
        assert made(s) == [LIST, SECRET, PROBE] * 2
        await s.idle(FULL)
        assert made(s).count(KEYS) == 1, "a full visit every six hours"


async def test_an_emergency_lists_the_keys_once_before_it_regenerates() -> None:
    async with scene() as s:
        await s.make_due()
        request = RotationRequest("a leak", "ana", account=s.product.account(), leaked=Leaked.KEY1)
        await s.product.service.commands.request(request)
        await s.product.run(timedelta(minutes=5))
        calls = made(s)
        until = calls.index(REGENERATE)
        assert calls[:until] == [KEYS, ACCOUNT, SECRET, *TWO, PUBLISH, SECRET, LIST]
        assert calls[until + 1 : until + 7] == [SECRET, KEYS, *FOUR]
