"""One module per workflow feature: what it needs from the capture, how it runs, which report it yields."""
