"""How the command line tells of itself."""

from __future__ import annotations

import re

import click

_COMMENT = re.compile(r"--\s")


class Commands(click.Group):
    """Commands of which each is told by a whole sentence; click's own list cuts it to fit a line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit=1_000)) for name, command in sorted(self.commands.items())])


class Sql(click.Command):
    """A command whose argument is SQL, which may begin with a comment; to click that looks like an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read options and argument; a lone `--` stays the end of the options."""
        return super().parse_args(ctx, [f" {one}" if _COMMENT.match(one) else one for one in args])
