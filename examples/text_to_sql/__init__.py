"""Answers questions about a database: several SQL queries are written, run, mended, and put to the vote."""
