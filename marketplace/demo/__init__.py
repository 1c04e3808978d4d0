"""Demo data that tells stories: made by the services alone, at imagined instants, never by setting a status."""
