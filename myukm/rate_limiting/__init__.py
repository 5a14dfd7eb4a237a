"""How often something may be done: counted in Valkey, and in each process while it is away."""
