"""Everything of one person by the person: on both engines, of this salon alone, and from indexes."""
