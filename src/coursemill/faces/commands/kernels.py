"""`coursemill kernels`: which kernels this machine has."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from coursemill.effects import kernels
from coursemill.errors import ConfigError
from coursemill.faces import cli, terminal
from coursemill.model import ACCELERATORS, Accelerator
from coursemill.pure.outcome import Kernel


@click.command("kernels")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--require", type=click.Choice(ACCELERATORS), multiple=True, help="Exit with 3 when this kernel is not available."
)
@click.pass_context
def command(ctx: click.Context, as_json: bool, require: tuple[Accelerator, ...]) -> None:
    """Show which kernels this machine has, and why not the others.

    papermill and JupyterLab know the kernels by the same names.
    """
    found = [kernels.probe(name, _cache(ctx)) for name in ACCELERATORS]
    if as_json:
        terminal.show_json([{**asdict(kernel), "spec": kernel.spec} for kernel in found])
    else:
        terminal.show(_table(found))
    if any(kernel.name in require and not kernel.available for kernel in found):
        sys.exit(cli.UNAVAILABLE)


def _table(found: Iterable[Kernel]) -> terminal.Table:
    rows = []
    for kernel in found:
        state = "available" if kernel.available else "unavailable"
        about = ", ".join(kernel.devices) if kernel.available else f"{kernel.reason}; {kernel.fix}"
        rows.append((kernel.spec, state, about))
    columns = (
        terminal.Column("kernel", keep=True),
        terminal.Column("state", keep=True),
        "devices, or why there are none",
    )
    return terminal.table(columns, rows)


def _cache(ctx: click.Context) -> Path | None:
    """Where slow answers are kept: in the course, when the command is called in one."""
    try:
        course = cli.course(ctx)
    except ConfigError:
        return None
    return course.path(course.build, "cache")
