from langgraph.channels.base import *
