"""The emulated Azure behind its proxy: clients need nothing but the environment."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from emulator import seed
from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.proxy.server import Proxy

SDK = """
import asyncio
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.cognitiveservices.aio import CognitiveServicesManagementClient as AsyncArm

VAULT, SUBSCRIPTION = "https://kv-demo.vault.azure.net", "11111111-1111-1111-1111-111111111111"

with ManagedIdentityCredential() as credential, SecretClient(VAULT, credential) as client:
    client.set_secret("made", "by the synchronous client")
    names = sorted(s.name for s in client.list_properties_of_secrets())
    with CognitiveServicesManagementClient(credential, SUBSCRIPTION) as arm:
        names += sorted(a.name for a in arm.accounts.list())

async def main():
    async with AsyncCredential() as credential, AsyncSecretClient(VAULT, credential) as client:
        names.append((await client.get_secret("made")).value)
        async with AsyncArm(credential, SUBSCRIPTION) as arm:
            await arm.accounts.regenerate_key("rg-keys", "aoai-demo", "Key2")

asyncio.run(main())
print(names)
"""


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Proxy]:
    azure = Azure()
    seed.plant(azure, seed.PLAYGROUND)
    async with Proxy(azure, tmp_path / "ca") as proxy:
        yield proxy


async def run(proxy: Proxy, *command: str) -> str:
    environment = {"PATH": os.environ["PATH"], **proxy.environment}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_the_sdks_work_through_the_proxy_with_nothing_but_the_environment(
    proxy: Proxy,
) -> None:
    key2 = proxy.azure.account("aoai-demo").keys["Key2"]
    out = await run(proxy, sys.executable, "-c", SDK)
    assert "['aoai-demo-key', 'made', 'speech-demo-key', 'aoai-demo', 'speech-demo'" in out
    assert "by the synchronous client" in out
    assert proxy.azure.account("aoai-demo").keys["Key2"] != key2


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl_is_challenged_for_azure_and_refused_for_other_hosts(proxy: Proxy) -> None:
    url = "https://kv-demo.vault.azure.net/secrets?api-version=7.4"
    assert "401" in await run(proxy, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url)
    with pytest.raises(AssertionError):
        await run(proxy, "curl", "-sf", "https://example.com/")


async def test_a_connection_is_kept_for_many_requests_and_chunked_bodies(proxy: Proxy) -> None:
    import ssl

    azure = proxy.azure
    token = azure.identity.issue(azure.identity.principals[0], "https://vault.azure.net")
    context = ssl.create_default_context(cafile=str(proxy.bundle))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"value": '
        yield b'"chunked"}'

    url = "https://kv-demo.vault.azure.net/secrets/s?api-version=7.4"
    async with aiohttp.ClientSession(headers=headers) as session:
        options = {"proxy": proxy.url, "ssl": context}
        async with session.put(url, data=chunks(), **options) as answer:  # type: ignore[arg-type]
            assert answer.status == 200
        for _ in range(20):
            async with session.get(url, **options) as answer:  # type: ignore[arg-type]
                assert (await answer.json())["value"] == "chunked"
        proxy.azure.faults.add(Fault("drop", "keyvault.get_secret", times=2))
        with pytest.raises(aiohttp.ClientError):
            async with session.get(url, **options) as answer:  # type: ignore[arg-type]
                pass


async def test_the_control_api_shows_and_changes_the_state_without_any_key(proxy: Proxy) -> None:
    base = f"{proxy.url}/_emulator"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}/state") as answer:
            before = await answer.json()
        body = json.dumps({"account": "aoai-demo", "slot": "Key1"})
        async with session.post(f"{base}/regenerate", data=body) as answer:
            assert answer.status == 200
        async with session.get(f"{base}/state") as answer:
            after = await answer.text()
        async with session.post(f"{base}/faults", data='{"kind": "surprise"}') as answer:
            assert answer.status == 400
            assert "surprise" in await answer.text()
        async with session.get(f"{base}/nothing") as answer:
            assert answer.status == 404
    assert before["accounts"]["aoai-demo"] != json.loads(after)["accounts"]["aoai-demo"]
    assert not any(key in after for key in proxy.azure.issued_keys())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"surprise": []}, "surprise"),
        ({"accounts": [{"kind": "OpenAI"}]}, r"accounts\[0\]"),
        ({"principals": [{"name": "p", "roles": ["King"]}]}, "King"),
    ],
)
def test_an_invalid_seed_is_refused_with_the_path_of_the_error(
    wrong: dict[str, object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        seed.plant(Azure(), wrong)
