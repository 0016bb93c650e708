"""Consent: the rule, the texts by version, the register, and the one gate that advertising has to pass."""
