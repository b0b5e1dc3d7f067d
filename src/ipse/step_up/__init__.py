"""The step-up: policies that say when a face is needed, and verdicts that are bound to one action."""
