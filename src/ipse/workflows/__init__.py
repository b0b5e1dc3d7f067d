"""Workflows: the simple API, the graph editor's calls, and immutable published versions."""
