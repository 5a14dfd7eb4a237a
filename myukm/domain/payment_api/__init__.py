"""Client of the payment API: requests, limits, retries, and parsing of answers."""
