"""What belongs to a person: taking their data with them, and leaving. Reads across all storeys."""
