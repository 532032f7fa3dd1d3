"""Chooses the client that a command uses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .. import saved
from ..exit_status import CommandError, ExitStatus
from .direct import DirectClient
from .http import HttpClient
from .protocol import ApiClient


@asynccontextmanager
async def connect(url: str, direct: bool) -> AsyncIterator[ApiClient]:
    """Yield a client of the function app at ``url``, or with ``direct`` one that runs in process.

    Raises CommandError if neither is given or the environment is incomplete.
    """
    client = _client(url, direct)
    try:
        yield client
    finally:
        await client.close()


def _client(url: str, direct: bool) -> ApiClient:
    if direct:
        return DirectClient.from_environment()
    address = url or saved.get("url")
    if address:
        return HttpClient.from_environment(address)
    raise CommandError(
        ExitStatus.USAGE,
        "No service URL given.",
        "Save it once: keyrotation config set url https://my-app.azurewebsites.net "
        "(or give --url or ROTATION_URL); or use --direct.",
    )
