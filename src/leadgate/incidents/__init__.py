"""Incidents with personal data: the two clocks, classes of fines, what the notices say. Keeping and freezing is done elsewhere."""
