"""The stack in containers: the Docker Engine, the compose project in it, and the way inside."""
