"""Devices and addresses: who was seen where, which devices a person uses, and what that says about a session."""
