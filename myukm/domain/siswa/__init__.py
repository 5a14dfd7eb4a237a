"""Students as rows: importing, finding."""
