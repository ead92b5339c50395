"""`coursemill doctor`: which protections and kernels this machine has."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from coursemill.course import doctor
from coursemill.effects.sandbox.protections import Protection
from coursemill.errors import ConfigError
from coursemill.faces import cli, terminal
from coursemill.pure.outcome import Kernel


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show what protects this machine from students' code, and which kernels it has.

    Exits with 3 when code that nobody trusts would be refused here.
    """
    health = doctor.examine(_cache(ctx))
    if as_json:
        found = [{**asdict(kernel), "spec": kernel.spec} for kernel in health.kernels]
        terminal.show_json({"protections": health.protections, "kernels": found, "refusal": health.refusal})
    else:
        _show(health)
    if health.refusal:
        sys.exit(cli.UNAVAILABLE)


def _show(health: doctor.Health) -> None:
    columns = (terminal.Column("protection", keep=True), terminal.Column("state", keep=True), "what it does")
    terminal.show(terminal.table(columns, [(one.name, _state(one), _about(one)) for one in health.protections]))
    for fix in dict.fromkeys(one.fix for one in health.protections if one.fix):
        names = ", ".join(one.name for one in health.protections if one.fix == fix)
        terminal.show(f"{names}: {fix}\n")
    for kernel in health.kernels:
        terminal.show(_line(kernel))
    said = health.refusal
    terminal.show(f"\nHostile code is refused here: {said}" if said else "\nHostile code can be run here.")


def _state(one: Protection) -> str:
    return "on" if one.on else "off" if one.needed else "off, not needed"


def _about(one: Protection) -> str:
    return f"{one.meaning} ({one.reason})" if one.reason else one.meaning


def _line(kernel: Kernel) -> str:
    about = ", ".join(kernel.devices) if kernel.available else f"{kernel.reason} ({kernel.fix})"
    return f"{kernel.spec}: {'available' if kernel.available else 'unavailable'}: {about}"


def _cache(ctx: click.Context) -> Path | None:
    """Where slow answers are kept: in the course, when the command is called in one."""
    try:
        course = cli.course(ctx)
    except ConfigError:
        return None
    return course.path(course.build, "cache")
