"""A vector store and a retriever on Chroma that ask for many fragments at once."""
