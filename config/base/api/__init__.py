"""The plumbing of the API: strict JSON, problems, scopes, cursors. Imports no app."""
