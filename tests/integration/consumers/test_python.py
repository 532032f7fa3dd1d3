"""The Python samples in process: bodies, failures of the vault, headers, and other clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from azure.core import PipelineClient
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from azure.core.rest import HttpRequest
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from openai import AsyncAzureOpenAI, AuthenticationError, AzureOpenAI, OpenAI

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.core.wire import Headers, Request
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport, EmulatorTransport
from examples.consumers.python import rotating_key, rotating_key_async
from examples.consumers.python.key_auth import AsyncKeyAuth, KeyAuth
from examples.consumers.python.key_policy import KeyPolicy

from . import apps

ENDPOINT = f"https://{apps.ACCOUNT}.openai.azure.com/"
CHAT = ENDPOINT + "openai/deployments/demo/chat/completions?api-version=2024-10-21"
BODY = b'{"messages": [{"role": "user", "content": "hello"}]}'
HELLO: Any = {"model": "demo", "messages": [{"role": "user", "content": "hello"}]}


class Credential:
    """A synchronous credential with tokens of one principal."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        text = self._azure.identity.issue(
            self._azure.identity.principals[0], "https://vault.azure.net"
        )
        return AccessToken(text, int(self._azure.identity.tokens[text].expires.timestamp()))


@pytest.fixture
def azure() -> Azure:
    made = apps.azure()
    secret = f"{made.vault(apps.VAULT).id}/secrets/{apps.SECRET}"
    made.add_principal("app").assign("Key Vault Secrets User", secret)
    return made


@pytest.fixture
def key(azure: Azure) -> rotating_key.RotatingKey:
    client = SecretClient(
        azure.vault(apps.VAULT).url, Credential(azure), transport=EmulatorTransport(azure)
    )
    return rotating_key.RotatingKey(client, apps.SECRET)


@pytest.fixture
async def async_key(azure: Azure) -> AsyncIterator[rotating_key_async.RotatingKey]:
    credential = AsyncCredential(azure, azure.identity.principals[0])
    transport = AsyncEmulatorTransport(azure)
    url = azure.vault(apps.VAULT).url
    async with (
        AsyncSecretClient(url, credential, transport=transport) as client,
        rotating_key_async.RotatingKey(client, apps.SECRET) as key,
    ):
        yield key


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The emulated Azure as a transport of httpx. It reads each body once, as a socket does."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        return self._answer(request, b"".join(request.stream))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        return self._answer(request, b"".join([part async for part in request.stream]))

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        assert "Authorization" not in request.headers, "the placeholder is sent"
        wire = Request(request.method, str(request.url), Headers(request.headers), body)
        found = self._azure.handle(wire)
        return httpx.Response(found.status, headers=dict(found.headers), content=found.body)


def client(azure: Azure, key: rotating_key.RotatingKey, header: str = "api-key") -> Any:
    """Return an httpx.Client; openai 3 accepts one, but is typed for httpx2."""
    return httpx.Client(auth=KeyAuth(key, header), transport=Wire(azure))


def async_client(azure: Azure, key: rotating_key_async.RotatingKey) -> Any:
    return httpx.AsyncClient(auth=AsyncKeyAuth(key), transport=Wire(azure))


def azure_client(
    azure: Azure, key: rotating_key.RotatingKey, credential: AzureKeyCredential
) -> PipelineClient[Any, Any]:
    return PipelineClient(
        ENDPOINT,
        policies=[KeyPolicy(key, credential), AzureKeyCredentialPolicy(credential, "api-key")],
        transport=EmulatorTransport(azure),
    )


def chat() -> HttpRequest:
    return HttpRequest("POST", CHAT, content=BODY, headers={"Content-Type": "application/json"})


def revoke(azure: Azure) -> str:
    """Publish the other key and regenerate the first; return the version."""
    version = apps.publish(azure, "Key2")
    azure.regenerate_by_hand(apps.ACCOUNT, "Key1")
    return version


def statuses(azure: Azure, operation: str) -> list[int]:
    return [call.status or 0 for call in azure.calls if call.operation == operation]


def test_a_streamed_body_is_sent_again(azure: Azure, key: rotating_key.RotatingKey) -> None:
    def stream() -> Iterator[bytes]:
        yield BODY

    version = revoke(azure)
    with client(azure, key) as http:
        answer = http.post(CHAT, content=stream())
    assert answer.json()["choices"][0]["message"]["content"] == "You said: hello"
    assert statuses(azure, "inference.chat") == [401, 200]
    assert key.version == version


async def test_a_streamed_body_is_sent_again_by_the_async_client(
    azure: Azure, async_key: rotating_key_async.RotatingKey
) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield BODY

    version = revoke(azure)
    async with async_client(azure, async_key) as http:
        answer = await http.post(CHAT, content=stream())
    assert answer.json()["choices"][0]["message"]["content"] == "You said: hello"
    assert statuses(azure, "inference.chat") == [401, 200]
    assert async_key.version == version


def test_if_the_vault_cannot_be_read_the_caller_gets_the_401_and_the_vault_one_request(
    azure: Azure, key: rotating_key.RotatingKey
) -> None:
    revoke(azure)
    azure.faults.add(Fault("answer", "keyvault.get_secret", status=429, times=9))
    with client(azure, key) as http:
        assert [http.post(CHAT, content=BODY).status_code for _ in range(5)] == [401] * 5
    assert statuses(azure, "keyvault.get_secret").count(429) == 1


async def test_if_the_vault_cannot_be_read_the_async_caller_gets_the_401(
    azure: Azure, async_key: rotating_key_async.RotatingKey
) -> None:
    revoke(azure)
    azure.faults.add(Fault("drop", "keyvault.get_secret", times=9))
    async with async_client(azure, async_key) as http:
        found = [(await http.post(CHAT, content=BODY)).status_code for _ in range(5)]
    assert found == [401] * 5


def test_another_status_than_401_is_not_repeated(
    azure: Azure, key: rotating_key.RotatingKey
) -> None:
    azure.account(apps.ACCOUNT).rate_limited = True
    with client(azure, key) as http:
        assert http.post(CHAT, content=BODY).status_code == 429
    assert statuses(azure, "inference.chat") == [429]


def test_an_app_that_may_not_read_the_secret_fails_at_its_start(azure: Azure) -> None:
    vault = SecretClient(
        azure.vault(apps.VAULT).url, Credential(azure), transport=EmulatorTransport(azure)
    )
    with pytest.raises(HttpResponseError):
        rotating_key.RotatingKey(vault, "other")


def test_other_services_take_the_key_in_another_header(
    azure: Azure, key: rotating_key.RotatingKey
) -> None:
    with client(azure, key, header="Ocp-Apim-Subscription-Key") as http:
        assert http.get(ENDPOINT + "openai/models?api-version=2024-10-21").status_code == 200


def test_the_v1_client_sends_the_key_and_not_the_placeholder(
    azure: Azure, key: rotating_key.RotatingKey
) -> None:
    openai = OpenAI(
        base_url=ENDPOINT + "openai/v1/", api_key="placeholder", http_client=client(azure, key)
    )
    revoke(azure)
    assert openai.chat.completions.create(**HELLO).model == "demo-model"


def test_a_copy_of_the_client_follows_as_well(azure: Azure, key: rotating_key.RotatingKey) -> None:
    """Unlike with ``client.api_key = …``, where a copy keeps the old key."""
    openai = AzureOpenAI(
        azure_endpoint=ENDPOINT,
        api_version="2024-10-21",
        api_key="placeholder",
        http_client=client(azure, key),
    )
    copy = openai.with_options(timeout=5)
    revoke(azure)
    assert copy.chat.completions.create(**HELLO).model == "demo-model"


async def test_the_async_client_raises_its_own_error_if_the_key_stays_invalid(
    azure: Azure, async_key: rotating_key_async.RotatingKey
) -> None:
    openai = AsyncAzureOpenAI(
        azure_endpoint=ENDPOINT,
        api_version="2024-10-21",
        api_key="placeholder",
        http_client=async_client(azure, async_key),
    )
    azure.regenerate_by_hand(apps.ACCOUNT, "Key1")
    with pytest.raises(AuthenticationError):
        await openai.chat.completions.create(**HELLO)


def test_many_threads_with_the_policy_read_once_and_all_succeed(
    azure: Azure, key: rotating_key.RotatingKey
) -> None:
    client = azure_client(azure, key, AzureKeyCredential(key.value))
    revoke(azure)
    reads = statuses(azure, "keyvault.get_secret").count(200)
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(lambda _: client.send_request(chat()).status_code, range(40)))
    assert found == [200] * 40
    assert statuses(azure, "keyvault.get_secret").count(200) == reads + 1


def test_clients_of_the_azure_sdk_follow_with_the_policy(
    azure: Azure, key: rotating_key.RotatingKey
) -> None:
    credential = AzureKeyCredential(key.value)
    client = azure_client(azure, key, credential)
    revoke(azure)
    assert client.send_request(chat()).status_code == 200
    assert credential.key == key.value
    assert statuses(azure, "inference.chat") == [401, 200]
