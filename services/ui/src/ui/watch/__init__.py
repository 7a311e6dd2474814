"""How everything is: services, alerts, the Monitor tab's view of both."""
