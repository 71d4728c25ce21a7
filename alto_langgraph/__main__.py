"""`python -m alto_langgraph app.py [args]` is `alto run app.py [args]`."""

import sys

from alto_langgraph.cli import main

if __name__ == "__main__":
    main(["run", *sys.argv[1:]])
