from langgraph.channels.topic import *
