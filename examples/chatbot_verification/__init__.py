"""A chatbot whose answer is checked, claim by claim, against a collection of documents, and corrected."""
