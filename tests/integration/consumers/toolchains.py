"""The commands that start the samples, and their requirements."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from emulator.proxy.server import Proxy

ROOT = Path(__file__).parents[3]
CONSUMERS = ROOT / "examples/consumers"
NODE_MODULES = ROOT / ".tools/consumers/node_modules"
# A package of npm that contains azure-core, which Maven Central has and the tests cannot reach.
AZURE_CORE = ROOT / ".tools/azure-core/node_modules/@azure-tools/typespec-java/target/emitter.jar"
Prepared = tuple[list[str], dict[str, str]]


@dataclass(frozen=True)
class Sample:
    """``prepared`` returns the command and its environment, or skips the test."""

    name: str
    prepared: Callable[[Proxy, Path], Prepared]

    def __str__(self) -> str:
        return self.name


def python(module: str) -> Sample:
    command = [sys.executable, "-m", f"examples.consumers.python.{module}"]
    return Sample(f"python-{module}", lambda proxy, directory: (command, {}))


def node() -> Sample:
    return Sample("node", _node)


def _node(proxy: Proxy, directory: Path) -> Prepared:
    """Copy the sample beside its packages; let fetch use the proxy, which Node 20 does not."""
    if not NODE_MODULES.exists():
        _absent("the packages of the Node sample are missing: make samples")
    for file in (CONSUMERS / "node").iterdir():
        shutil.copy(file, directory)
    shutil.copy(Path(__file__).with_name("proxy.mjs"), directory)
    (directory / "node_modules").symlink_to(NODE_MODULES)
    return ["node", "--import", str(directory / "proxy.mjs"), str(directory / "app.mjs")], {}


def java() -> Sample:
    return Sample("java", lambda proxy, directory: _java(proxy, directory, "Emulated"))


def java_policy() -> Sample:
    return Sample("java-policy", _java_policy)


def _java_policy(proxy: Proxy, directory: Path) -> Prepared:
    """Compile KeyPolicy.java too, with the SDK's core library."""
    if not AZURE_CORE.exists():
        _absent("azure-core is missing: make samples")
    return _java(proxy, directory, "Policy", AZURE_CORE)


def _java(proxy: Proxy, directory: Path, main: str, *libraries: Path) -> Prepared:
    """Compile what ``main`` uses, with a stand-in for the SDK's read, and trust the proxy's CA."""
    if shutil.which("javac") is None:
        pytest.skip("there is no Java compiler")
    samples, tests = CONSUMERS / "java", Path(__file__).parent / "java"
    path = ":".join(map(str, (directory, *libraries)))
    subprocess.run(
        ["javac", "-Werror", "-Xlint:all,-classfile", "-proc:none", "-d", directory, "-cp", path,
         "-sourcepath", f"{samples}:{tests}", tests / f"{main}.java"],
        check=True, capture_output=True,
    )  # fmt: skip
    trust, port, password = directory / "trust.p12", urlsplit(proxy.url).port, "public"
    subprocess.run(
        ["keytool", "-importcert", "-noprompt", "-storetype", "PKCS12", "-storepass", password,
         "-keystore", trust, "-file", proxy.bundle],
        check=True, capture_output=True,
    )  # fmt: skip
    options = {
        "https.proxyHost": "127.0.0.1",
        "https.proxyPort": port,
        "javax.net.ssl.trustStore": trust,
        "javax.net.ssl.trustStorePassword": password,
    }
    flags = [f"-D{name}={value}" for name, value in options.items()]
    return ["java", *flags, "-cp", path, main], {}


def _absent(reason: str) -> None:
    if os.environ.get("REQUIRE_SAMPLES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
