from langgraph.prebuilt.tool_validator import *
