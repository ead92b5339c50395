"""The reference of the command line, as Markdown: what every verb's `--help` says, in one page."""

from __future__ import annotations

import click

from coursemill.faces.cli import VERBS, cli

WIDTH = 96
HEAD = """\
<!-- Generated: make docs -->

# The command line

`coursemill VERB --help` shows the same text.
"""


def page() -> str:
    """Return docs/reference/cli.md."""
    context = click.Context(cli, info_name="coursemill", terminal_width=WIDTH, max_content_width=WIDTH)
    parts = [HEAD, _section("coursemill", cli.get_help(context))]
    for verb in VERBS:
        command = cli.get_command(context, verb)
        if command:
            below = click.Context(
                command, info_name=verb, parent=context, terminal_width=WIDTH, max_content_width=WIDTH
            )
            parts.append(_section(f"coursemill {verb}", command.get_help(below)))
    return "\n".join(parts)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{text.strip()}\n```\n"


if __name__ == "__main__":
    click.echo(page(), nl=False)
