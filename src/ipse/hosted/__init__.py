"""What browsers load: the capture page, the browser SDK and the demo shop (docs/hosted.md, decision 0010)."""
