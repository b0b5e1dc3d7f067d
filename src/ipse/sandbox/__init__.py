"""Sandbox applications answer by scenario: the same shapes as live, decided by a word instead of by pixels."""
