"""Says what of an answer that is still being written is finished; no asyncio, no clock, no LangGraph."""
