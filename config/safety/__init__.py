"""Getting into the console: log-in, second factors, lockout, sessions."""
