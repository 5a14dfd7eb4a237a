"""Log lines: one per record, without secrets; the security log."""
