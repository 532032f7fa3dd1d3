"""The error that a call of an adapter raises."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from rotation.domain.errors import RotationError


async def failing(call: Awaitable[object]) -> RotationError:
    """Return the error that the call raises."""
    with pytest.raises(RotationError) as raised:
        await call
    return raised.value
