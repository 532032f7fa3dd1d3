"""Reports phrases that are not plain English. Run `python -m scripts.prose [FILE ...]`."""

from __future__ import annotations

import re
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUFFIXES = frozenset(
    {".py", ".md", ".js", ".html", ".css", ".bicep", ".sh", ".toml", ".yaml", ".yml"}
)
NAMES = frozenset({"Makefile", "CODEOWNERS"})
# These two contain the rejected phrases themselves.
EXEMPT = frozenset({"scripts/prose.py", "tests/unit/test_prose.py"})

# A phrase is a regular expression over text in lower case, in which each run of blanks, line breaks
# and comment markers is one space. Beside each is what to write instead.
PHRASES: dict[str, str] = {
    # A relative clause used as a noun.
    r"\bwho(?:so)?ever\b": "anyone who, anything that",
    r"\bwhatever\b": "any, everything that",
    r"\bwhom\b": "name the person or thing",
    r"\bwhat (?:is|was|are|were) (?:due|there|foretold|said|meant|asked|seen|told)\b": "a noun",
    r'"""(?:what|who|whom|whose|whether|those|where|which|as|that|all that|somebody|nobody'
    r"|how|why|when)\b": ("start a docstring with a verb in the imperative, or with a noun phrase"),
    # "Where" in place of "if" or "when".
    r"\bwhere (?:there|nobody|no|none|nothing|somebody|somebody's)\b": "if, when",
    r"\bnone where\b": "None if",
    r"\braises? \w+ where\b": "raises ... if",
    # The noun is negated in place of the verb.
    r"(?<!\bthere )\b(?:is|are|was|were) no (?!longer|more|such|one\b|way|need|point|other|doubt"
    r"|less|later|earlier|sooner|older|newer|greater|smaller)[a-z]+": "is not a ...",
    r"\b(?:names|knows|says|asks|proves|tells) no [a-z]+": "does not ... a",
    r"\b(?:names|knows) none\b": "does not ... one",
    # Keys are regenerated, revoked, valid or refused.
    r"\bma(?:de|ke|kes|king) (?:(?:it|them|both|all|a|the|keys?|old|spare) ){0,3}new\b"
    r"(?! (?!and |by |at |in )[a-z])": "regenerate",
    r"\b(?:made|makes?) to die\b": "revoke",
    r"\blives? on\b": "is still valid",
    r"\bproven (?:dead|by use)\b": "verified",
    r"\bkeys? (?:dies|die|died|is dead|are dead|lives|lived)\b": "is revoked, refused or valid",
    # Archaic and literary words.
    r"\bnought\b": "zero, nothing",
    r"\banew\b": "again",
    r"\bupon\b": "on",
    r"\bmeanwhile\b": "in the meantime",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\bfore(?:tell|tells|told|see|sees|seen|saw|sight|cast by)\b": "preview, expect",
    r"\bhence\b": "so, therefore",
    r"\bwhere(?:in|upon|with|of|by|from)\b": "in which, with which",
    r"\bthere(?:upon|of|in|to|from)\b": "then, of it",
    r"\b(?:gives?|gave|giving) way\b": "be superseded, yield",
    r"\b(?:comes?|came|coming) into being\b": "be created",
    r"\bown hands\b|\bby hands\b": "directly, with your own credentials",
    r"\bastray\b": "wrong, other",
    r"\blaggards?\b": "stale reader",
    r"\bsuffic(?:es?|ed|ing)\b": "be enough, be allowed",
    r"\bvouch(?:es|ed)?\b": "authenticate",
    r"\bhaste\b|\bhurr(?:y|ied|ies)\b": "speed, escalate",
    r"\bfor want of\b": "because there is no",
    r"\bit is meant\b": "it is intended",
    r"\bhow (?:it|they|things) stands?\b": "its state",
    r"\bas it should\b": "correctly",
    r"\b(?:a|the|its|each|one|every|this) wish\b|\bwrites? wishes\b": "request",
    r"\bone door\b|\bthe door\b": "entry point",
    r"\blets? (?:nobody|somebody|anybody|whom) in\b": "admit, reject",
    # Things that speak, know and want.
    r"\b(?:settings?|tags?|requests?|facts|journal|records?) (?:say|says|know|knows|tells?)\b": (
        "contains, states, defines"
    ),
    # Clipped options and possessive tails.
    r"\bby commas?\b": "comma-separated",
    r"\bof ours\b|\bof theirs\b": "our, their",
    r"\bof (?:its|their|one's) own\b": "its own ...",
    r"\bby (?:itself|themselves)\b": "automatically, alone",
}

# Distinctive parts of sentences that have been rewritten.
REWRITTEN: tuple[str, ...] = (
    "where the function app is",
    "agree to what is",
    "whether everything is there that a rotation needs",
    "how it stands to the rotation",
    "hand accounts to the rotation",
    "own sign-in.",
    "rotations back, or (--off)",
    "nobody is there to agree",
    "where is the service?",
    "nothing says who you are",
    "the platform let nobody in",
    "into which vault?",
    "keys of these accounts belong to the rotation",
    "beside them are unmanaged",
    "somebody who answers",
    "what was said already",
    "nobody vouches",
    "not from this page",
    "who asks, may they",
    "there is no rotation of this id",
    "function key does not suffice",
    "mend that",
    "is made new",
    "a key that cannot be right",
    "is proven dead",
    "one secret needs you",
    "never mind",
    "leaked key is made to die",
    "it dies as soon as possible",
    "access policies rule it",
    "nobody is told of",
    "come into being",
    "are helped first",
    "a second of its own",
    "hardened into",
    "nought unless",
    "another worker is on it",
    "what must hold before a regenerate",
    "what stands beside",
    "nobody is asked",
)

_MARKERS = re.compile(r'^[\s#/*>]+|[\s"\']+$')
_TEST = re.compile(r"(?:async )?def test_\w+")


@dataclass(frozen=True)
class Finding:
    """A rejected phrase in a line of a file."""

    path: str
    line: int
    phrase: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.phrase!r} - write: {self.instead}"


_RULES = [
    *((re.compile(pattern), instead) for pattern, instead in PHRASES.items()),
    (re.compile("|".join(map(re.escape, REWRITTEN))), "the plain sentence that replaced it"),
]


def _joined(text: str) -> tuple[str, list[int]]:
    """Return the text on one line, and the offset at which each of its lines starts."""
    lines, starts, offset = [], [], 0
    for line in text.lower().splitlines():
        words = _MARKERS.sub("", line).lstrip("f\"'") if '"""' not in line else line.strip()
        words = words.replace("_", " ") if _TEST.match(words) else words
        lines.append(words)
        starts.append(offset)
        offset += len(words) + 1
    return " ".join(lines), starts


def check(path: str, text: str) -> Iterator[Finding]:
    """Yield the rejected phrases of one text."""
    joined, starts = _joined(text)
    for rule, instead in _RULES:
        for found in rule.finditer(joined):
            yield Finding(path, bisect_right(starts, found.start()), found[0], instead)


def files() -> Iterable[str]:
    """Return the tracked files that contain prose, relative to the repository."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    wanted = (p for p in listed if Path(p).suffix in SUFFIXES or Path(p).name in NAMES)
    return [path for path in wanted if path not in EXEMPT and (ROOT / path).exists()]


def findings(paths: Iterable[str]) -> list[Finding]:
    """Return the findings in these files, ordered by file and line."""
    found = [one for path in paths for one in check(path, (ROOT / path).read_text())]
    return sorted(found, key=lambda one: (one.path, one.line))


def main(arguments: list[str]) -> int:
    """Print each finding. Return 1 if there are any."""
    found = findings(arguments or files())
    for one in found:
        print(one)
    print(f"{len(found)} phrases to rewrite" if found else "The prose is plain.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
