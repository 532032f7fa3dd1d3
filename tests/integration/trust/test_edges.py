"""Arbitrary messages, settings, headers and paths: no 500, no lost message, no secret shown."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emulator.azure import Azure
from rotation import web
from rotation.settings import environment
from rotation.web.authentication import AuthMethods
from tests.integration.wire.product import Product

from .estate import NEIGHBOURS, OWNERS, estate, serving

AZURE = estate()
KEY = AZURE.account("aoai-demo").keys["Key1"]
SECRETS = (KEY, AZURE.account("acct-b").keys["Key2"], KEY[10:60])
ODD = ("", " ", "..", "%2e%2e", "a\r\nb: c", "\x00", "\ud800", "ü" * 90, "{", "null", "9" * 5000)
TEXTS = st.sampled_from((*SECRETS, *ODD, OWNERS, "aoai-demo-key", "key1")) | st.text(max_size=40)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
MEMBERS = ("Id", "VaultName", "ObjectName", "ObjectType", "Version")
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "id": LEAVES,
        "eventType": st.sampled_from(["Microsoft.KeyVault.SecretExpired"]) | LEAVES,
        "type": LEAVES,
        "topic": TEXTS,
        "source": LEAVES,
        "subject": LEAVES,
        "data": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("Id", "VaultName", "ObjectName", "ObjectType", "Version"), LEAVES
            ),
        )
        | JSON,
        "data_base64": TEXTS,
    },
)
OURS = st.dictionaries(st.sampled_from(["visit", "look"]), JSON, max_size=1)
MESSAGES = st.one_of(
    st.text(),
    st.one_of(EVENTS, OURS, JSON).map(json.dumps),
    st.lists(EVENTS, max_size=3).map(lambda found: json.dumps({"value": found})),
    EVENTS.map(lambda found: base64.encodebytes(json.dumps(found).encode()).decode()),
)
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def logged() -> Iterator[list[str]]:
    """Collect the log lines of the service."""
    found: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(logging.Formatter().format(record))

    logger, handler = logging.getLogger("rotation"), Handler()
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def check_hidden(*outputs: object) -> None:
    for output in outputs:
        assert not [secret for secret in SECRETS if secret in str(output)], output


@MANY
@given(st.lists(MESSAGES, min_size=1, max_size=5))
@example([json.dumps({"type": KEY, "data": {}})])
@example([json.dumps({"eventType": "Microsoft.KeyVault.SecretExpired", "topic": KEY, "data": {}})])
@example([json.dumps({"visit": {"tries": 10**30}})])
def test_a_message_is_handled_ignored_with_a_reason_or_poison(messages: list[str]) -> None:
    with logged() as lines, TemporaryDirectory() as directory:
        asyncio.run(_deliver(messages, Path(directory), lines))
    check_hidden(lines)


async def _deliver(messages: list[str], directory: Path, lines: list[str]) -> None:
    async with serving(estate(), directory) as p:
        for text in messages:
            before = len(lines), p.queue.put_so_far
            try:
                await p.triggers.handle_message(text)
            except ValueError as poison:
                check_hidden(poison)
            else:
                assert (len(lines), p.queue.put_so_far) != before, "nothing tells of the message"


READERS = ("environment.py", "reader.py", "storage.py")
SOURCES = "".join((Path(environment.__file__).parent / name).read_text() for name in READERS)
NAMES = st.sampled_from(
    [
        *sorted(set(re.findall(r"\"(ROTATION_[A-Z_]+)\"", SOURCES))),
        "AzureWebJobsStorage",
        "AzureWebJobsStorage__accountName",
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__queueServiceUri",
        "ROTATION_OVERLAPP",
    ]
)
VALUES = TEXTS | TEXTS.map(lambda text: f"https://kv-a.vault.azure.net/?sig={text}{KEY}")


@MANY
@given(st.dictionaries(NAMES, VALUES))
@example({"ROTATION_VAULTS": f"https://user:{KEY}@kv.vault.azure.net"})
@example({"AzureWebJobsStorage": f"AccountName=a;AccountKey={KEY}"})
def test_settings_are_read_or_refused_without_their_values(given: dict[str, str]) -> None:
    with logged() as lines:
        environment.triggers(given)
        environment.access(given)
        try:
            found = environment.load(given)
        except environment.BadSettings as exc:
            check_hidden(exc, exc.problems)
        else:
            check_hidden(found.warnings)
    check_hidden(lines)


HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "X-MS-CLIENT-PRINCIPAL",
            "X-MS-CLIENT-PRINCIPAL-NAME",
            "Idempotency-Key",
            "IDEMPOTENCY-KEY",
            "Prefer",
            "Origin",
            "Sec-Fetch-Site",
            "X-Request-Id",
            "x-ms-client-request-id",
            "Content-Type",
        ]
    ),
    TEXTS | JSON.map(lambda body: base64.b64encode(json.dumps(body).encode()).decode()),
)
BODIES = st.binary(max_size=40) | st.one_of(
    JSON,
    st.fixed_dictionaries(
        {"reason": TEXTS},
        optional={
            "vault": TEXTS,
            "secret": TEXTS,
            "account": st.just(AZURE.account("aoai-demo").id) | TEXTS,
            "leaked": TEXTS,
            "overlap": TEXTS | st.just("P999999999D"),
            "all": LEAVES,
            "confirm": LEAVES,
            "dry_run": LEAVES,
        },
    ),
).map(lambda body: json.dumps(body).encode())
REQUESTS = st.fixed_dictionaries(
    {
        "headers": HEADERS,
        "params": st.dictionaries(
            st.sampled_from(["id", "answer", "vault", "secret", "hold", "slug"]), TEXTS
        ),
        "query": st.dictionaries(
            st.sampled_from(["state", "account", "batch", "reason", "code"]), TEXTS
        ),
        "body": BODIES,
    }
)
ROUTES = st.sampled_from(web.ROUTES)
METHODS = st.sampled_from([AuthMethods(True, False), AuthMethods(False, True)])


@MANY
@given(st.lists(st.tuples(ROUTES, METHODS, REQUESTS), min_size=1, max_size=6))
def test_no_request_fails_inside_or_shows_a_secret(requests: list[Any]) -> None:
    with logged() as lines, TemporaryDirectory() as directory:
        asyncio.run(_serve(requests, Path(directory)))
    check_hidden(lines)


async def _serve(requests: list[Any], directory: Path) -> None:
    async with serving(estate(), directory) as p:
        for route, methods, request in requests:
            answer = await _answer(p, route, methods, request)
            allowed = {503} if route.name == "health" else set()
            assert answer.status < 500 or answer.status in allowed, (route.name, answer.body)
            check_hidden(answer.body, dict(answer.headers))


async def _answer(p: Product, route: web.Route, methods: AuthMethods, more: Any) -> Any:
    request = web.HttpRequest(route.method, "https://here/api", **more)
    return await web.serve(route, request, methods, lambda: p.service)


def test_the_secrets_of_this_test_are_those_of_every_estate() -> None:
    assert NEIGHBOURS in str(estate().keyvault.vaults)
    assert isinstance(AZURE, Azure)
    assert set(SECRETS[:2]) <= estate().issued_keys()
