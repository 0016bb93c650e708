"""Personal data: only what is needed, only where it is needed."""
