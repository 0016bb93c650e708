"""Learning of the tagger of names, addresses and health: `python -m scripts.train_tagger`."""
