"""Failed jobs, by the error that they failed with: an index, and what is done to many of them."""
