"""Blocklists, allowlists and custom lists, and the legacy blocklist calls as a view of them."""
