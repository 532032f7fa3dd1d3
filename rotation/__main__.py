"""``python -m rotation``: the command line."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line. Return 64 if its extra dependencies are missing."""
    try:
        from .cli.app import main as run
    except ModuleNotFoundError as exc:
        if exc.name not in ("typer", "rich"):
            raise
        print(
            f"The command line needs {exc.name}: pip install 'azure-ai-key-rotation[cli]', "
            "or in a checkout: pip install -e '.[cli]'",
            file=sys.stderr,
        )
        return 64
    return run()


if __name__ == "__main__":
    sys.exit(main())
