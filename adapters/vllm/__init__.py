"""Which request goes first at a model server, to which of several it goes, and what need not be asked twice; no model uses it yet."""
