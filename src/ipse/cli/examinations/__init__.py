"""The checks of ``ipse doctor``, by what they look at."""

from ipse.cli.examinations.finding import Finding

__all__ = ["Finding"]
