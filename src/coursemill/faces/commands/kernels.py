"""`coursemill kernels`: which kernels this machine has."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
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

    papermill and JupyterLab know the kernels by the same names. Drivers and devices answer at once; TensorFlow,
    JAX and PyTorch, where they are installed, are asked in processes of their own, which takes seconds. In a
    course their answers are kept for ten minutes.
    """
    found = []
    with terminal.progress("kernels", len(ACCELERATORS)) as display:
        for name in ACCELERATORS:
            display.update(name, 0, 1, "asking")
            found.append(kernels.probe(name, _cache(ctx), ask=True))
            display.finish(name)
    if as_json:
        terminal.show_json([{**asdict(kernel), "spec": kernel.spec} for kernel in found])
    else:
        terminal.show(_table(found))
    if any(kernel.name in require and not kernel.available for kernel in found):
        sys.exit(cli.UNAVAILABLE)


def _table(found: Iterable[Kernel]) -> terminal.Table:
    columns = (
        terminal.Column("kernel", keep=True),
        terminal.Column("state", keep=True),
        terminal.Column("says", keep=True),
        "devices, or why there are none",
    )
    return terminal.table(columns, [row for kernel in found for row in _rows(kernel)])


def _rows(kernel: Kernel) -> Iterator[tuple[str, str, str, str]]:
    """What the machine has, then what each framework that was asked says; where nothing is, nobody was."""
    state = "available" if kernel.available else "unavailable"
    yield kernel.spec, state, "machine", _about(kernel.devices, kernel.reason, kernel.fix)
    asked = [f for f in kernel.frameworks if f.version and (kernel.available or f.reason != kernel.reason)]
    for framework in asked:
        label = f"{framework.label} {framework.version}"
        yield "", "", label, _about(framework.devices, framework.reason, framework.fix)
    absent = [f.label for f in kernel.frameworks if not f.version]
    if kernel.available and absent:
        yield "", "", "", f"not installed: {', '.join(absent)}"


def _about(devices: Sequence[str], reason: str, fix: str) -> str:
    return ", ".join(devices) or (f"{reason}; {fix}" if fix else reason)


def _cache(ctx: click.Context) -> Path | None:
    """Where slow answers are kept: in the course, when the command is called in one."""
    try:
        course = cli.course(ctx)
    except ConfigError:
        return None
    return course.path(course.build, "cache")
