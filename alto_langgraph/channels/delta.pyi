from langgraph.channels.delta import *
