"""``python -m ipse.cli``: the command without its script."""

from ipse.cli.main import run

run()
