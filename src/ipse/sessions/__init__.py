"""Verification sessions: creation, lists, decisions, reviews, and the one place that changes a status."""
