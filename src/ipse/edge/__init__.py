"""The HTTP plumbing that every endpoint stands on: errors, transactions, authentication, pages, limits."""
