"""Checks every factual sentence of a text against a small collection of documents."""
