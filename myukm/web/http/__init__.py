"""Shared by all views: permissions, parsing, errors, headers, limits, static files."""
