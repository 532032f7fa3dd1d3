"""Ctrl-C: a real SIGINT to a real process, at each moment of a command."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rotation.cli.exit_status import ExitStatus
from tests.end_to_end.browser.site import Site, site

from .conftest import QUICK, in_thread, playground

ROOT = Path(__file__).parents[3]
SECRET = "kv-demo/speech-demo-key"
AT_ONCE = 5.0  # seconds

# The proof of a new key takes long, so that a rotation can be interrupted.
SLOW = {**QUICK, "ROTATION_PROBE_SPAN": "PT2M", "ROTATION_PROBE_SUCCESSES": "3"}


@pytest.fixture(scope="module")
def slow_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with in_thread(site(playground(), tmp_path_factory.mktemp("slow"), SLOW)) as found:
        yield found


@pytest.fixture
def environment(slow_service: Site, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "KEYROTATION_CONFIG": str(tmp_path),
        "ROTATION_URL": slow_service.url,
        "ROTATION_FUNCTION_KEY": slow_service.key,
    }


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


def url(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def start(environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "rotation", *arguments],
        env=dict(environment),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Send SIGINT; return the exit status and standard error. It must end at once."""
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=AT_ONCE)
    finally:
        process.kill()
    assert "Traceback" not in err
    return process.returncode, err


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    """Return the line of standard output that matches."""
    assert process.stdout
    for line in process.stdout:
        if re.search(wanted, line):
            return line
    raise AssertionError(f"{wanted!r} was not printed: {process.communicate()[1]}")


def begun(process: subprocess.Popen[str]) -> str:
    """Return the id of the rotation that the process follows, once it has begun."""
    accepted = read_until(process, "^Accepted: ")
    read_until(process, "begins in|regenerate")
    return accepted.split()[1]


def test_while_it_follows_it_says_how_to_resume(environment: dict[str, str]) -> None:
    process = start(environment, "rotate", SECRET, "--reason", "a colleague has left")
    rotation = begun(process)
    status, err = interrupt(process)
    assert status == ExitStatus.INTERRUPTED
    assert f"keyrotation watch {rotation}" in err
    assert "Nothing was sent" not in err

    again = start(environment, "watch", rotation)
    read_until(again, "regenerate")
    status, err = interrupt(again)
    assert (status, f"keyrotation watch {rotation}" in err) == (ExitStatus.INTERRUPTED, True)


def test_a_batch_is_listed_with_rotations(environment: dict[str, str]) -> None:
    process = start(environment, "rotate", "--vault", "kv-demo", "--reason", "audit", "--yes")
    time.sleep(8)
    assert process.poll() is None
    status, err = interrupt(process)
    assert status == ExitStatus.INTERRUPTED
    assert re.search(r"keyrotation rotations --batch batch-\w+", err)


@pytest.mark.parametrize(
    "arguments",
    [
        ("pause", SECRET, "--reason", "release week"),
        ("cancel", "0dd4c9cba3754443-d44ca581c52a", "--reason", "false alarm"),
    ],
)
def test_while_a_change_is_sent_it_may_have_been_accepted(
    environment: dict[str, str], deaf: socket.socket, arguments: tuple[str, ...]
) -> None:
    process = start({**environment, "ROTATION_URL": url(deaf)}, *arguments)
    with deaf.accept()[0] as connection:
        assert connection.recv(1)
        status, err = interrupt(process)
    assert status == ExitStatus.INTERRUPTED
    assert "may have been accepted" in err
    assert "keyrotation" in err


def test_before_anything_is_sent_it_says_so(
    environment: dict[str, str], deaf: socket.socket
) -> None:
    process = start({**environment, "ROTATION_URL": url(deaf)}, "rotate", SECRET, "--reason", "r")
    with deaf.accept()[0] as connection:
        assert connection.recv(1)
        status, err = interrupt(process)
    assert (status, "Nothing was sent" in err) == (ExitStatus.INTERRUPTED, True)


def test_at_a_prompt_one_ctrl_c_is_enough(environment: dict[str, str]) -> None:
    parent, child = pty.openpty()
    arguments = ("emergency", SECRET, "--reason", "a drill", "--leaked", "key1")
    process = subprocess.Popen(
        [sys.executable, "-m", "rotation", *arguments],
        env=dict(environment),
        cwd=ROOT,
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    os.close(child)
    shown = ""
    while "[y/N]" not in shown:
        shown += os.read(parent, 4096).decode()
    time.sleep(0.5)  # the prompt is shown shortly before the process waits for the answer
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(AT_ONCE) == ExitStatus.INTERRUPTED
    finally:
        process.kill()
        os.close(parent)
