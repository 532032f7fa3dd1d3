"""The operator's own hands: what needs no deployed service, only a sign-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...domain.errors import RotationError
from ..exit_status import Exit, Failed

if TYPE_CHECKING:
    from ...bootstrap import Hands


@asynccontextmanager
async def own_hands() -> AsyncIterator[Hands]:
    """Raises Failed in place of RotationError."""
    from ...bootstrap import hands
    from .direct import settings

    found = hands(settings())
    try:
        yield found
    except RotationError as exc:
        raise Failed(Exit.UNREACHABLE, exc.advice) from None
    finally:
        await found.close()
