"""MAX Bot API: one bot of the salon."""
