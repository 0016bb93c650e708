"""Printed papers: what an owner signs, hands to a client or shows an inspector."""
