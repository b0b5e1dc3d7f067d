"""Evidence packs of sessions, verified offline, and decisions replayed (decision 0019)."""
