"""How often somebody may try, who must wait, and how an attacker cannot make them (decision 0021)."""
