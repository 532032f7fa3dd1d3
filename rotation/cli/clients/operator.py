"""Settings and tools of an operator who works with their own credentials."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...bootstrap.tools import OperatorTools, build_tools
from ...domain.errors import RotationError
from ...settings.environment import BadSettings, Settings, load
from ..exit_status import CommandError, ExitStatus


def load_settings() -> Settings:
    """Load the function app's settings, with the operator's credential. Raises CommandError."""
    environment = {"ROTATION_CREDENTIAL": "developer", **os.environ}
    try:
        return load(environment)
    except BadSettings as exc:
        advice = "Set the function app's settings in the environment (docs/cli.md)."
        raise CommandError(ExitStatus.USAGE, str(exc), advice) from None


@asynccontextmanager
async def operator_tools() -> AsyncIterator[OperatorTools]:
    """Yield tools that need neither journal nor queue. Raises CommandError for RotationError."""
    tools = build_tools(load_settings())
    try:
        yield tools
    except RotationError as exc:
        raise CommandError(ExitStatus.UNREACHABLE, exc.advice) from None
    finally:
        await tools.close()
