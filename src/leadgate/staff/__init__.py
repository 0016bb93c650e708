"""People who sign in: one-time set-up addresses, passwords, sessions."""
