"""The host lists the functions without the code that answers requests; every route has some."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from rotation import web
from rotation.web.routes import Route

LATE = ("rotation.web.handlers", "rotation.web.dispatch", "rotation.service", "rotation.engine")


@pytest.mark.parametrize("route", web.ROUTES, ids=lambda route: route.name)
def test_every_route_has_a_handler(route: Route) -> None:
    assert inspect.iscoroutinefunction(route.function())


def test_the_host_lists_the_functions_without_the_code_that_runs_them() -> None:
    code = "import function_app, sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines())
    assert "rotation.web.routes" in loaded
    assert not {name for name in loaded if name.startswith((*LATE, "azure.core", "aiohttp"))}
