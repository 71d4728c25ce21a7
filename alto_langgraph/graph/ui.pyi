from langgraph.graph.ui import *
