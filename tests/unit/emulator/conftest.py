"""Fixtures: an emulated Azure for SDK clients of this process, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.credentials import AccessToken

from emulator.azure import Azure, virtual
from emulator.core.identity import Principal
from emulator.sdk.transport import EmulatorTransport


class Credential:
    """A synchronous credential of one principal."""

    def __init__(self, azure: Azure, principal: Principal) -> None:
        self._azure, self._principal = azure, principal

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        audience = scopes[0].removesuffix("/.default")
        return AccessToken(self._azure.identity.issue(self._principal, audience), 2**40)


@pytest.fixture
def azure() -> Azure:
    """A vault, an account, and a principal with all rights."""
    azure = virtual()
    azure.add_vault("kv-demo")
    azure.add_account("aoai-demo")
    azure.add_principal("admin").assign("Owner", "/").assign("Key Vault Secrets Officer", "/")
    return azure


@pytest.fixture
def credential(azure: Azure) -> Credential:
    return Credential(azure, azure.identity.principals[0])


@pytest.fixture
def transport(azure: Azure) -> EmulatorTransport:
    return EmulatorTransport(azure)
