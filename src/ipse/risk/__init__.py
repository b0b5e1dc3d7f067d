"""The standalone risk calls: what an address, a mailbox or a number tells, before anybody is asked for a face."""
