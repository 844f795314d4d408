"""Services that the site brings along: a PostgreSQL server and a broker of its own."""
