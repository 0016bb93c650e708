"""Alarms through Apprise: one library, more than a hundred services. Not a vendor of clients' messages, so it has no manifest."""
