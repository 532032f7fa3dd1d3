"""Makes the world of a plan."""

from __future__ import annotations

from datetime import timedelta

from emulator.services.eventgrid.subscription import Subscription
from rotation.domain import tags
from rotation.domain.ids import AccountId
from rotation.domain.policy import Policy

from .neighbours import add_neighbours
from .plan import Plan
from .world import World

OVERLAP = timedelta(hours=2)
POLICY = Policy(
    overlap=OVERLAP, spread=timedelta(), daily_cap=6, minimum_interval=timedelta(hours=6)
)
GROUP = "/subscriptions/sub-1/resourceGroups/rg-keys"
DUE, NOT_DUE = timedelta(days=20), timedelta(days=80)
SHORT_VALIDITY = {tags.VALIDITY_PERIOD_DAYS: "20"}


def build_world(plan: Plan) -> World:
    """Return the accounts and secrets of a plan, with a subscription on each vault."""
    staleness = timedelta(seconds=plan.read_staleness)
    world = World(
        level=plan.level,
        seed=plan.seed,
        overlap=OVERLAP,
        accepts_any_key=plan.accepts_any_key,
        new_key_delay=timedelta(seconds=plan.new_key_delay),
        old_key_lag=timedelta(seconds=plan.old_key_lag),
        stale_for=staleness,
    )
    world.observations.read_staleness = staleness
    world.observations.daily_cap = POLICY.daily_cap
    for number in range(plan.accounts):
        _add_account(world, plan, number)
    world.account = world.ids[0]
    if plan.neighbours:
        _bind(world, plan)
        add_neighbours(world, shared=plan.shared)
    for vault in world.azure.keyvault.vaults.values():
        vault.stale_for = staleness
        vault.topic.subscribe(Subscription("https://here", existing=True))
    world.observations.forget_setup()
    return world


def _bind(world: World, plan: Plan) -> None:
    """Bind the owners' vaults to their resource group, or to each of their accounts."""
    for vault in world.vaults:
        for scope in [GROUP] if plan.broad else [str(account) for account in world.ids]:
            world.bind(vault, scope)


def _add_account(world: World, plan: Plan, number: int) -> None:
    """Add an account and its secrets, of which the first may be due."""
    account = AccountId("sub-1", "rg-keys", f"account-{number}")
    world.add_account(account, plan.kind)
    for target in range(plan.targets):
        world.add_secret(
            f"key-{number}-{target}",
            vault=f"https://kv-{(number + target) % plan.vaults}.vault.azure.net",
            account=account,
            lives=DUE if plan.due and not target else NOT_DUE,
            with_tags=SHORT_VALIDITY if plan.short_validity else None,
        )
