"""Erasure with receipts, retention, and what is known of a person handed to them (decision 0020)."""
