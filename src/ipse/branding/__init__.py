"""How an application presents itself on the hosted page: colours, names, texts, logos (contract 60, section 6)."""
