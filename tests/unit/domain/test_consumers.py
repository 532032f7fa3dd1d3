"""The setting that names consumers: what it accepts, and which secrets may select them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rotation.domain.consumers import parse, parse_names
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.policy import Policy, unknown_consumers
from rotation.domain.targets import Enrolment, Target

VAULT = "https://kv-a.vault.azure.net"
OTHER = "https://kv-b.vault.azure.net"
APPS = "/subscriptions/s-1/resourceGroups/rg-1/providers/"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = AccountId.parse(f"{APPS}Microsoft.CognitiveServices/accounts/acct")
SITE = f"{APPS}Microsoft.Web/sites/shop"
CONTAINER = f"{APPS}Microsoft.App/containerApps/chat"


def test_an_entry_has_a_name_a_place_and_its_parts_in_any_order() -> None:
    found = parse(f"Shop@kv-a/shop-*={SITE} https://shop.contoso.com/key api://shop", (VAULT,))
    (one,) = found.all
    assert (one.name, one.url, one.audience) == (
        "shop",
        "https://shop.contoso.com/key",
        "api://shop",
    )
    assert (one.resource, one.is_container_app) == (SITE, False)
    assert found.have_checks
    assert found.have_resources


def test_a_secret_selects_only_the_consumers_of_its_place() -> None:
    text = f"shop@kv-a/shop-*={SITE}, chat@kv-b={CONTAINER}"
    found = parse(text, (VAULT, OTHER))
    names = ("shop", "chat", "other")
    assert [c.name for c in found.of(TargetId(VAULT, "shop-key"), names)] == ["shop"]
    assert [c.name for c in found.of(TargetId(OTHER, "shop-key"), names)] == ["chat"]
    assert found.of(TargetId(VAULT, "other"), names) == ()
    assert found.of(TargetId(VAULT, "shop-key"), ()) == ()
    assert found.all[1].is_container_app
    assert not found.have_checks


@pytest.mark.parametrize(
    "word",
    [
        "http://shop.contoso.com/key",
        "https://localhost/key",
        "https://127.0.0.1/key",
        "https://[::1]/key",
        "https://2130706433/key",
        "https://shop.contoso.com:8443/key",
        "https://user@shop.contoso.com/key",
        "https://shop.contoso.com/key#part",
        "https://shop_contoso.com/key",
        "https://shop.contoso.com/schü",
        "https://shop.contoso.com:443/key",
        "https://shop.contoso.com:x/key",
        "api://shop",
        "https://shop.contoso.com https://other.contoso.com",
        "https://shop.contoso.com https://management.azure.com/.default",
        f"{APPS}Microsoft.Web/sites/shop/config/web",
        f"{APPS}Microsoft.Compute/virtualMachines/shop",
        f"{SITE}/../../other",
        "",
    ],
)
def test_other_addresses_audiences_and_resources_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match="shop"):
        parse(f"shop@kv-a={word}", (VAULT,))


@pytest.mark.parametrize("head", ["sho p@kv-a", "@kv-a", "shop@", "shop"])
def test_an_entry_without_a_name_or_a_place_is_told_how_to_write_it(head: str) -> None:
    with pytest.raises(ValueError, match="is not name@vault"):
        parse(f"{head}={SITE}", (VAULT,))


def test_one_app_among_the_consumers_is_enough_for_a_refresh() -> None:
    found = parse(f"shop@kv-a={SITE}, chat@kv-a=https://chat.contoso.com/key", (VAULT,))
    assert found.have_resources
    assert found.have_checks
    assert not found.all[1].is_container_app


def test_every_problem_is_named_at_once_and_a_name_stands_for_one_consumer() -> None:
    with pytest.raises(ValueError, match=r"kv-x.*named twice"):
        parse(f"a@kv-x={SITE}, b@kv-a={SITE}, b@kv-a={SITE}", (VAULT,))


def test_a_problem_repeats_nothing_that_may_be_a_key() -> None:
    with pytest.raises(ValueError, match="…") as refused:
        parse("0123456789abcdef0123456789abcdef", (VAULT,))
    assert "0123456789abcdef" not in str(refused.value)


def test_the_tag_lists_names() -> None:
    assert parse_names(" Shop, chat,,shop") == ("shop", "chat")
    with pytest.raises(ValueError, match="not the name"):
        parse_names("https://attacker.example")


def test_a_remark_on_an_unknown_name_repeats_nothing_that_may_be_a_key() -> None:
    enrolment = Enrolment(ACCOUNT, consumers=("0123456789abcdef0123456789abcdef", "shop"))
    secret = Target(TargetId(VAULT, "a"), "v", None, NOW, None, None, {}, enrolment)
    found = unknown_consumers(secret, Policy())
    assert [text.split()[2] for text in found] == ["…", "shop"]


def test_only_the_names_that_the_setting_does_not_have_for_a_secret_are_remarked_on() -> None:
    policy = Policy(consumers=parse(f"shop@kv-a={SITE}, chat@kv-b={CONTAINER}", (VAULT, OTHER)))
    enrolment = Enrolment(ACCOUNT, consumers=("shop", "chat", "none"))
    secret = Target(TargetId(VAULT, "a"), "v", None, NOW, None, None, {}, enrolment)
    assert [text.split()[2] for text in unknown_consumers(secret, policy)] == ["chat", "none"]
