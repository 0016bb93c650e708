"""One folder per vendor; only `leadgate.registry` names them, and they do not know one another."""
