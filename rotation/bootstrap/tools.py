"""Operator tools. In the journal, they read the bindings and admit what a person enrols."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..engine.bindings import BindingRegistry
from ..engine.emergencies import Emergencies
from ..engine.journal import Journal
from ..ops.discovery import Discovery
from ..ops.enrolment.enroller import Enroller
from ..ops.enrolment.unenroller import Unenroller
from ..ops.keyless import Readers
from ..ops.pace import Pace
from ..ports import Store
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
    unenroller: Unenroller
    closing: tuple[Close, ...]

    async def close(self) -> None:
        """Close all clients."""
        for close in self.closing:
            await close()


def build_tools(settings: Settings) -> OperatorTools:
    """Build the tools. Nothing is sent yet."""
    clients = Clients(settings, azure_credential(settings), Clock())
    accounts, vaults, resources = clients.accounts(), clients.vaults(), clients.resources()
    evidence, probe = clients.evidence(), clients.probe()
    store = documents(settings, clients.credential)
    bindings = BindingRegistry(store, settings.bindings, settings.vaults, as_operator=True)
    journal = _journal(settings, store)
    return OperatorTools(
        Discovery(
            resources,
            accounts,
            vaults,
            lambda: Readers(evidence, settings.evidence_ignore, clients.clock.now()),
            Pace(settings.rate),
        ),
        Enroller(accounts, vaults, clients.clock, bindings, clients.prover(probe), journal),
        Unenroller(vaults, clients.clock, Emergencies(store, clients.clock), journal),
        closing((accounts, vaults, resources, evidence, probe, store, clients.credential)),
    )


def _journal(settings: Settings, store: Store) -> Journal | None:
    """Return the service's journal; None if none is configured at this terminal."""
    local = settings.storage is None
    return None if local and not Path(settings.journal_directory).is_dir() else Journal(store)
