"""Consumers are asked which key they use; those that do not confirm it are named."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from rotation.decisions.facts import Facts
from rotation.domain.consumers import Consumer, Consumers, parse
from rotation.domain.errors import Transient
from rotation.domain.policy import Policy
from rotation.domain.targets import Enrolment
from rotation.engine.consumers import ConsumerChecks
from tests.unit.decisions.account import ACCOUNT, KEYS, facts, rotation, target

NAMES = ("current", "behind", "down", "broken")
SITES = ",".join(f"{name}@kv=https://{name}.example/" for name in NAMES)
FOUND = parse(SITES, ("https://kv",))
SILENT = Consumer("silent", FOUND.all[0].place, resource="/subscriptions/s/x")


class Apps:
    """Consumers as HTTP services. ``asked`` are the names, secrets and nonces."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def ask(self, consumer: Consumer, secret: str, nonce: str) -> Mapping[str, object]:
        self.asked.append((consumer.name, secret, nonce))
        if consumer.name == "down":
            raise Transient("no answer")
        if consumer.name == "broken":
            raise KeyError("a secret text")
        return {"version": "v2" if consumer.name == "current" else "v1"}


def published(*consumers: str) -> Facts:
    """Return a rotation that has published Key2 to one of two secrets of these consumers."""
    enrolment = Enrolment(ACCOUNT, consumers=consumers)
    new = target("a", KEYS.key2, version="v2", enrolment=enrolment)
    old = target("b", KEYS.key1, enrolment=enrolment)
    policy = Policy(consumers=Consumers((*FOUND.all, SILENT)))
    return replace(facts(new, old, operation=rotation()), policy=policy)


async def test_a_consumer_that_does_not_confirm_the_new_version_is_named_with_the_reason() -> None:
    apps = Apps()
    found = await ConsumerChecks(apps).behind(published(*NAMES, "silent", "unknown"))
    does_not = "does not confirm the new version of a:"
    assert found == (
        f"behind {does_not} it uses another version",
        f"down {does_not} no answer",
        f"broken {does_not} its answer cannot be read (KeyError)",
    )
    assert [(name, secret) for name, secret, _ in apps.asked] == [(name, "a") for name in NAMES]
    nonces = {nonce for *_, nonce in apps.asked}
    assert len(nonces) == len(NAMES), "each proves its own"
    assert {len(nonce) for nonce in nonces} == {32}


async def test_a_secret_that_selects_no_consumer_asks_none() -> None:
    apps = Apps()
    assert await ConsumerChecks(apps).behind(published()) == ()
    assert apps.asked == []
