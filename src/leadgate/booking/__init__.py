"""The salon's book: services, staff, opening hours."""
