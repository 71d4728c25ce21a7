"""Measures alto beside stock LangGraph, strictly alternating in one run: `python -m benchmarks`."""
