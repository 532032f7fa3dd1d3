"""The deployed package: the files that .funcignore does not exclude."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IGNORED = (ROOT / ".funcignore").read_text().split()
START = """
import json, function_app, rotation
names = [f.get_function_name() for f in function_app.app.get_functions()]
print(json.dumps([rotation.__file__, names]))
"""


def _is_deployed(path: Path) -> bool:
    text = path.as_posix()
    return not any(fnmatch(text, p) or fnmatch(path.name, p) for p in IGNORED)


def _deployed() -> Iterator[Path]:
    """Yield the deployed files. Ignored folders are not entered, as in Core Tools and azd."""
    for folder, folders, files in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        folders[:] = [name for name in folders if _is_deployed(here / name)]
        yield from (here / name for name in files if _is_deployed(here / name))


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("deployed")
    for path in _deployed():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, directory / path)
    return directory


def test_the_package_is_the_function_app_and_nothing_else(deployed: Path) -> None:
    assert {path.name for path in deployed.iterdir()} <= {
        *("function_app.py", "host.json", "requirements.txt", "requirements.in", "rotation"),
        *("LICENSE",),
    }
    assert not (deployed / "rotation/cli").exists()


def test_the_package_starts_with_all_of_its_functions(deployed: Path) -> None:
    started = subprocess.run(
        [sys.executable, "-c", START],
        cwd=deployed,
        env={"PATH": os.environ["PATH"], "ROTATION_VAULTS": "https://kv.vault.azure.net"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    assert str(deployed) in started.stdout
    for name in ("sweep", "secret_expiring", "work", "dashboard", "health"):
        assert f'"{name}"' in started.stdout
