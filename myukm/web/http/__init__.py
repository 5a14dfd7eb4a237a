"""What every page needs: rights, parsing, errors, headers, static files."""
