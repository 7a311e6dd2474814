"""Who is let in, and how often: log-ins, sessions, the gate before every route."""
