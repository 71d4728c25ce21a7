"""`langgraph.errors`, name for name."""

from typing import TYPE_CHECKING

from alto_langgraph.mirror import mirror

if TYPE_CHECKING:
    from langgraph.errors import *

mirror(__name__)
