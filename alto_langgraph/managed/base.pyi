from langgraph.managed.base import *
