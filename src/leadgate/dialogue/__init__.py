"""A conversation with a client: its state, and the script that asks for name, phone and wish. Pure."""
