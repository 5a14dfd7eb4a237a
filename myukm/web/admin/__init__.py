"""Pages for admins, treasurers and operators."""
