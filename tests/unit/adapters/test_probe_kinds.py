"""Every kind of account has a probe that proves a key and its revocation, and nothing false."""

from __future__ import annotations

import pytest

from emulator.azure import Azure, virtual
from emulator.core import clouds as emulated
from emulator.core.faults import Fault
from emulator.core.wire import Request, Response
from emulator.sdk.transport import AsyncEmulatorTransport
from rotation.adapters.probe import DataPlaneProbe
from rotation.domain import probe_calls as calls
from rotation.domain import probe_choice
from rotation.domain.account import Account
from rotation.domain.cloud import CLOUDS, PUBLIC
from rotation.domain.ids import AccountId
from rotation.domain.keys import Key
from rotation.domain.kinds import KINDS, Kind
from rotation.domain.probe_choice import Overrides
from rotation.domain.probing import ProbeResult, accepts

NONE: Overrides = {}
EVERY_KIND = pytest.mark.parametrize("kind", [*KINDS.values()], ids=lambda kind: kind.name)


class Listening(AsyncEmulatorTransport):
    """Remembers every request."""

    def __init__(self, azure: Azure) -> None:
        super().__init__(azure)
        self.requests: list[Request] = []

    async def exchange(self, request: Request) -> Response:
        self.requests.append(request)
        return await super().exchange(request)


def azure_with(kind: str, **more: object) -> Azure:
    azure = virtual()
    azure.add_account("acct", kind=kind, **more)  # type: ignore[arg-type]
    return azure


def seen(azure: Azure) -> Account:
    """The account as ARM shows it."""
    found = azure.account("acct")
    return Account(
        AccountId.parse(found.id),
        found.kind,
        found.endpoint,
        endpoints=found.api_endpoints(),
        location=found.location,
    )


def key(azure: Azure, slot: str = "Key1") -> Key:
    return Key(azure.account("acct").keys[slot])


@EVERY_KIND
@pytest.mark.parametrize("location", ["", "westeurope", "global"])
async def test_a_key_is_proven_to_work_and_to_be_refused(kind: Kind, location: str) -> None:
    """With an own domain, at the host of a region, and at the global one."""
    if location and kind.call is calls.OPENAI:
        pytest.skip("OpenAI always has its own domain")
    azure = azure_with(kind.name, custom_domain=not location, location=location or "westeurope")
    probe, account, old = DataPlaneProbe(lambda: transport), seen(azure), key(azure)
    transport = Listening(azure)
    control = await probe.try_random(account, old)
    assert control.result is ProbeResult.REFUSED
    tried = await probe.try_key(account, old)
    assert accepts(tried, control), tried
    azure.regenerate_by_hand("acct", "Key1")
    assert (await probe.try_key(account, old)).result is ProbeResult.REFUSED
    assert accepts(await probe.try_key(account, key(azure)), control)
    await probe.close()


@EVERY_KIND
async def test_a_confirmed_call_is_accepted_as_such(kind: Kind) -> None:
    """The emulator, which has its own table with sources, knows the call for exactly these."""
    azure = azure_with(kind.name)
    transport = Listening(azure)
    tried = await DataPlaneProbe(lambda: transport).try_key(seen(azure), key(azure))
    assert (tried.result is ProbeResult.ACCEPTED) == kind.is_confirmed


BODIES = {
    "unknown": "nobody knows",
    "network": "Access denied due to Virtual Network/Firewall rules.",
    "approval": "Feature is not supported, missing approval for one or more of the features",
    "quota": "Out of call volume quota. Quota will be replenished in 07:01:20.",
}
KINDS_OF_PROOF = ["OpenAI", "SpeechServices", "CustomVision.Prediction", "TextTranslation"]


@pytest.mark.parametrize("kind", KINDS_OF_PROOF)
@pytest.mark.parametrize(
    "status", [200, 204, 301, 302, 303, 307, 308, 400, 401, 404, 405, 408, 410, 429, 500, 502, 503]
)
async def test_an_answer_that_every_key_gets_proves_nothing(kind: str, status: int) -> None:
    await _proves_nothing(kind, status, "for everybody")


@pytest.mark.parametrize("kind", KINDS_OF_PROOF)
@pytest.mark.parametrize("body", BODIES)
async def test_a_403_that_every_key_gets_proves_nothing(kind: str, body: str) -> None:
    await _proves_nothing(kind, 403, BODIES[body])


async def _proves_nothing(kind: str, status: int, text: str) -> None:
    azure = azure_with(kind, custom_domain=kind == "OpenAI")
    headers = {"Location": "https://evil.example/"} if status // 100 == 3 else {}
    body = {"error": {"code": str(status), "message": text}}
    fault = Fault("answer", "inference.*", status=status, body=body, times=9)
    fault.headers = headers
    azure.faults.add(fault)
    transport = Listening(azure)
    probe, account = DataPlaneProbe(lambda: transport), seen(azure)
    tried = await probe.try_key(account, key(azure))
    control = await probe.try_random(account, key(azure))
    assert not accepts(tried, control)
    assert len(transport.requests) == 2, "a redirect is not followed"


@pytest.mark.parametrize("location", ["westeurope", "global", "West Europe", "a\r\nX-Evil: 1", ""])
async def test_the_shared_translator_gets_the_region(location: str) -> None:
    azure = azure_with("TextTranslation", custom_domain=False)
    transport = Listening(azure)
    account = Account(
        AccountId("s", "g", "acct"),
        "TextTranslation",
        azure.account("acct").endpoint,
        location=location,
    )
    await DataPlaneProbe(lambda: transport).try_key(account, key(azure))
    (request,) = transport.requests
    assert request.host == "api.cognitive.microsofttranslator.com"
    assert request.body == b"[]"
    regional = location.lower().replace(" ", "") == "westeurope"
    expected = "westeurope" if regional else None
    assert request.headers.get("Ocp-Apim-Subscription-Region") == expected


async def test_a_token_entry_of_the_endpoints_gets_the_token_call() -> None:
    azure = azure_with("SpeechServices", custom_domain=False)
    endpoint = azure.account("acct").endpoint
    account = Account(
        AccountId("s", "g", "acct"),
        "SpeechServices",
        "https://westeurope.stt.speech.microsoft.com/",
        endpoints={"Token": f"{endpoint}sts/v1.0/issueToken"},
    )
    transport = Listening(azure)
    tried = await DataPlaneProbe(lambda: transport).try_key(account, key(azure))
    assert tried.result is ProbeResult.ACCEPTED
    assert [r.url for r in transport.requests] == [f"{endpoint}sts/v1.0/issueToken"]


async def test_a_foreign_token_entry_gets_no_key() -> None:
    azure = azure_with("SpeechServices")
    account = Account(
        AccountId("s", "g", "acct"),
        "SpeechServices",
        azure.account("acct").endpoint,
        endpoints={"Token": "https://westeurope.api.cognitive.microsoft.com.evil.example/"},
    )
    transport = Listening(azure)
    tried = await DataPlaneProbe(lambda: transport).try_key(account, key(azure))
    assert tried.result is ProbeResult.INCONCLUSIVE
    assert transport.requests == []


@pytest.mark.parametrize("cloud", [*emulated.CLOUDS], ids=[*CLOUDS])
async def test_the_translator_of_each_cloud(cloud: emulated.Cloud) -> None:
    ours = next(c for c in CLOUDS.values() if c.vaults == cloud.vaults)
    azure = azure_with("TextTranslation", custom_domain=False, cloud=cloud.accounts)
    transport = Listening(azure)
    probe = DataPlaneProbe(lambda: transport, ours)
    control = await probe.try_random(seen(azure), key(azure))
    assert accepts(await probe.try_key(seen(azure), key(azure)), control)
    assert {request.host for request in transport.requests} == {cloud.translator}


def test_a_setting_chooses_the_probe_of_a_kind_or_an_account() -> None:
    azure = azure_with("OpenAI")
    account = seen(azure)
    assert probe_choice.choose(account, PUBLIC, NONE).call is calls.OPENAI
    of_kind = probe_choice.parse("openai=general")
    assert probe_choice.choose(account, PUBLIC, of_kind).call is calls.GENERAL
    both = probe_choice.parse(f"OpenAI=general, {account.id}=vision-models")
    choice = probe_choice.choose(account, PUBLIC, both)
    assert choice.call is calls.VISION
    assert choice.is_configured


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("OpenAI=https://evil.example/", "entry 1 does not end with =PROBE"),
        ("OpenAI=openai-models,Face", "entry 2 does not end with =PROBE"),
        ("OpenAI=", "entry 1"),
        ("=token", "entry 1 does not begin with a kind"),
        ("bad kind=token", "entry 1 does not begin with a kind"),
        ("/subscriptions/s/resourceGroups/g=token", "entry 1 does not begin with an account's id"),
    ],
)
def test_a_wrong_entry_is_named_by_its_number(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        probe_choice.parse(text)
