"""Chat models and embeddings that vLLM serves, in this process or in others; requests carry the place in the run that they come from."""
