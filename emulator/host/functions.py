"""The functions of a function app."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import re
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.functions as func

_SETTING = re.compile(r"%([^%]+)%")


class BadApp(Exception):
    """The function app cannot be loaded; the message says why."""


@dataclass(frozen=True)
class Function:
    """One function: its trigger's binding as in function.json, and its callable."""

    name: str
    call: Callable[..., Any]
    trigger: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.trigger["type"]).lower()

    @property
    def argument(self) -> str:
        return str(self.trigger["name"])

    async def invoke(self, argument: Any, limit: timedelta) -> Any:
        """Call the function; a synchronous one runs in a thread."""
        arguments = {self.argument: argument}
        if "context" in inspect.signature(self.call).parameters:
            arguments["context"] = _Context(self.name)
        async with asyncio.timeout(limit.total_seconds()):
            if inspect.iscoroutinefunction(self.call):
                return await self.call(**arguments)
            return await asyncio.to_thread(self.call, **arguments)


class _Context(func.Context):
    def __init__(self, name: str) -> None:
        self._name, self._id, self._local = name, str(uuid.uuid4()), threading.local()

    @property
    def invocation_id(self) -> str:
        return self._id

    @property
    def thread_local_storage(self) -> Any:
        return self._local

    @property
    def function_name(self) -> str:
        return self._name

    @property
    def function_directory(self) -> str:
        return "."

    @property
    def trace_context(self) -> Any:
        return None

    @property
    def retry_context(self) -> Any:
        return None


def load(directory: Path) -> list[Function]:
    """Return the functions of the ``function_app.py`` in a directory. Raises BadApp."""
    _settings_of(directory)
    sys.path.insert(0, str(directory))
    try:
        sys.modules.pop("function_app", None)
        module = importlib.import_module("function_app")
    except ModuleNotFoundError as exc:
        raise BadApp(f"{directory}: {exc}") from exc
    finally:
        sys.path.remove(str(directory))
    found = [v for v in vars(module).values() if isinstance(v, func.FunctionApp)]
    if not found:
        raise BadApp(f"{directory}/function_app.py has no FunctionApp")
    return of_app(found[0])


def _settings_of(directory: Path) -> None:
    """Set the values of local.settings.json that the environment does not have."""
    path = directory / "local.settings.json"
    if path.exists():
        for name, value in json.loads(path.read_text()).get("Values", {}).items():
            os.environ.setdefault(name, value)


def of_app(app: func.FunctionApp) -> list[Function]:
    """Return an app's functions, with each ``%SETTING%`` resolved. Raises BadApp."""
    functions = []
    app.functions_bindings = {}  # or a second call would find each name taken
    for function in app.get_functions():
        trigger = function.get_trigger()
        if trigger is None:
            raise BadApp(f"{function.get_function_name()} has no trigger")
        binding = {n: _resolved(v) for n, v in trigger.get_dict_repr().items()}
        name = str(function.get_function_name())
        functions.append(Function(name, function.get_user_function(), binding))
    return functions


def _resolved(value: Any) -> Any:
    def setting(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise BadApp(
                f"the setting {match[1]} is missing; a binding refers to it by %{match[1]}%"
            )
        return os.environ[match[1]]

    return _SETTING.sub(setting, value) if isinstance(value, str) else value
