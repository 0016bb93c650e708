"""A person's rights: who somebody is to us, what we hold of them, correcting, blocking, erasing, and the desk of their requests."""
