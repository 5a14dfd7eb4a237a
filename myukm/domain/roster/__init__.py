"""Imports of the student roster: preview, application and undo, the same for page and command."""
