"""The pure core: statuses, reports, warnings, thresholds, workflow graphs and their evaluation.

Nothing here reads a clock, a file, a socket or a source of randomness, and nothing imports another
room of Ipse. The same input gives the same bytes (docs/decisions/0005-pure-decision-core.md).
"""
