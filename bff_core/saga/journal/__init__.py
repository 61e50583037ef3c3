"""Where sagas are written down before they do anything, so that a crash loses none."""
