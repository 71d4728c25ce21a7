"""`langgraph.managed`, name for name."""

from typing import TYPE_CHECKING

from alto_langgraph.mirror import mirror

if TYPE_CHECKING:
    from langgraph.managed import *

mirror(__name__)
