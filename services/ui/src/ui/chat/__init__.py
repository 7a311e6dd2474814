"""A talk with models, below the tabs: what is sent, what comes back, how it is shown."""
