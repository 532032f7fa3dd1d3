"""Chooses how a command reaches the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..exit_status import Exit, Failed
from .protocol import Reach


@asynccontextmanager
async def reaching(url: str, direct: bool) -> AsyncIterator[Reach]:
    """The deployed function at ``url``, or with ``direct`` the operator's own hands."""
    if direct:
        from .direct import Direct

        reach: Reach = Direct.of_environment()
    elif url:
        from .http import Remote

        reach = Remote.of_environment(url)
    else:
        raise Failed(
            Exit.USAGE,
            "where is the service?",
            "give --url (or ROTATION_URL), e.g. https://my-app.azurewebsites.net; or --direct",
        )
    try:
        yield reach
    finally:
        await reach.close()
