"""Which call was hit by which fault in which phase, and which combinations never were."""

from __future__ import annotations

from .faults import BY_NAME, possible
from .jobs import Tally

WIDTH = 22


def table(tally: Tally, *, classes: bool = False) -> str:
    """Rows are calls, columns faults; a cell counts the phases, of those where the call occurs."""
    wanted = {
        (call, fault, phase)
        for call, phase in tally.places
        for fault in possible(call, classes=classes)
    }
    met = wanted & set(tally.hits)
    shown = [fault for fault in BY_NAME if any(fault == name for _, name, _ in wanted)]
    lines = [" " * WIDTH + "".join(f"{fault.replace(' done', '*'):>8}" for fault in shown)]
    for call in sorted({call for call, _ in tally.places}):
        cells = (_cell(call, fault, met, wanted) for fault in shown)
        lines.append(f"{call:{WIDTH}}" + "".join(cells))
    share = len(met) / max(len(wanted), 1)
    lines.append(
        f"\n{len(met)} of {len(wanted)} combinations of call, fault and phase "
        f"({share:.0%}), {sum(tally.hits.values())} faults in {tally.scenarios} scenarios, "
        f"{tally.consumer_requests} requests of consumers"
    )
    missing = sorted(wanted - met)
    if missing:
        some = "; ".join(f"{fault} at {call} in {phase}" for call, fault, phase in missing[:8])
        lines.append(f"not met, among others: {some}")
    return "\n".join(lines)


def _cell(
    call: str, fault: str, met: set[tuple[str, str, str]], wanted: set[tuple[str, str, str]]
) -> str:
    possible_here, found = (
        sum(hit[:2] == (call, fault) for hit in group) for group in (wanted, met)
    )
    return f"{f'{found}/{possible_here}' if possible_here else '':>8}"
