"""How often something may be done. Each process counts, and Valkey counts for all of them; while
it is unreachable each process allows its share."""
