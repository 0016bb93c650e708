"""Instagram messaging: the salon's professional account at Meta."""
