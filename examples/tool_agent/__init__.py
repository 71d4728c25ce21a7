"""An assistant that plans meetings: a prebuilt agent that looks things up with several tools at a time, over many turns."""
