"""The standalone risk calls: one address, mail address or phone number, answered at once."""
