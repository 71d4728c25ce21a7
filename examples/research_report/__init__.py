"""Writes a report from a library of texts: plan, approval by a person, research for each section, and an editor's summary."""
