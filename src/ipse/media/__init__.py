"""Images: sealed with the biometric key ring, stored as blobs, shown through links that die after an hour."""
