"""The payment API: asking it with care, and what its answers say."""
