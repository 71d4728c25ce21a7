"""Example applications: plain LangGraph, none of them knows alto."""
