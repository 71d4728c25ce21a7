from langgraph.prebuilt.tool_node import *
