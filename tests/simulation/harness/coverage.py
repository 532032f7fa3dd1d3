"""Tables of the injected faults and of the evaluated invariants."""

from __future__ import annotations

from .faults import BY_NAME, possible_faults
from .invariants import Invariant
from .tally import Tally

WIDTH = 22
Place = tuple[str, str, str]  # call, fault, phase


def fault_table(tally: Tally, *, classes: bool = False) -> str:
    """Return a table of calls and faults.

    A cell is the number of phases in which the fault was injected, of those in which the call was
    made.
    """
    wanted = {
        (call, fault, phase)
        for call, phase in tally.call_sites
        for fault in possible_faults(call, classes=classes)
    }
    met = wanted & set(tally.injected)
    shown = [fault for fault in BY_NAME if any(fault == name for _, name, _ in wanted)]
    lines = [" " * WIDTH + "".join(f"{fault.replace(' done', '*'):>8}" for fault in shown)]
    for call in sorted({call for call, _ in tally.call_sites}):
        cells = (_cell(call, fault, met, wanted) for fault in shown)
        lines.append(f"{call:{WIDTH}}" + "".join(cells))
    return "\n".join([*lines, "", *_summary(tally, met, wanted)])


def invariant_table(tally: Tally) -> str:
    """Return how often each invariant was evaluated, and how often it was excused."""
    lines = [
        f"{tally.evaluated[each]:>12,} {tally.excused[each] or '':>7}  {each}" for each in Invariant
    ]
    share = f"{tally.excused.total()} checks were excused ({tally.excused_share:.2%})"
    return "\n".join([f"{'evaluated':>12} {'excused':>7}", *lines, share])


def _summary(tally: Tally, met: set[Place], wanted: set[Place]) -> list[str]:
    share = len(met) / max(len(wanted), 1)
    lines = [
        f"{len(met)} of {len(wanted)} combinations of call, fault and phase "
        f"({share:.0%}), {sum(tally.injected.values())} faults in {tally.runs} runs, "
        f"{tally.consumer_requests} requests of consumers"
    ]
    missing = sorted(wanted - met)
    if missing:
        some = "; ".join(f"{fault} at {call} in {phase}" for call, fault, phase in missing[:8])
        lines.append(f"not injected, among others: {some}")
    return lines


def _cell(call: str, fault: str, met: set[Place], wanted: set[Place]) -> str:
    possible, injected = (
        sum(place[:2] == (call, fault) for place in places) for places in (wanted, met)
    )
    return f"{f'{injected}/{possible}' if possible else '':>8}"
