"""Renders docs/kinds.md."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rotation.domain.kinds import KINDS, Kind
from rotation.domain.probe_calls import CALLS, ProbeCall

PAGE = Path(__file__).parents[2] / "docs/kinds.md"

_TEMPLATE = Path(__file__).with_name("kinds.template.md")


def rendered() -> str:
    """Return the page."""
    kinds = sorted(KINDS.values(), key=lambda kind: kind.name.lower())
    return _TEMPLATE.read_text().format(
        kinds=_table(map(_kind, (kind for kind in kinds if not kind.is_retired))),
        retired=", ".join(f"`{kind.name}`" for kind in kinds if kind.is_retired),
        calls=_table(map(_call, CALLS.values())),
    )


def _table(rows: Iterable[Iterable[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _kind(kind: Kind) -> Iterable[str]:
    proof = "confirmed" if kind.is_confirmed else "general proof, not confirmed"
    return f"`{kind.name}`", f"`{kind.call.name}`", proof, kind.needs, kind.leaves_open


def _call(call: ProbeCall) -> Iterable[str]:
    region = ", with `Ocp-Apim-Subscription-Region`" if call.by_region else ""
    source = call.source or "none: for the general proof only"
    return f"`{call.name}`", f"`{call.method} {call.path}`{region}", f"`{call.header}`", source
