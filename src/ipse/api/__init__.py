"""The public HTTP interface: which routers it is made of, and the OpenAPI document that describes it."""
