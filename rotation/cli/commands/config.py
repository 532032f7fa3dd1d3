"""The config commands: save the service's address and scope, so that no command needs them."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import output, saved

app = typer.Typer(help="Save the URL and the scope of the service.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="url or scope.")]


@app.command("set")
def set_value(name: Name, value: Annotated[str, typer.Argument(help="The value to save.")]) -> None:
    """Save a value. Options and environment variables take precedence over it."""
    saved.save(name, value)
    output.echo(f"Saved in {saved.path()}")


@app.command()
def unset(name: Name) -> None:
    """Remove a saved value."""
    saved.save(name, "")
    output.echo(f"Removed from {saved.path()}")


@app.command("show")
def show() -> None:
    """Show the saved values."""
    found = saved.read()
    if found:
        output.fields(found)
    else:
        output.error(
            "Nothing is saved.", "keyrotation config set url https://my-app.azurewebsites.net"
        )
