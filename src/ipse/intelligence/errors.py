"""What can go wrong with the data files."""

from __future__ import annotations


class DataError(Exception):
    """Base of the errors of address data; the text is a sentence for an operator."""


class DataUnobtainable(DataError):
    """A data set could not be fetched, or what came is not what was expected. What was installed stays in force."""
