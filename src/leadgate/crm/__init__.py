"""Neutral leads: who the client is, one open lead per person, and what must stand in the CRM. Knows no vendor."""
