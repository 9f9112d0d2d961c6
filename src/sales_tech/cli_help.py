"""How the command line tells of itself."""

from __future__ import annotations

import click


class Commands(click.Group):
    """Commands of which each is told by a whole sentence; click's own list cuts it to fit a line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit=1_000)) for name, command in sorted(self.commands.items())])
