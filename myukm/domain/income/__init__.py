"""What came in: movements between two answers, their journal, closed days, the report."""
