"""The deployment, checked without Azure; and the checks, each with Bicep that it must refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

import function_app
from emulator.host.functions import of_app
from rotation.domain import events
from rotation.domain.access import Role
from rotation.settings import environment as settings

from . import checks, source
from .source import INFRA, Source

FILES = source.sources()
ROOT = INFRA.parent
APP = FILES["modules/functionapp.bicep"]
Check = Callable[[dict[str, Source]], Iterable[str]]


@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.__name__)
def test_the_deployment_has_no_fault(check: Check) -> None:
    assert list(check(FILES)) == []


PARAM = "@description('p')\nparam p string\n"
WRONG: list[tuple[Check, dict[str, str], str]] = [
    (checks.parse, {"a.bicep": "resource {"}, "a.bicep"),
    (checks.symbols, {"a.bicep": "output o string = nowhere.id\n"}, "nowhere"),
    (checks.symbols, {"a.bicep": "var v = 'x-${nowhere}'\n"}, "nowhere"),
    (checks.symbols, {"a.bicep": "var v = true ? nowhere : 1\n"}, "nowhere"),
    (checks.unused, {"a.bicep": PARAM}, "p is never used"),
    (checks.modules, {"a.bicep": "module m 'b.bicep' = {\n  name: 'm'\n}\n"}, "not there"),
    (
        checks.modules,
        {"a.bicep": "module m 'b.bicep' = {\n  name: 'm'\n}\n", "b.bicep": PARAM},
        "m needs p",
    ),
    (
        checks.modules,
        {
            "a.bicep": "module m 'c/b.bicep' = {\n  name: 'm'\n  params: {\n    q: 1\n  }\n}\n",
            "c/b.bicep": "var v = 1\n",
        },
        "m knows no q",
    ),
    (
        checks.outputs,
        {
            "a.bicep": "module m 'b.bicep' = {\n  name: 'm'\n}\noutput o string = m.outputs.x\n",
            "b.bicep": "output y string = 'y'\n",
        },
        "m has no output x",
    ),
    (checks.descriptions, {"a.bicep": "param p string\n"}, "p has no description"),
    (
        checks.assignments,
        {
            "a.bicep": "resource r 'Microsoft.Authorization/roleAssignments@2022-04-01' = {\n"
            "  name: 'fixed'\n}\n"
        },
        "not guid",
    ),
    (
        checks.assignments,
        {
            "a.bicep": "resource r 'Microsoft.Authorization/roleAssignments@2022-04-01' = {\n"
            "  name: guid('a')\n}\n"
        },
        "no scope",
    ),
    (checks.secrets, {"a.bicep": "var k = account.listKeys().key1\n"}, "reads keys"),
    (
        checks.secrets,
        {"a.bicep": "output o string = insights.properties.ConnectionString\n"},
        "may be a secret",
    ),
    (checks.secrets, {"a.bicep": "output adminPassword string = 'x'\n"}, "may be a secret"),
    (
        checks.versions,
        {"a.bicep": "resource r 'Microsoft.KeyVault/vaults@1999-01-01' = {\n  name: 'r'\n}\n"},
        "not in apiversions.json",
    ),
]


@pytest.mark.parametrize(("check", "files", "says"), WRONG, ids=lambda value: str(value)[:40])
def test_each_check_finds_what_it_is_for(check: Check, files: dict[str, str], says: str) -> None:
    assert any(says in problem for problem in check(source.of(files)))


def test_every_check_is_tried() -> None:
    assert {check for check, _, _ in WRONG} == set(checks.ALL)


def test_every_reviewed_version_is_used() -> None:
    used = {kind for s in FILES.values() for kind, _ in checks._TYPE.findall(s.text)}
    assert used == set(checks.REVIEWED)
    assert all(one["reviewed"].startswith("https://") for one in checks.REVIEWED.values())


def app_settings() -> dict[str, Any]:
    found = APP.tree["variables"]["settings"]["value"]
    return {one["name"]: one["value"] for one in found}


# Read by the host and the worker, not by our code.
HOSTS = re.compile(
    r"AzureWebJobsStorage__(accountName|credential|clientId)|APPLICATIONINSIGHTS_"
    r"(CONNECTION_STRING|AUTHENTICATION_STRING)|PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"
)


class TestAppSettings:
    def test_each_is_known_to_the_code_or_to_the_host(self) -> None:
        code = (ROOT / "rotation/settings/environment.py").read_text() + (
            ROOT / "function_app.py"
        ).read_text()
        known = set(re.findall(r"\"(ROTATION_[A-Z_]+)\"", code))
        ours = {name for name in app_settings() if not HOSTS.fullmatch(name)}
        assert ours <= known

    def test_with_them_the_service_starts(self) -> None:
        given = {
            "ROTATION_VAULTS": "https://a.vault.azure.net,https://b.vault.azure.net",
            "ROTATION_OVERLAP": "PT26H",
            "ROTATION_ARM": "https://management.azure.com/",
            "AzureWebJobsStorage__accountName": "strotation",
            "ROTATION_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
        }
        assert given.keys() <= app_settings().keys()
        optional = {name: "" for name in app_settings() if name not in given}
        loaded = settings.load(given | optional)
        assert len(loaded.vaults) == 2
        assert loaded.storage is not None
        assert loaded.storage.kind == "identity"
        assert loaded.credential == "managed"

    def test_none_that_flex_consumption_refuses(self) -> None:
        refused = ("FUNCTIONS_", "WEBSITE_", "SCM_DO_BUILD", "ENABLE_ORYX")
        assert not [name for name in app_settings() if name.startswith(refused)]

    def test_function_keys_stay_closed(self) -> None:
        assert "ROTATION_FUNCTION_KEYS" not in app_settings()


class TestEvents:
    SUBSCRIPTION = FILES["modules/eventsubscription.bicep"].text

    def test_the_types_are_those_that_the_code_acts_upon(self) -> None:
        types = set(re.findall(r"'(Microsoft\.KeyVault\.\w+)'", self.SUBSCRIPTION))
        assert types == {events.NEAR_EXPIRY, events.EXPIRED}

    def test_they_go_into_the_queue_that_the_function_reads(self) -> None:
        (queue,) = re.findall(r"queueName: '([\w-]+)'", self.SUBSCRIPTION)
        functions = {f.name: f for f in of_app(function_app.app)}
        assert functions["work"].trigger["queueName"] == queue
        made = FILES["modules/storage.bicep"].tree["variables"]["queueNames"]["value"]
        assert set(made) == {queue, f"{queue}-poison"}

    def test_what_event_grid_puts_there_is_understood(self) -> None:
        """Event Grid encodes what it delivers to a queue; so does the host's trigger expect it."""
        host = json.loads((ROOT / "host.json").read_text())
        assert host["extensions"]["queues"]["messageEncoding"] == "base64"


def test_the_journal_is_in_the_container_that_the_code_expects() -> None:
    loaded = settings.load({"ROTATION_VAULTS": "https://a.vault.azure.net"})
    assert f"name: '{loaded.journal_container}'" in FILES["modules/storage.bicep"].text


def test_what_azd_and_the_pipeline_give_is_what_the_deployment_takes() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    known = FILES["main.bicep"].tree["parameters"]
    assert given.keys() <= known.keys()
    assert {n for n, p in known.items() if p["default"] is None} <= given.keys()
    asked = set(re.findall(r"\$\{(\w+)", json.dumps(given)))
    pipeline = set(re.findall(r"^ +(\w+): \$\{\{ vars", _workflow(), re.M))
    assert asked <= pipeline, "what a pipeline does not pass is switched off by it"
    assert {name for name in pipeline if name.startswith("ROTATION_")} <= asked


def test_a_variable_that_is_set_to_nothing_is_the_default() -> None:
    """As a pipeline passes what nobody has set."""
    for name, parameter in FILES["main.bicep"].tree["parameters"].items():
        for decorator in parameter["decorators"]:
            if decorator["type"] == "allowed":
                assert "" in decorator["argument"], name


def test_every_variable_of_the_deployment_is_documented() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    document = (ROOT / "docs/deploy.md").read_text()
    for parameter, value in given.items():
        for variable in re.findall(r"\$\{(ROTATION_\w+)", value["value"]):
            assert f"| `{variable}` | `{parameter}` |" in document


def test_the_app_roles_are_those_that_the_api_asks_for() -> None:
    roles = json.loads((INFRA / "approles.json").read_text())
    assert {role["value"] for role in roles} == {role.value for role in Role}
    assert len({role["id"] for role in roles}) == len(roles)


def _workflow() -> str:
    return (ROOT / ".github/workflows/deploy.yml").read_text()


def test_every_finding_of_checkov_that_stands_is_explained() -> None:
    lines = re.findall(r"^ +- (CKV\w+)(.*)$", (INFRA / "checkov.yaml").read_text(), re.M)
    assert lines
    assert all(re.match(r" +# \S", reason) for _, reason in lines)
    inline = [path for path, s in FILES.items() if "checkov:skip" in s.text]
    assert not inline, "in one place only"
