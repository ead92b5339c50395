"""`coursemill check`: look for mistakes in the notes."""

from __future__ import annotations

import sys
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter

import click

from coursemill.course import check
from coursemill.course.check import Checked
from coursemill.faces import cli, terminal
from coursemill.pure import codes

FORMATS = ("text", "json", "github")


@click.command("check")
@click.argument("notes", nargs=-1, metavar="[NOTE]...")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings, too.")
@click.option("--select", multiple=True, metavar="CODE", help="Report only these codes, or beginnings such as CM3.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Do not report these codes, or beginnings.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to report.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--codes", "show_codes", is_flag=True, help="List the codes instead.")
@click.option(
    "--explain", "explained", metavar="CODE", help="Explain a code with an example instead, or `all` of them."
)
@click.pass_context
def command(
    ctx: click.Context,
    notes: tuple[str, ...],
    strict: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    form: terminal.FindingsFormat,
    as_json: bool,
    show_codes: bool,
    explained: str | None,
) -> None:
    """Look for mistakes in the notes, without executing them.

    NOTE is a name, a path, a folder, a worksheet, or a glob of names or paths; all notes when there is none. A finding
    is a line `path:line:col: CODE what is wrong (what to do)`.

    \b
    coursemill check                              all notes
    coursemill check My_Lesson                    one
    coursemill check "Spark_*" --ignore CM401     some, without links to notes that are not there
    coursemill check --strict --format github     in CI: annotations, and warnings count
    coursemill check --explain CM301              what a code means

    --json prints one object: `notes`, `lessons`, `errors`, `warnings` are numbers, `findings` is a list of objects
    with `path`, `line`, `col` (from 1), `code`, `name`, `severity` (error or warning), `message` and `fix`.

    Exit codes: 0 no errors, 1 errors (with --strict: or warnings).
    """
    if show_codes:
        terminal.show(_codes())
    elif explained:
        click.echo(_explanation(explained), nl=False)
    else:
        config = cli.course(ctx)
        result = check.check(config, cli.from_here(config, notes), select=select, ignore=ignore)
        _report(result, "json" if as_json else form)
        sys.exit(cli.PROBLEMS if result.errors or (strict and result.warnings) else cli.OK)


def _report(result: Checked, form: terminal.FindingsFormat) -> None:
    if form == "json":
        findings = [{**asdict(one), "name": codes.REGISTRY[one.code].name} for one in result.findings]
        counts = {name: getattr(result, name) for name in ("notes", "lessons", "errors", "warnings")}
        terminal.show_json({**counts, "findings": findings})
        return
    for _, of_note in groupby(result.findings, attrgetter("path")):
        terminal.show_findings(of_note, form)
        if form == "text" and not terminal.is_plain():
            terminal.show("")
    terminal.show(_summary(result))


def _summary(result: Checked) -> str:
    found = [_count(result.errors, "error")] * bool(result.errors)
    found += [_count(result.warnings, "warning")] * bool(result.warnings)
    looked_at = f"{_count(result.notes, 'note')}, {_count(result.lessons, 'lesson')} among them"
    return f"{' and '.join(found) or 'no mistakes'} in {looked_at}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _codes() -> terminal.Table:
    rows = [(code.code, code.severity, code.name, code.meaning, code.fix) for code in codes.REGISTRY.values()]
    columns = [terminal.Column(name, keep=True) for name in ("code", "severity", "name")]
    return terminal.table([*columns, "meaning", "what to do"], rows)


def _explanation(name: str) -> str:
    from coursemill.course import explain

    return explain.page() if name == "all" else explain.entry(explain.explain(name))
