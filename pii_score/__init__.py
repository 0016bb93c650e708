"""How well personal data is found in messages of people whom the rules have never seen (`docs/pii-score.md`)."""
