from langgraph.checkpoint.sqlite.utils import *
