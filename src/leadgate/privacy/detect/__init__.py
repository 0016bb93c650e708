"""Personal data in chat text: found, explained, masked (contract, section 5)."""
