"""The served page: one document, and a policy that allows nothing else to run."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from rotation.web.dashboard import page


def directives() -> dict[str, str]:
    return dict(part.split(" ", 1) for part in page()[1].split("; "))


def test_the_policy_allows_only_the_page_itself() -> None:
    found = directives()
    sources = {name: value for name, value in found.items() if name not in _INLINED}
    assert sources == {
        "default-src": "'none'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


_INLINED = {"script-src": r"<script[^>]*>(.*?)</script>", "style-src": r"<style>(.*?)</style>"}


@pytest.mark.parametrize("directive", _INLINED)
def test_inlined_text_is_allowed_by_its_digest(directive: str) -> None:
    (text,) = re.findall(_INLINED[directive], page()[0], re.S)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert directives()[directive] == f"'sha256-{digest}'"


def test_nothing_is_loaded_from_other_sites() -> None:
    html = page()[0]
    addresses = re.findall(r"""["'(](https?:)?//[^"')]*""", html.replace("http://www.w3.org", ""))
    assert not addresses
    assert not re.findall(r"<(?:script|link|img)[^>]+src=", html)


def test_external_text_never_becomes_markup() -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\("
    assert not re.findall(forbidden, page()[0])
    assert not re.findall(r"<[a-z][^>]* (?:style|on[a-z]+)=", page()[0])


def test_the_page_stores_nothing_in_the_browser() -> None:
    assert not re.findall(r"localStorage|sessionStorage|indexedDB|document\.cookie", page()[0])
