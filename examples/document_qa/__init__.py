"""Answers a question from documents, and cites for all that it says the sentences that it has it from."""
