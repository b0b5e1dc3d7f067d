"""Organisations, the people who run them, applications and their keys (contract 70, sections 1 and 2)."""
