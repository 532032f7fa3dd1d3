"""Links of the documentation work in the repository and on the site."""

from __future__ import annotations

import pytest

from scripts import site

REPOSITORY = "https://example.org/rotation"


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("index.md", "[a](docs/deploy.md#x)", "[a](deploy.md#x)"),
        ("index.md", "![a](docs/images/a.png)", "![a](images/a.png)"),
        ("deploy.md", "[a](../README.md)", "[a](index.md)"),
        ("deploy.md", "[a](security.md)", "[a](security.md)"),
        ("decisions/0001.md", "[a](../deploy.md)", "[a](../deploy.md)"),
        ("playground.md", "[a](../../docs/deploy.md)", "[a](deploy.md)"),
        ("deploy.md", "[a](../infra/main.bicep)", f"[a]({REPOSITORY}/blob/main/infra/main.bicep)"),
        ("deploy.md", "[a](https://aka.ms/azd)", "[a](https://aka.ms/azd)"),
    ],
)
def test_a_link_points_to_a_page_or_to_the_repository(page: str, link: str, expected: str) -> None:
    assert site.rewrite(link, page, REPOSITORY) == expected


def test_without_a_repository_a_link_that_leaves_the_site_is_plain_text() -> None:
    assert site.rewrite("see [infra](../infra)", "deploy.md", "") == "see infra"


def test_every_page_from_outside_docs_exists() -> None:
    assert all((site.ROOT / source).exists() for source in site.PAGES.values())


def test_a_section_of_the_readme_becomes_a_page() -> None:
    home, sections = site.split("# A\n\n## B\n\nb\n\n## C\n\nc\n", ["B"])
    assert home == "# A\n\n## C\n\nc\n"
    assert sections == {"B": "# B\n\nb\n\n"}


def test_every_section_that_becomes_a_page_is_in_the_readme() -> None:
    assert site.pages()["settings.md"].startswith("# Settings")
    assert "## Settings" not in site.pages()["index.md"]
