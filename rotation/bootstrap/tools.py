"""Operator tools. Of the journal, they only read the bindings."""

from __future__ import annotations

from dataclasses import dataclass

from ..engine.bindings import BindingRegistry
from ..ops.discovery import Discovery
from ..ops.enrolment.enroller import Enroller
from ..runtime.clock import Clock
from ..service.service import Close
from ..settings.environment import Settings
from .assembly import closing
from .clients import Clients, azure_credential, documents


@dataclass(frozen=True)
class OperatorTools:
    """Discovery and enrolment, with the operator's own credentials."""

    discovery: Discovery
    enroller: Enroller
    closing: tuple[Close, ...]

    async def close(self) -> None:
        """Close all clients."""
        for close in self.closing:
            await close()


def build_tools(settings: Settings) -> OperatorTools:
    """Build the tools. Nothing is sent yet."""
    clients = Clients(settings, azure_credential(settings), Clock())
    accounts, vaults, resources = clients.accounts(), clients.vaults(), clients.resources()
    store = documents(settings, clients.credential)
    bindings = BindingRegistry(store, settings.bindings, settings.vaults, as_operator=True)
    return OperatorTools(
        Discovery(resources, accounts, vaults),
        Enroller(accounts, vaults, clients.clock, bindings),
        closing((accounts, vaults, resources, store, clients.credential)),
    )
