"""The standalone calls: one request with pictures in, one report out, no session and no capture page."""
