"""``ipse demo``: the main job on real faces, in front of the reader's eyes."""
