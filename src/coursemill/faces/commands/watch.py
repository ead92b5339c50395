"""`coursemill watch`: rebuild what changes while you write."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import PurePosixPath

import click

from coursemill.course import watch
from coursemill.course.watch import Rebuilt
from coursemill.faces import cli, terminal
from coursemill.faces.commands.build import OURS, summary
from coursemill.model import Finding
from coursemill.pure import codes


@click.command("watch")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Rebuild what changes while you write.

    Builds once, and again whenever a note, a file of the vault or the settings change. Each change gets a line with
    the time, and the mistakes that are in the changed notes. Ctrl-C ends it.

    \b
    coursemill watch

    Exit codes: 0 ended by Ctrl-C.
    """
    config = cli.course(ctx)
    terminal.show(f"Watching {config.path(config.notes)}: Ctrl-C ends it.")
    with suppress(KeyboardInterrupt):  # also while it builds: every file is whole, and the next build completes
        watch.watch(config, show)
    terminal.show("Ended.")


def show(result: Rebuilt) -> None:
    """Print a line for the change, and what is wrong in the notes that it touched."""
    names = ", ".join(PurePosixPath(path).name for path in result.changed[:3]) or "all notes"
    more = f" and {len(result.changed) - 3} more" if len(result.changed) > 3 else ""
    told = summary(result.built) if result.built else result.error
    terminal.show(f"{time.strftime('%H:%M:%S')} {names}{more}: {told}")
    if result.built:
        terminal.show_findings(f for f in result.built.findings if _matters(f, result.changed))


def _matters(finding: Finding, changed: Collection[str]) -> bool:
    """At first errors; then whatever is wrong where the author is writing, but for notes that are yet to be written."""
    if finding.path in changed:
        return finding.code != codes.LINK_UNRESOLVED.code
    return not changed and (finding.severity == "error" or finding.code in OURS)
