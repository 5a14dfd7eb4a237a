"""How often something may be done. Each process counts, and Valkey counts for all of them; while Valkey
is unreachable each process allows its share."""
