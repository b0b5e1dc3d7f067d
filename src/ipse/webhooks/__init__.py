"""Signed events: recorded with the change they report, delivered at least once, in order within a session."""
