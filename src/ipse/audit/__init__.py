"""The audit log: every administrative and decision act in a hash chain that anybody can verify (decision 0019)."""
