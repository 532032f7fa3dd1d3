"""``doctor`` tests the roles on the apps that ``ROTATION_CONSUMERS`` names."""

from __future__ import annotations

import pytest

from emulator.azure import SUBSCRIPTION, Azure
from emulator.core.roles import Role
from emulator.services.apps import App
from rotation.cli.exit_status import ExitStatus

from .conftest import Run

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-apps/providers"
SITE = f"{GROUP}/Microsoft.Web/sites/shop"
SLOT = f"{SITE}/slots/staging"
CONTAINER = f"{GROUP}/Microsoft.App/containerApps/chat"
ROLES = {
    SITE: "Website Contributor",
    SLOT: "Website Contributor",
    CONTAINER: "Container Apps Contributor",
}


@pytest.fixture(autouse=True)
def _named(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    azure.add_group(group="rg-apps")
    for app in ROLES:
        azure.apps.add(App(app, "shop.contoso.com"))
    entries = (f"app-{n}@kv-demo={app}" for n, app in enumerate(ROLES))
    asked = "asked@kv-demo=https://shop.contoso.com/key"
    monkeypatch.setenv("ROTATION_CONSUMERS", ",".join((asked, *entries)))


def states(run: Run) -> dict[str, str]:
    findings = run("doctor", "--direct", "--json").json["findings"]
    return {f["subject"]: f["state"] for f in findings if f["check"] == "app rights"}


@pytest.mark.parametrize("app", ROLES)
def test_the_role_of_the_documentation_is_enough(run: Run, azure: Azure, app: str) -> None:
    azure.identity.principals[0].assign(ROLES[app], app)
    assert states(run)[app] == "ok"


def test_an_app_that_is_only_asked_needs_no_role(run: Run) -> None:
    assert states(run) == dict.fromkeys(ROLES, "warning")


def test_a_missing_role_comes_with_the_command_that_grants_it(run: Run, azure: Azure) -> None:
    result = run("doctor", "--direct", "--json")
    found = {f["subject"]: f for f in result.json["findings"]}
    who = azure.identity.principals[0].object_id
    for app, role in ROLES.items():
        assert found[app]["fix"] == (
            f'az role assignment create --assignee {who} --role "{role}" --scope {app}'
        )
    assert found[CONTAINER]["detail"] == (
        "app-2 is not refreshed after a publish: not allowed: "
        "Microsoft.App/containerApps/revisions/read, "
        "Microsoft.App/containerApps/revisions/restart/action"
    )
    assert result.status == ExitStatus.ATTENTION, "a rotation does not depend on it"


@pytest.mark.parametrize("app", [SITE, SLOT])
def test_a_role_that_only_reads_settings_is_not_enough(run: Run, azure: Azure, app: str) -> None:
    azure.identity.principals[0].assign("Reader", app)
    assert states(run)[app] == "warning"


def test_the_narrow_role_of_the_documentation_is_enough_for_a_container_app(
    run: Run, azure: Azure
) -> None:
    revisions = "Microsoft.App/containerApps/revisions/"
    narrow = Role("Restarter", actions=(revisions + "read", revisions + "restart/action"))
    azure.identity.principals[0].assign(narrow, CONTAINER)
    assert states(run)[CONTAINER] == "ok"


def test_rights_that_cannot_be_read_are_a_warning_with_the_role(run: Run, azure: Azure) -> None:
    azure.arm.groups.discard((SUBSCRIPTION.lower(), "rg-apps"))
    azure.apps.by_id.clear()
    findings = run("doctor", "--direct", "--json").json["findings"]
    found = [f for f in findings if f["check"] == "app rights"]
    assert [f["state"] for f in found] == ["warning"] * 3
    assert all("404" in f["detail"] and "role assignment" in f["fix"] for f in found)
