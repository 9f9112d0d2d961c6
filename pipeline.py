"""The nightly entry, and Sales Tech's command line: `python pipeline.py run`, or `sales-tech run` where it is installed."""

from __future__ import annotations

from sales_tech.cli import entry, main

__all__ = ["main"]

if __name__ == "__main__":
    entry()
