from langgraph.store.base.batch import *
