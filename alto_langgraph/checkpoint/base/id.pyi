from langgraph.checkpoint.base.id import *
