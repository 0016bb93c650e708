"""The salon's own page: a chat widget in the visitor's browser that talks to us directly."""
