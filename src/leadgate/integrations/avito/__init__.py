"""Avito messenger: one account of the salon, where clients ask about its adverts."""
